/* The regions of the loader image go where they belong. */
#include "runtime.h"

extern const struct loader _bss_end; /* where elfwright put it */

/* What was written becomes memory for accesses without cache, and code. */
static void clean(word phys, word size)
{
	for (word p = phys & ~63UL; p < phys + size; p += 64)
		__asm__ volatile("dc civac, %0" : : "r"(at(p)) : "memory");
}

static void one(const struct region *r, const char *data)
{
	if (!is_memory(r->load, r->size))
		panic("this machine has no memory for the region at", r->load);
	if (r->type == REGION_DATA)
		__builtin_memcpy(at(r->load), data + r->offset, r->size);
	else if (r->type == REGION_ZERO)
		__builtin_memset(at(r->load), 0, r->size);
	else
		panic("unknown type of a region", r->type);
	clean(r->load, r->size);
}

const struct system *load(void)
{
	const struct loader *l = &_bss_end;
	const struct region *r = (const void *)(l + 1);
	const char *data = (const void *)(r + l->regions);
	const struct system *s = (const void *)data;

	if (l->magic != LOADER_MAGIC)
		panic("no loader header follows the runtime", l->magic);
	if (l->regions == 0 || s->magic != SYSTEM_MAGIC || s->version != SYSTEM_VERSION)
		panic("the first region is no table of a system", s->magic);
	/* The table stays where it is. */
	for (word i = 1; i < l->regions; i++)
		one(&r[i], data);
	__asm__ volatile("dsb sy\n\tic iallu\n\tdsb sy\n\tisb" : : : "memory");
	return s;
}

/* The compiler calls these. */
void *memcpy(void *to, const void *from, word n)
{
	char *t = to;
	const char *f = from;

	while (n-- > 0)
		*t++ = *f++;
	return to;
}

void *memset(void *to, int c, word n)
{
	char *t = to;

	while (n-- > 0)
		*t++ = c;
	return to;
}
