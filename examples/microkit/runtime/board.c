/* The AArch64 "virt" machine of QEMU. */
#include "runtime.h"

void put(char c) { *(volatile unsigned *)at(0x09000000) = c; }

/* PSCI: SYSTEM_OFF. */
void power_off(void)
{
	register word f __asm__("x0") = 0x84000008;

	__asm__ volatile("hvc #0" : : "r"(f) : "memory");
	for (;;)
		__asm__ volatile("wfi");
}

/* What start.S maps as memory. */
int is_memory(word phys, word size)
{
	return phys >= 0x40000000 && phys + size >= phys && phys + size <= 0x100000000;
}
