/* The AArch64 "virt" machine of QEMU. */
#include "runtime.h"

void put(char c) { *(volatile unsigned *)at(0x09000000) = c; }

extern const byte began_at; /* CurrentEL */

/* PSCI: SYSTEM_OFF. Whoever answers is one level above where we began. */
void power_off(void)
{
	register word f __asm__("x0") = 0x84000008;

	if (began_at == 8)
		__asm__ volatile("smc #0" : : "r"(f) : "memory");
	else
		__asm__ volatile("hvc #0" : : "r"(f) : "memory");
	for (;;)
		__asm__ volatile("wfi");
}

/* What start.S maps as memory. */
int is_memory(word phys, word size)
{
	return phys >= 0x40000000 && phys + size >= phys && phys + size <= 0x100000000;
}
