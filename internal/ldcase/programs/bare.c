/* A program without a library: what kernels and firmware need of a linker, and
   it tells by itself whether it got it. Every machine's own parts come first. */

#if defined(__x86_64__)
__asm__(".globl _start\n_start: xor %ebp, %ebp\n and $-16, %rsp\n call run\n");
static long call(long n, long a, long b, long c)
{
	long r;
	__asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return r;
}
enum { WRITE = 1, EXIT = 60 };
#elif defined(__i386__)
__asm__(".globl _start\n_start: xor %ebp, %ebp\n and $-16, %esp\n call run\n");
static long call(long n, long a, long b, long c)
{
	long r;
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(n), "b"(a), "c"(b), "d"(c) : "memory");
	return r;
}
enum { WRITE = 4, EXIT = 1 };
#elif defined(__aarch64__)
__asm__(".globl _start\n_start: mov x29, #0\n bl run\n");
static long call(long n, long a, long b, long c)
{
	register long x8 __asm__("x8") = n, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
}
enum { WRITE = 64, EXIT = 93 };
#elif defined(__arm__)
__asm__(".arm\n.globl _start\n.type _start, %function\n_start: mov fp, #0\n bl run\n"); /* to Thumb code, this is a BLX */
static long call(long n, long a, long b, long c)
{
	/* r7 is Thumb's frame pointer: it is put back. */
	register long r0 __asm__("r0") = a, r1 __asm__("r1") = b, r2 __asm__("r2") = c, r3 __asm__("r3") = n;
	__asm__ volatile("push {r7}\n mov r7, r3\n svc #0\n pop {r7}" : "+r"(r0) : "r"(r1), "r"(r2), "r"(r3) : "memory");
	return r0;
}
#ifdef __thumb__
__asm__(".thumb\n");
#endif
enum { WRITE = 4, EXIT = 1 };
#elif defined(__riscv)
__asm__(".globl _start\n_start: .option push\n .option norelax\n la gp, __global_pointer$\n .option pop\n call run\n");
static long call(long n, long a, long b, long c)
{
	register long a7 __asm__("a7") = n, a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c;
	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2) : "memory");
	return a0;
}
enum { WRITE = 64, EXIT = 93 };
#endif

#include "bare.h"

static void say(const char *s)
{
	long n = 0;
	while (s[n])
		n++;
	call(WRITE, 1, (long)s, n);
}

static void number(const char *what, unsigned long v)
{
	char text[24], *p = text + sizeof text;
	*--p = 0;
	*--p = '\n';
	do
		*--p = "0123456789abcdef"[v & 15];
	while (v >>= 4);
	say(what);
	say(" ");
	say(p);
}

/* Arrays of functions that the linker sorts and bounds. */
typedef void function(void);
extern function *__init_array_start[], *__init_array_end[];
static int order;
__attribute__((constructor(300))) static void second(void) { order = order * 16 + 2; }
__attribute__((constructor(200))) static void first(void) { order = order * 16 + 1; }
__attribute__((constructor)) static void last(void) { order = order * 16 + 3; }

/* A set of records, gathered from both files. */
extern const struct record __start_records[], __stop_records[];
RECORD(from_bare, 5);

/* --gc-sections must drop this: nobody defines what it calls. */
extern void nobody_defines_this(void);
void unused(void) { nobody_defines_this(); }

extern void nobody_has_it(void) __attribute__((weak));
int maybe(void) __attribute__((weak));
int maybe(void) { return 1; } /* part.c has a strong one */

int tentative;       /* in both files: a common symbol with -fcommon */
char zeros[100000];
static int aligned __attribute__((aligned(256))) = 9;
static const char *const names[] = {"zero", "one", "two"};

static int sort(int x)
{
	switch (x) { /* a table of jumps */
	case 0: return 11;
	case 1: return 7;
	case 2: return 5;
	case 3: return 3;
	case 4: return 2;
	case 5: return twice(x);
	case 6: return -1;
	}
	return 0;
}

void run(void)
{
	for (function **f = __init_array_start; f < __init_array_end; f++)
		(*f)();
	number("order", order);

	unsigned long sum = 0, count = 0;
	for (const struct record *r = __start_records; r < __stop_records; r++, count++)
		sum += r->value;
	number("records", count);
	number("sum", sum);

	number("weak", nobody_has_it ? 1 : 0);
	number("strong", maybe());
	tentative += 7;
	number("common", add_to_common());
	sum = 0;
	for (unsigned i = 0; i < sizeof zeros; i++)
		sum += zeros[i];
	number("zeros", sum);
	number("aligned", (unsigned long)&aligned % 256 + aligned);
	say(names[2]), say(" "), say(shared_text()), say(" "), say(table[1].name), say("\n");
	sum = 0;
	for (int i = 0; i < 8; i++)
		sum = sum * 3 + sort(i);
	number("switch", sum);
	number("pointer", table[1].call(20));
	number("data", part_data + part_pointer[0]);
	call(EXIT, 0, 0, 0);
	for (;;)
		;
}
