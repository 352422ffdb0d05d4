/* The sample without any library: raw system calls, its own entry, the program
   header table from the auxiliary vector on the stack. It needs no relocation,
   so it can be linked as static PIE where the C library has no rcrt1.o. */
#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>

typedef ElfW(Phdr) header;
typedef ElfW(auxv_t) auxiliary;

/* _start passes the stack pointer, as the kernel left it, to start. */
#if defined __x86_64__
enum { SYS_WRITE = 1, SYS_BRK = 12, SYS_EXIT = 60 };
__asm__(".globl _start\n_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call start\n");
static long syscall3(long n, long a, long b, long c) {
	long r;
	__asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return r;
}
#elif defined __i386__
enum { SYS_WRITE = 4, SYS_BRK = 45, SYS_EXIT = 1 };
__asm__(".globl _start\n_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov %esp, %eax\n"
	"	and $-16, %esp\n"
	"	sub $12, %esp\n"
	"	push %eax\n"
	"	call start\n");
static long syscall3(long n, long a, long b, long c) {
	long r;
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(n), "b"(a), "c"(b), "d"(c) : "memory");
	return r;
}
#elif defined __aarch64__
enum { SYS_WRITE = 64, SYS_BRK = 214, SYS_EXIT = 93 };
__asm__(".globl _start\n_start:\n"
	"	mov x29, #0\n"
	"	mov x0, sp\n"
	"	bl start\n");
static long syscall3(long n, long a, long b, long c) {
	register long x8 __asm__("x8") = n, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
}
#elif defined __arm__
enum { SYS_WRITE = 4, SYS_BRK = 45, SYS_EXIT = 1 };
__asm__(".globl _start\n.type _start, %function\n.arm\n_start:\n"
	"	mov r0, sp\n"
	"	bic sp, sp, #7\n"
	"	bl start\n");
static long syscall3(long n, long a, long b, long c) {
	register long r0 __asm__("r0") = a, r1 __asm__("r1") = b, r2 __asm__("r2") = c;
	/* r7 may be the frame pointer in Thumb code. */
	__asm__ volatile("push {r7}\n\tmov r7, %1\n\tsvc #0\n\tpop {r7}" : "+r"(r0) : "r"(n), "r"(r1), "r"(r2) : "memory");
	return r0;
}
/* libgcc's division calls it when the divisor is 0. */
int raise(int signal);
int raise(int signal) { return signal; }
#elif defined __riscv
enum { SYS_WRITE = 64, SYS_BRK = 214, SYS_EXIT = 93 };
__asm__(".globl _start\n_start:\n"
	"	.option push\n"
	"	.option norelax\n"
	"	lla gp, __global_pointer$\n"
	"	.option pop\n"
	"	mv a0, sp\n"
	"	andi sp, sp, -16\n"
	"	call start\n");
static long syscall3(long n, long a, long b, long c) {
	register long a7 __asm__("a7") = n, a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c;
	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2) : "memory");
	return a0;
}
#endif

__attribute__((noreturn)) static void quit(int status) {
	for (;;)
		syscall3(SYS_EXIT, status, 0, 0);
}

static size_t length(const char *s) {
	size_t n = 0;
	while (s[n])
		n++;
	return n;
}
static int same(const char *a, const char *b) {
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}
static void print(const char *s) { syscall3(SYS_WRITE, 1, (long)s, length(s)); }

static void number(uint64_t v, unsigned base, int width) {
	char buf[32];
	int i = sizeof buf;
	buf[--i] = 0;
	do
		buf[--i] = "0123456789abcdef"[v % base];
	while ((v /= base) || (int)sizeof buf - 1 - i < width);
	print(buf + i);
}

static uint64_t parse(const char *s) {
	unsigned base = 10;
	uint64_t v = 0;
	if (s[0] == '0' && s[1] == 'x')
		base = 16, s += 2;
	for (; *s; s++)
		v = v * base + (*s <= '9' ? *s - '0' : (*s | 32) - 'a' + 10);
	return v;
}

static int initialised = 7;
static char zeros[20000];

static header *table;
static uintptr_t count, bias;

#ifdef __PIE__
extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));
#endif

/* A static PIE has PT_DYNAMIC and often no PT_PHDR; others need no bias. */
static void locate(void) {
#ifdef __PIE__
	for (uintptr_t i = 0; i < count; i++)
		if (table[i].p_type == PT_DYNAMIC)
			bias = (uintptr_t)_DYNAMIC - table[i].p_vaddr;
#endif
	for (uintptr_t i = 0; i < count; i++)
		if (table[i].p_type == PT_PHDR)
			bias = (uintptr_t)table - table[i].p_vaddr;
}

static int find(uint32_t type) {
	int status = 1;
	for (uintptr_t i = 0; i < count; i++) {
		if (table[i].p_type != type)
			continue;
		const unsigned char *p = (const unsigned char *)(bias + table[i].p_vaddr);
		uint32_t h = 2166136261u;
		for (uintptr_t k = 0; k < table[i].p_memsz; k++)
			h = (h ^ p[k]) * 16777619u;
		print("getauxval vaddr 0x");
		number(table[i].p_vaddr, 16, 1);
		print(" size ");
		number(table[i].p_memsz, 10, 1);
		print(" checksum ");
		number(h, 16, 8);
		print("\n");
		status = 0;
	}
	if (status)
		print("getauxval not found\n");
	return status;
}

static int arena(uint32_t type) {
	for (uintptr_t i = 0; i < count; i++) {
		if (table[i].p_type != type)
			continue;
		unsigned char *p = (unsigned char *)(bias + table[i].p_vaddr);
		for (uintptr_t k = 0; k < table[i].p_memsz; k++)
			if (p[k]) {
				print("FAILED: arena is not zero\n");
				return 1;
			}
		for (uintptr_t k = 0; k < table[i].p_memsz; k++)
			p[k] = (unsigned char)(k * 7);
		print("arena size ");
		number(table[i].p_memsz, 10, 1);
		print(" ok\n");
		return 0;
	}
	print("arena not found\n");
	return 1;
}

static int selftest(long argc, char **argv, char **env) {
	print("args ");
	number(argc - 1, 10, 1);
	print(":");
	for (long i = 1; i < argc; i++)
		print(" "), print(argv[i]);
	print("\nenv ");
	const char *found = "absent";
	for (; *env; env++)
		if ((*env)[0] == 'S' && (*env)[1] == 'A' && (*env)[10] == '=')
			found = *env + 11;
	print(found);
	print("\ndata ");
	number(initialised, 10, 1);
	print("\n");
	for (size_t i = 0; i < sizeof zeros; i++)
		if (((volatile char *)zeros)[i]) {
			print("FAILED: .bss is not zero\n");
			return 1;
		}
	char *brk = (char *)syscall3(SYS_BRK, 0, 0, 0);
	if ((char *)syscall3(SYS_BRK, (long)brk + 0x3000, 0, 0) != brk + 0x3000) {
		print("FAILED: brk\n");
		return 1;
	}
	for (int i = 0; i < 0x3000; i++)
		brk[i] = (char)i;
	print("memory ok\ndone\n");
	return 0;
}

__attribute__((used)) void start(long *stack) {
	long argc = stack[0];
	char **argv = (char **)(stack + 1), **env = argv + argc + 1, **e = env;
	while (*e)
		e++;
	for (auxiliary *a = (auxiliary *)(e + 1); a->a_type; a++) {
		if (a->a_type == AT_PHDR)
			table = (header *)a->a_un.a_val;
		if (a->a_type == AT_PHNUM)
			count = a->a_un.a_val;
	}
	locate();
	const char *mode = argc > 1 ? argv[1] : "";
	uint32_t type = argc > 2 ? (uint32_t)parse(argv[2]) : 0;
	if (same(mode, "find"))
		quit(find(type));
	if (same(mode, "arena"))
		quit(arena(type));
	if (same(mode, "exit"))
		quit((int)type);
	quit(selftest(argc, argv, env));
}
