/* The program all samples are made from. It checks itself and prints what must
   not change when its file is edited; see samples.Program for the modes. */
#define _GNU_SOURCE
#include <elf.h>
#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>
#include <unwind.h>

#ifndef SAMPLE_MAIN
#define SAMPLE_MAIN main
#endif
#ifndef PT_GNU_PROPERTY
#define PT_GNU_PROPERTY 0x6474e553
#endif

int SAMPLE_MAIN(int argc, char **argv);

/* Data of every kind a linker treats on its own. */
static __thread int tls_data = 42;
static __thread int tls_bss;
static const char constant[] = "constant";
static const char *const relocated[] = {"zero", "one", "two", constant};
static int initialised = 7;
static char zeros[20000];
static int constructed;

__attribute__((constructor)) static void construct(void) { constructed = initialised * 3; }
__attribute__((destructor)) static void destruct(void) {
	fflush(stdout);
	(void)!write(1, "destructor\n", 11);
}

static void fail(const char *what) {
	printf("FAILED: %s\n", what);
	fflush(stdout);
	_exit(1);
}

/* FNV-1a, 32 bits. */
static uint32_t checksum(const unsigned char *p, size_t n) {
	uint32_t h = 2166136261u;
	while (n--)
		h = (h ^ *p++) * 16777619u;
	return h;
}

/* object is what dl_iterate_phdr says of the file that holds this code. */
struct object {
	ElfW(Addr) bias;
	const ElfW(Phdr) *phdr;
	int n;
};

static int holds_us(struct dl_phdr_info *info, size_t size, void *to) {
	(void)size;
	uintptr_t here = (uintptr_t)&initialised;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		if (p->p_type == PT_LOAD && here - (info->dlpi_addr + p->p_vaddr) < p->p_memsz) {
			*(struct object *)to = (struct object){info->dlpi_addr, info->dlpi_phdr, info->dlpi_phnum};
			return 1;
		}
	}
	return 0;
}

static struct object self(void) {
	struct object o = {0, NULL, 0};
	if (!dl_iterate_phdr(holds_us, &o))
		fail("dl_iterate_phdr does not know this file");
	return o;
}

#ifndef SAMPLE_IS_LIBRARY
extern ElfW(Dyn) _DYNAMIC[] __attribute__((weak, visibility("hidden")));

/* self_by_auxv takes the table from the auxiliary vector, and the bias from
   PT_PHDR or PT_DYNAMIC; a file with neither is not position independent. */
static struct object self_by_auxv(void) {
	struct object o = {0, (const ElfW(Phdr) *)getauxval(AT_PHDR), (int)getauxval(AT_PHNUM)};
	for (int i = 0; i < o.n; i++)
		if (o.phdr[i].p_type == PT_DYNAMIC && _DYNAMIC)
			o.bias = (ElfW(Addr))_DYNAMIC - o.phdr[i].p_vaddr;
	for (int i = 0; i < o.n; i++)
		if (o.phdr[i].p_type == PT_PHDR)
			o.bias = (ElfW(Addr))o.phdr - o.phdr[i].p_vaddr;
	return o;
}
#endif

#ifdef SAMPLE_DL_FIND_OBJECT
/* The unwinder of a gcc made for glibc asks for this function, which musl lacks.
   The structure is glibc's struct dl_find_object (dlfcn.h). */
struct found {
	unsigned long long flags;
	void *start, *end, *link_map, *eh_frame;
	unsigned long long reserved[7];
};
int _dl_find_object(void *pc, struct found *out);

static int holds_pc(struct dl_phdr_info *info, size_t size, void *to) {
	(void)size;
	struct found *f = to;
	const ElfW(Phdr) *eh = NULL;
	int hit = 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t at = info->dlpi_addr + p->p_vaddr;
		if (p->p_type == PT_GNU_EH_FRAME)
			eh = p;
		if (p->p_type != PT_LOAD)
			continue;
		if (!f->end || at + p->p_memsz > (uintptr_t)f->end)
			f->end = (void *)(at + p->p_memsz);
		hit |= (uintptr_t)f->start - at < p->p_memsz;
	}
	if (!hit || !eh) {
		f->end = NULL;
		return 0;
	}
	f->eh_frame = (void *)(info->dlpi_addr + eh->p_vaddr);
	return 1;
}

int _dl_find_object(void *pc, struct found *out) {
	struct found f = {.start = pc};
	if (!dl_iterate_phdr(holds_pc, &f))
		return -1;
	*out = f;
	return 0;
}
#endif

/* Unwinding finds its tables through dl_iterate_phdr and PT_GNU_EH_FRAME. */
#define FRAME __attribute__((noinline, noclone))
static int frames_seen;
FRAME static int outer(int);
FRAME static int middle(int);
FRAME static int inner(int);

static _Unwind_Reason_Code frame(struct _Unwind_Context *c, void *arg) {
	(void)arg;
	static int (*const want[])(int) = {inner, middle, outer};
	void *start = (void *)(_Unwind_GetRegionStart(c) & ~(uintptr_t)1);
	if (frames_seen < 3 && start == (void *)((uintptr_t)want[frames_seen] & ~(uintptr_t)1))
		frames_seen++;
	return _URC_NO_REASON;
}

static int inner(int n) {
	_Unwind_Backtrace(frame, NULL);
	__asm__ volatile("" ::: "memory");
	return n + frames_seen;
}
static int middle(int n) {
	int r = inner(n + 1);
	__asm__ volatile("" ::: "memory");
	return r + 1;
}
static int outer(int n) {
	int r = middle(n + 1);
	__asm__ volatile("" ::: "memory");
	return r + 1;
}

static void check_memory(void) {
	for (size_t i = 0; i < sizeof zeros; i++)
		if (zeros[i])
			fail(".bss is not zero");
	memset(zeros, 0xa5, sizeof zeros);
	char *small = malloc(100), *large = calloc(1, 3 << 20);
	if (!small || !large)
		fail("malloc");
	for (size_t i = 0; i < 3 << 20; i += 512)
		if (large[i])
			fail("calloc is not zero");
	memset(small, 1, 100);
	memset(large, 2, 3 << 20);
	free(large);
	free(small);
#ifdef __GLIBC__ /* musl's sbrk refuses to grow */
	char *brk = sbrk(0x3000);
	if (brk == (char *)-1)
		fail("sbrk");
	for (int i = 0; i < 0x3000; i++)
		if (brk[i])
			fail("brk memory is not zero");
	memset(brk, 3, 0x3000);
#endif
	printf("memory ok\n");
}

static void print_build_id(void) {
	struct object o = self();
	for (int i = 0; i < o.n; i++) {
		const ElfW(Phdr) *p = &o.phdr[i];
		if (p->p_type != PT_NOTE)
			continue;
		const char *at = (const char *)(o.bias + p->p_vaddr), *end = at + p->p_memsz;
		size_t align = p->p_align == 8 ? 8 : 4;
		while (at + 12 <= end) {
			const uint32_t *n = (const uint32_t *)at;
			const char *desc = at + ((12 + n[0] + align - 1) & -align);
			if (n[2] == NT_GNU_BUILD_ID && n[0] == 4 && !memcmp(at + 12, "GNU", 4)) {
				printf("build-id ");
				for (uint32_t k = 0; k < n[1]; k++)
					printf("%02x", (unsigned char)desc[k]);
				printf("\n");
				return;
			}
			at = desc + ((n[1] + align - 1) & -align);
		}
	}
	printf("build-id none\n");
}

static int selftest(int argc, char **argv) {
	printf("args %d:", argc - 1);
	for (int i = 1; i < argc; i++)
		printf(" %s", argv[i]);
	const char *env = getenv("SAMPLE_ENV");
	printf("\nenv %s\n", env ? env : "absent");
	tls_bss += 5;
	tls_data++;
	printf("tls %d %d\n", tls_data, tls_bss);
	printf("constructor %d\n", constructed);
	printf("data %s %s %d\n", relocated[(argc + 2) % 4], relocated[3], initialised);
	printf("printf %.3f %5s|%-5s|%x\n", 22.0 / 7, "ab", "cd", 0xbeef);
	check_memory();
	int sum = outer(1);
	printf("unwind %d frames, %d\n", frames_seen, sum);
	if (frames_seen != 3)
		fail("unwinding");
	print_build_id();
	printf("done\n");
	return 0;
}

static int headers(void) {
	struct object o = self();
	int loads = 0;
	for (int i = 0; i < o.n; i++) {
		const ElfW(Phdr) *p = &o.phdr[i];
		loads += p->p_type == PT_LOAD;
		printf("%#x vaddr %#llx filesz %#llx memsz %#llx flags %#x align %#llx\n", (unsigned)p->p_type,
			(unsigned long long)p->p_vaddr, (unsigned long long)p->p_filesz,
			(unsigned long long)p->p_memsz, (unsigned)p->p_flags, (unsigned long long)p->p_align);
	}
	printf("loads %d of %d\n", loads, o.n);
	return 0;
}

/* find prints the headers of a type: what is there, by what means it was found. */
static int find(const char *by, struct object o, uint32_t type) {
	int found = 0;
	for (int i = 0; i < o.n; i++) {
		const ElfW(Phdr) *p = &o.phdr[i];
		if (p->p_type != type)
			continue;
		const unsigned char *at = (const unsigned char *)(o.bias + p->p_vaddr);
		printf("%s vaddr %#llx size %llu checksum %08x\n", by, (unsigned long long)p->p_vaddr,
			(unsigned long long)p->p_memsz, checksum(at, p->p_memsz));
		found++;
	}
	if (!found)
		printf("%s not found\n", by);
	return found;
}

/* arena checks that a header's memory is zero, then uses all of it. */
static int arena(struct object o, uint32_t type) {
	for (int i = 0; i < o.n; i++) {
		const ElfW(Phdr) *p = &o.phdr[i];
		if (p->p_type != type)
			continue;
		unsigned char *at = (unsigned char *)(o.bias + p->p_vaddr);
		for (size_t k = 0; k < p->p_memsz; k++)
			if (at[k])
				fail("arena is not zero");
		for (size_t k = 0; k < p->p_memsz; k++)
			at[k] = (unsigned char)(k * 7);
		for (size_t k = 0; k < p->p_memsz; k++)
			if (at[k] != (unsigned char)(k * 7))
				fail("arena does not hold what is written");
		printf("arena size %llu ok\n", (unsigned long long)p->p_memsz);
		return 0;
	}
	printf("arena not found\n");
	return 1;
}

int SAMPLE_MAIN(int argc, char **argv) {
	const char *mode = argc > 1 ? argv[1] : "";
	uint32_t type = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : 0;
	if (!strcmp(mode, "headers"))
		return headers();
	if (!strcmp(mode, "find")) {
		int found = find("dl_iterate_phdr", self(), type);
#ifndef SAMPLE_IS_LIBRARY
		if (find("getauxval", self_by_auxv(), type) != found)
			fail("the two tables differ");
#endif
		return !found;
	}
	if (!strcmp(mode, "arena"))
		return arena(self(), type);
	if (!strcmp(mode, "exit"))
		return (int)type;
	if (!strcmp(mode, "crash"))
		abort();
	if (!strcmp(mode, "wait")) {
		printf("waiting\n");
		fflush(stdout);
		for (;;)
			pause();
	}
	return selftest(argc, argv);
}
