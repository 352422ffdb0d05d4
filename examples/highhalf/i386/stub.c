/*
 * Turns paging on, with pages of 4 MiB: the first of them where it is and again
 * from 3 GiB on.
 */
typedef unsigned int u32;

extern u32 _directory_phys[];
extern char _bss_phys[], _bss_phys_end[];

#define PAGE	(1u << 7 | 1 << 1 | 1) /* of 4 MiB, write, present */

void stub_main(void)
{
	u32 *directory = _directory_phys, cr;

	for (volatile char *p = _bss_phys; p < _bss_phys_end; p++)
		*p = 0;
	directory[0] = PAGE;
	directory[0xc0000000 >> 22] = PAGE;

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr));
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr | 1 << 4));	/* PSE */
	__asm__ volatile("mov %0, %%cr3" : : "r"(directory) : "memory");
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr));
	__asm__ volatile("mov %0, %%cr0" : : "r"(cr | 1u << 31 | 1 << 16) : "memory"); /* PG, WP */
}
