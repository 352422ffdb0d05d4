// Prints every word that a relocation of the program or one of its own libraries has
// written: which table and entry, and the value, as an object and an offset in it
// where it is an address.
#define _GNU_SOURCE
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef ElfW(Addr) word;
#ifndef __LP64__
#define TYPE(i) ELF32_R_TYPE(i)
#else
#define TYPE(i) ELF64_R_TYPE(i)
#endif

extern int data, *pointer, one(int);
extern __thread int gd, initial __attribute__((tls_model("initial-exec")));
int table[3] = {1, 2, 3}, *inside = &table[2];
__thread int own = 5;
int (*function)(int) = one;

static struct object {
	word base, lo, hi;
	const char *name;
	const ElfW(Dyn) *dyn;
} objects[20];
static int n;

static int note(struct dl_phdr_info *i, size_t size, void *arg)
{
	struct object *o = &objects[n];
	const char *slash = strrchr(i->dlpi_name, '/');
	o->base = i->dlpi_addr;
	o->name = *i->dlpi_name ? slash ? slash + 1 : i->dlpi_name : "main";
	o->lo = -1;
	for (int x = 0; x < i->dlpi_phnum; x++) {
		const ElfW(Phdr) *p = &i->dlpi_phdr[x];
		if (p->p_type == PT_LOAD) {
			if (o->base + p->p_vaddr < o->lo)
				o->lo = o->base + p->p_vaddr;
			if (o->base + p->p_vaddr + p->p_memsz > o->hi)
				o->hi = o->base + p->p_vaddr + p->p_memsz;
		} else if (p->p_type == PT_DYNAMIC)
			o->dyn = (void *)(o->base + p->p_vaddr);
	}
	n++;
	return 0;
}

static void value(word v)
{
	for (int i = 0; i < n; i++)
		if (v >= objects[i].lo && v < objects[i].hi) {
			printf("%s+%lx\n", objects[i].name, (long)(v - objects[i].base));
			return;
		}
	printf("%lx\n", (long)v);
}

static word find(struct object *o, long tag)
{
	for (const ElfW(Dyn) *d = o->dyn; d->d_tag; d++)
		if (d->d_tag == tag)
			return d->d_un.d_ptr;
	return 0;
}

static void dump(struct object *o, const char *name, word at, word size, int rela)
{
	word step = rela ? sizeof(ElfW(Rela)) : sizeof(ElfW(Rel));
	if (at && at < o->lo) // not all machines have it as an address
		at += o->base;
	for (word i = 0; i < size / step; i++) {
		const ElfW(Rel) *r = (void *)(at + i * step);
		printf("%s %s[%ld] %d ", o->name, name, (long)i, (int)TYPE(r->r_info));
		value(*(word *)(o->base + r->r_offset));
	}
}

int main(void)
{
	dl_iterate_phdr(note, 0);
	gd = initial = own = one(data + *pointer + *inside) + function(1);
	for (int i = 0; i < n; i++) {
		struct object *o = &objects[i];
		if (strcmp(o->name, "main") && strncmp(o->name, "libour", 6))
			continue;
		dump(o, "REL", find(o, DT_REL), find(o, DT_RELSZ), 0);
		dump(o, "RELA", find(o, DT_RELA), find(o, DT_RELASZ), 1);
		dump(o, "JMPREL", find(o, DT_JMPREL), find(o, DT_PLTRELSZ), find(o, DT_PLTREL) == DT_RELA);
	}
	return 0;
}
