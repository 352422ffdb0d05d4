/*
 * Turns the MMU on: 39 bits of addresses in each half, tables of one level with
 * blocks of 1 GiB. The low half is the machine as it is, the high half the same
 * again for the kernel.
 */
typedef unsigned long u64;

extern u64 _low_table_phys[], _high_table_phys[];
extern char _bss_phys[], _bss_phys_end[];

/* Arm ARM (DDI 0487), D8.3: block, accessed, inner shareable, MAIR attribute. */
#define MEMORY	(1ul | 1 << 10 | 3 << 8 | 0 << 2)
#define DEVICE	(1ul | 1 << 10 | 1 << 2 | 3ul << 53)

#define MAIR	0x00fful		/* 0: write-back memory, 1: Device-nGnRnE */
#define TCR	(25ul | 25ul << 16 |	/* T0SZ, T1SZ: 39 bits */ \
		 1ul << 8 | 1ul << 10 | 3ul << 12 | \
		 1ul << 24 | 1ul << 26 | 3ul << 28 | \
		 2ul << 30 |		/* TG1: 4 KiB */ \
		 1ul << 32)		/* IPS: 36 bits */

void stub_main(void)
{
	u64 *low = _low_table_phys, *high = _high_table_phys;

	for (volatile char *p = _bss_phys; p < _bss_phys_end; p++)
		*p = 0;
	low[0] = high[0] = 0x00000000 | DEVICE;	/* virt: PL011 at 0x09000000 */
	low[1] = high[1] = 0x40000000 | MEMORY;

	__asm__ volatile(
		"msr mair_el1, %0\n\t"
		"msr tcr_el1, %1\n\t"
		"msr ttbr0_el1, %2\n\t"
		"msr ttbr1_el1, %3\n\t"
		"dsb sy\n\ttlbi vmalle1\n\tdsb sy\n\tisb\n\t"
		"mrs x9, sctlr_el1\n\t"
		"orr x9, x9, #1\n\t"
		"msr sctlr_el1, x9\n\t"
		"isb"
		: : "r"(MAIR), "r"(TCR), "r"(low), "r"(high) : "x9", "memory");
}
