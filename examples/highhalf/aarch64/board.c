/* The AArch64 "virt" machine of QEMU. */
#include "../highhalf.h"

unsigned long low_table[512] __attribute__((aligned(4096)));
unsigned long high_table[512] __attribute__((aligned(4096)));

void forget_low(void)
{
	low_table[0] = low_table[1] = 0;
	__asm__ volatile("dsb sy\n\ttlbi vmalle1\n\tdsb sy\n\tisb" : : : "memory");
}

void put(char c) { *(volatile unsigned *)0xffffff8009000000 = c; }

/* PSCI: SYSTEM_OFF. */
void power_off(void)
{
	register unsigned long f __asm__("x0") = 0x84000008;

	__asm__ volatile("hvc #0" : : "r"(f) : "memory");
}
