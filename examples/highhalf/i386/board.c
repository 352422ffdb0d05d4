/* A PC of 32 bits with QEMU's isa-debug-exit. */
#include "../highhalf.h"

unsigned directory[1024] __attribute__((aligned(4096)));

void forget_low(void)
{
	directory[0] = 0;
	__asm__ volatile("mov %%cr3, %%eax\n\tmov %%eax, %%cr3" : : : "eax", "memory");
}

/* The first serial port, as the firmware left it. */
void put(char c) { __asm__ volatile("outb %0, %1" : : "a"(c), "Nd"((unsigned short)0x3f8)); }

void power_off(void) { __asm__ volatile("outb %0, %1" : : "a"((char)0), "Nd"((unsigned short)0xf4)); }
