/* A loader of its own: maps an object that the program carries straight from the
 * program's file, so that its pages are shared with everybody who runs it and cost
 * nothing until they are touched. The headers of the object are right for the
 * program's descriptor, because 'embed add --as-object' has translated them.
 *
 *	gcc -shared -fPIC -nostdlib -Wl,--hash-style=sysv -o greet.so greet.c
 *	gcc -o mapper mapper.c
 *	elfwright embed add --as-object mapper greet.so -o mapper2
 *	./mapper2
 *
 * It handles what such a library needs: PT_LOADs, and relocations to its own
 * addresses. A real loader does more.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>
#include <stdlib.h>

#include "payload.h"

static unsigned char *base; /* where the object is, minus its p_vaddr */

static void fail(const char *what)
{
	fprintf(stderr, "mapper: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uintptr_t down(uintptr_t a) { return a & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1); }

/* load maps one PT_LOAD from the descriptor, and clears what follows its bytes. */
static void load(int fd, const ElfW(Phdr) *h)
{
	uintptr_t start = down(h->p_vaddr), end = h->p_vaddr + h->p_memsz, filled = h->p_vaddr + h->p_filesz;
	int prot = (h->p_flags & PF_R ? PROT_READ : 0) | (h->p_flags & PF_W ? PROT_WRITE : 0) | (h->p_flags & PF_X ? PROT_EXEC : 0);
	uintptr_t zeros = down(filled + (uintptr_t)sysconf(_SC_PAGESIZE) - 1);

	if (h->p_filesz && mmap(base + start, filled - start, prot, MAP_PRIVATE | MAP_FIXED, fd, (off_t)down(h->p_offset)) == MAP_FAILED)
		fail("mmap");
	if ((h->p_flags & PF_W) && zeros > filled)
		memset(base + filled, 0, (zeros < end ? zeros : end) - filled);
	if (end > zeros && mmap(base + zeros, end - zeros, prot, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		fail("mmap");
}

/* symbol finds a symbol by going through the table, which DT_HASH gives the size
 * of. */
static void *symbol(const ElfW(Dyn) *dyn, const char *name)
{
	const ElfW(Sym) *table = NULL;
	const char *strings = NULL;
	uint32_t n = 0, i;

	for (; dyn->d_tag != DT_NULL; dyn++) {
		unsigned char *at = base + dyn->d_un.d_ptr;
		if (dyn->d_tag == DT_SYMTAB)
			table = (const ElfW(Sym) *)(void *)at;
		else if (dyn->d_tag == DT_STRTAB)
			strings = (const char *)at;
		else if (dyn->d_tag == DT_HASH)
			n = ((const uint32_t *)(void *)at)[1];
	}
	for (i = 0; table && strings && i < n; i++)
		if (table[i].st_value && strcmp(strings + table[i].st_name, name) == 0)
			return base + table[i].st_value;
	return NULL;
}

/* relocate adds the base to every address that the object has of itself: only
 * such relocations are in a library that needs nobody. */
static void relocate(const ElfW(Dyn) *dyn)
{
	const ElfW(Rela) *rela = NULL;
	const ElfW(Rel) *rel = NULL;
	size_t size = 0, i;

	for (; dyn->d_tag != DT_NULL; dyn++) {
		if (dyn->d_tag == DT_RELA)
			rela = (const ElfW(Rela) *)(void *)(base + dyn->d_un.d_ptr);
		else if (dyn->d_tag == DT_REL)
			rel = (const ElfW(Rel) *)(void *)(base + dyn->d_un.d_ptr);
		else if (dyn->d_tag == DT_RELASZ || dyn->d_tag == DT_RELSZ)
			size = dyn->d_un.d_val;
	}
	for (i = 0; rela && i < size / sizeof *rela; i++)
		*(uintptr_t *)(void *)(base + rela[i].r_offset) = (uintptr_t)base + (uintptr_t)rela[i].r_addend;
	for (i = 0; rel && i < size / sizeof *rel; i++)
		*(uintptr_t *)(void *)(base + rel[i].r_offset) += (uintptr_t)base;
}

/* backed says whether an address is mapped from the program's own file. */
static int backed(const void *addr)
{
	char line[4096], own[4096], path[4096];
	unsigned long from, to;
	ssize_t n = readlink("/proc/self/exe", own, sizeof own - 1);
	FILE *maps = fopen("/proc/self/maps", "r");
	int found = 0;

	if (n < 0 || !maps)
		fail("/proc/self");
	own[n] = 0;
	while (fgets(line, sizeof line, maps))
		if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %4095s", &from, &to, path) == 3 &&
		    (uintptr_t)addr >= from && (uintptr_t)addr < to)
			found = strcmp(path, own) == 0;
	fclose(maps);
	return found;
}

int main(void)
{
	uint64_t offset;
	ElfW(Ehdr) e;
	ElfW(Phdr) *h;
	const ElfW(Dyn) *dyn = NULL;
	uintptr_t top = 0;
	const char *(*greet)(void);
	int fd = payload_fd("greet.so", &offset, NULL), i;

	if (fd < 0)
		fail("greet.so");
	if (pread(fd, &e, sizeof e, (off_t)offset) != sizeof e)
		fail("ELF header");
	/* From here on the descriptor is all that is needed: e_phoff and p_offset are
	 * offsets in the program's file. */
	h = (ElfW(Phdr) *)calloc(e.e_phnum, sizeof *h);
	if (!h || pread(fd, h, e.e_phnum * sizeof *h, (off_t)e.e_phoff) != (ssize_t)(e.e_phnum * sizeof *h))
		fail("program headers");
	for (i = 0; i < e.e_phnum; i++)
		if (h[i].p_type == PT_LOAD && h[i].p_vaddr + h[i].p_memsz > top)
			top = h[i].p_vaddr + h[i].p_memsz;
	base = (unsigned char *)mmap(NULL, top, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		fail("mmap");
	for (i = 0; i < e.e_phnum; i++) {
		if (h[i].p_type == PT_LOAD)
			load(fd, &h[i]);
		if (h[i].p_type == PT_DYNAMIC)
			dyn = (const ElfW(Dyn) *)(void *)(base + h[i].p_vaddr);
	}
	close(fd);
	if (!dyn)
		fail("no dynamic section");
	relocate(dyn);
	*(void **)&greet = symbol(dyn, "greet");
	if (!greet)
		fail("greet");
	puts(greet());
	printf("its code is%s mapped from the program's file\n", backed(*(void **)&greet) ? "" : " not");
	return !backed(*(void **)&greet);
}
