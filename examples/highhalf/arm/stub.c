/*
 * Turns the MMU on. Until then every address of the kernel is one of memory that
 * is not there, so the script says where its things are in real memory.
 */
typedef unsigned int u32;

extern u32 _l1table_phys[];
extern char _bss_phys[], _bss_phys_end[];

/* ARM ARM (DDI 0406C), B3.5.1: a section of 1 MiB, for privileged code only. */
#define MEMORY	(2u | 1 << 10 | 1 << 12 | 1 << 3 | 1 << 2)	/* write-back */
#define DEVICE	(2u | 1 << 10 | 1 << 2 | 1 << 4)		/* execute never */

void stub_main(void)
{
	u32 *table = _l1table_phys;

	for (volatile char *p = _bss_phys; p < _bss_phys_end; p++)
		*p = 0;
	table[0x800] = 0x80000000 | MEMORY;	/* where this code runs */
	table[0xc00] = 0x80000000 | MEMORY;	/* the same memory again, for the kernel */
	table[0xf00] = 0x1c000000 | DEVICE;	/* vexpress-a15: PL011 at 0x1c090000 */

	__asm__ volatile(
		"mcr p15, 0, %0, c2, c0, 0\n\t"		/* TTBR0 */
		"mcr p15, 0, %1, c2, c0, 2\n\t"		/* TTBCR: TTBR0 for all */
		"mcr p15, 0, %2, c3, c0, 0\n\t"		/* DACR: domain 0 is a client */
		"mcr p15, 0, %1, c8, c7, 0\n\t"		/* TLBIALL */
		"dsb\n\tisb\n\t"
		"mrc p15, 0, r3, c1, c0, 0\n\t"
		"orr r3, r3, #1\n\t"
		"mcr p15, 0, r3, c1, c0, 0\n\t"		/* SCTLR.M */
		"isb"
		: : "r"(table), "r"(0), "r"(1) : "r3", "memory");
}
