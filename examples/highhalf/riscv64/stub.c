/*
 * Turns Sv39 on, with pages of 1 GiB: the low half is the machine as it is, the
 * high half the same again for the kernel.
 */
typedef unsigned long u64;

/* Too far away for code of this model: the script fills in the words. */
extern u64 *const _root_table_phys_word;
extern char *const _bss_phys_word, *const _bss_phys_end_word;

/* RISC-V privileged architecture, 4.4.1: dirty, accessed, execute, write, read, valid. */
#define LEAF	(1ul << 7 | 1 << 6 | 1 << 3 | 1 << 2 | 1 << 1 | 1)

void stub_main(void)
{
	u64 *root = _root_table_phys_word;

	for (volatile char *p = _bss_phys_word; p < _bss_phys_end_word; p++)
		*p = 0;
	for (u64 gib = 0; gib < 4; gib++)
		root[gib] = root[256 + gib] = gib << 28 | LEAF;
	__asm__ volatile(
		"sfence.vma\n\t"
		"csrw satp, %0\n\t"
		"sfence.vma"
		: : "r"(8ul << 60 | (u64)root >> 12) : "memory");
}
