/* message: print the bytes of a program header that was added after linking.

   gcc -o message message.c
   elfwright phdr add --type=0x65770001 --file=README.md message -o message2
   ./message2 */
#define _GNU_SOURCE
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/auxv.h>

enum { MESSAGE = 0x65770001 };

/* A range of this program's memory. */
struct range {
	const char *start;
	size_t size;
};

/* find looks for the header in a table. bias is what must be added to addresses
   in the file: a position independent program is loaded anywhere. The table has n
   entries; a PT_NULL among them does not end it. */
static struct range find(const ElfW(Phdr) *table, size_t n, uintptr_t bias) {
	for (size_t i = 0; i < n; i++)
		if (table[i].p_type == MESSAGE)
			return (struct range){(const char *)(bias + table[i].p_vaddr), table[i].p_memsz};
	return (struct range){0};
}

/* The first way: the C library knows tables and biases of all that is loaded, and
   names the program first. This works in static programs, too. */
static int first_object(struct dl_phdr_info *info, size_t size, void *to) {
	(void)size;
	*(struct range *)to = find(info->dlpi_phdr, info->dlpi_phnum, info->dlpi_addr);
	return 1; /* no other */
}

static struct range by_iterating(void) {
	struct range r = {0};
	dl_iterate_phdr(first_object, &r);
	return r;
}

/* The second way needs no library function beyond getauxval, and none at all for
   who reads the vector behind the environment: the kernel says where the table is.
   The bias is the difference between that and what PT_PHDR says, and 0 without a
   PT_PHDR, which only programs that are not position independent lack (and static
   PIEs, which would compare _DYNAMIC with PT_DYNAMIC). */
extern ElfW(Dyn) _DYNAMIC[] __attribute__((weak, visibility("hidden")));

static struct range by_auxv(void) {
	const ElfW(Phdr) *table = (const ElfW(Phdr) *)getauxval(AT_PHDR);
	size_t n = getauxval(AT_PHNUM);
	uintptr_t bias = 0;
	for (size_t i = 0; i < n; i++) {
		if (table[i].p_type == PT_DYNAMIC && _DYNAMIC)
			bias = (uintptr_t)_DYNAMIC - table[i].p_vaddr;
		if (table[i].p_type == PT_PHDR)
			bias = (uintptr_t)table - table[i].p_vaddr;
	}
	return find(table, n, bias);
}

int main(void) {
	struct range a = by_iterating(), b = by_auxv();
	if (!a.start || a.start != b.start || a.size != b.size) {
		fprintf(stderr, "no header of type 0x%x here: see the first lines of message.c\n", MESSAGE);
		return 1;
	}
	printf("%zu bytes:\n", a.size);
	fwrite(a.start, 1, a.size, stdout);
	return 0;
}
