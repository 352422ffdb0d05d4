/* arena: malloc in an arena that is a segment of the program.

   The kernel maps the arena when the program starts, together with code and data;
   malloc and its kin below only hand it out. So they make no system call, which is
   of use where there are none (emulators, bare metal with an ELF loader) or where
   they are forbidden: main installs a seccomp filter that kills the process at
   the next brk, mmap, munmap or mremap, and then allocates a lot.

   gcc -o arena arena.c
   elfwright phdr add --type=0x65770002 --memsz=64M arena -o arena2
   ./arena2 */
#define _GNU_SOURCE
#include <errno.h>
#include <link.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ARENA = 0x65770002 };

extern ElfW(Dyn) _DYNAMIC[] __attribute__((weak, visibility("hidden")));

/* next and end are what is left of the arena. free_list[i] has blocks of
   16 << i bytes that were given back. One thread is enough for an example. */
static char *next, *end;
static struct block {
	struct block *next;
} *free_list[60];
static size_t in_use, most;

/* The size class of a block is in the 16 bytes in front of it. */
struct head {
	size_t class;
	size_t pad;
};

/* find_arena finds the arena by the auxiliary vector: malloc may be called before
   anything else works. */
static void find_arena(void) {
	const ElfW(Phdr) *table = (const ElfW(Phdr) *)getauxval(AT_PHDR), *arena = NULL;
	size_t n = getauxval(AT_PHNUM);
	uintptr_t bias = 0;
	for (size_t i = 0; i < n; i++) {
		if (table[i].p_type == ARENA)
			arena = &table[i];
		if (table[i].p_type == PT_DYNAMIC && _DYNAMIC)
			bias = (uintptr_t)_DYNAMIC - table[i].p_vaddr;
		if (table[i].p_type == PT_PHDR)
			bias = (uintptr_t)table - table[i].p_vaddr;
	}
	if (!arena) {
		static const char text[] = "no header of type 0x65770002 here: see the first lines of arena.c\n";
		(void)!write(2, text, sizeof text - 1);
		_exit(1);
	}
	next = (char *)(((bias + arena->p_vaddr) + 15) & ~(uintptr_t)15);
	end = (char *)(bias + arena->p_vaddr + arena->p_memsz);
}

void *malloc(size_t n) {
	size_t class = 0;
	while (class < 59 && (size_t)16 << class < n)
		class++;
	size_t size = (size_t)16 << class;
	if (!next)
		find_arena();
	struct block *b = free_list[class];
	if (b)
		free_list[class] = b->next;
	else if (class >= 59 || (size_t)(end - next) < size + sizeof(struct head)) {
		errno = ENOMEM;
		return NULL;
	} else {
		((struct head *)next)->class = class;
		b = (struct block *)(next + sizeof(struct head));
		next = (char *)b + size;
	}
	in_use += size;
	if (in_use > most)
		most = in_use;
	return b;
}

static size_t *class_of(void *p) { return &((struct head *)p)[-1].class; }

void free(void *p) {
	if (!p)
		return;
	size_t class = *class_of(p);
	((struct block *)p)->next = free_list[class];
	free_list[class] = p;
	in_use -= (size_t)16 << class;
}

void *calloc(size_t n, size_t size) {
	if (size && n > SIZE_MAX / size) {
		errno = ENOMEM;
		return NULL;
	}
	void *p = malloc(n * size);
	return p ? memset(p, 0, n * size) : NULL;
}

void *realloc(void *p, size_t n) {
	if (p && n <= (size_t)16 << *class_of(p))
		return p;
	void *q = malloc(n);
	if (p && q) {
		memcpy(q, p, (size_t)16 << *class_of(p));
		free(p);
	}
	return q;
}

/* no_more_memory lets the kernel kill this process when it asks for memory. */
static void no_more_memory(void) {
	static const int forbidden[] = {
		SYS_brk, SYS_munmap, SYS_mremap,
#ifdef SYS_mmap
		SYS_mmap,
#endif
#ifdef SYS_mmap2
		SYS_mmap2,
#endif
	};
	struct sock_filter filter[2 * sizeof forbidden / sizeof *forbidden + 2];
	unsigned n = 0;
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
		filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, forbidden[i], 0, 1);
		filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	}
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog prog = {n, filter};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog)) {
		perror("seccomp");
		_exit(2);
	}
}

static int by_text(const void *a, const void *b) { return strcmp(*(char **)a, *(char **)b); }

/* work builds, sorts and frees a list of strings, as programs do. */
static void work(size_t n) {
	char **list = NULL;
	for (size_t i = 0; i < n; i++) {
		char text[32];
		snprintf(text, sizeof text, "%zu", i * 2654435761u % 1000003);
		list = realloc(list, (i + 1) * sizeof *list);
		list[i] = strdup(text);
	}
	qsort(list, n, sizeof *list, by_text);
	printf("first %s, last %s\n", list[0], list[n - 1]);
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

int main(int argc, char **argv) {
	no_more_memory();
	for (int i = 0; i < 3; i++)
		work(100000);
	printf("%zu MiB of the arena at most, and no system call for it\n", most >> 20);
	if (argc > 1 && !strcmp(argv[1], "break-the-rule")) {
		fflush(stdout);
		sbrk(4096); /* to see that the filter works */
		puts("still here");
	}
	return 0;
}
