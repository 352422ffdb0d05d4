/* Address spaces of domains: four levels of tables, pages of 4 KiB. */
#include "runtime.h"

enum {
	VALID = 1,
	TABLE = 2, /* and a page, on the last level */
	MEMORY = 1 << 2 | 3 << 8, /* MAIR index 1, inner shareable */
	USER = 1 << 6,
	READ_ONLY = 1 << 7,
	ACCESSED = 1 << 10,
	NOT_GLOBAL = 1 << 11,
};

static const word kernel_never = 1UL << 53, user_never = 1UL << 54;
static const word address = 0xfffffffff000;
static word next, limit;

void space_init(word tables, word end)
{
	next = tables;
	limit = end;
	/* From now on the lower half has 48 bits. */
	__asm__ volatile("msr tcr_el1, %0\n\tisb" : : "r"(0x2b5193510UL));
}

word space_new(void)
{
	word page = next;

	if (next == limit)
		panic("no page is left for page tables above", limit);
	next += 4096;
	__builtin_memset(at(page), 0, 4096);
	return page;
}

static word leaf(const struct mapping *m, word phys)
{
	word e = phys | VALID | TABLE | USER | ACCESSED | NOT_GLOBAL | kernel_never;

	if (m->rights & CACHED)
		e |= MEMORY;
	if (!(m->rights & WRITE))
		e |= READ_ONLY;
	if (!(m->rights & EXECUTE))
		e |= user_never;
	return e;
}

void space_map(word root, const struct mapping *m)
{
	for (word off = 0; off < m->size; off += 4096) {
		word virt = m->virt + off, *table = at(root), *slot;

		for (int shift = 39;; shift -= 9) {
			slot = &table[virt >> shift & 511];
			if (shift == 12)
				break;
			if (!*slot)
				*slot = space_new() | VALID | TABLE;
			table = at(*slot & address);
		}
		if (*slot)
			panic("two mappings at", virt);
		*slot = leaf(m, m->phys + off);
	}
}
