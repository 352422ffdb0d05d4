// What AArch64 alone has, a case each, in the manner of resources.c. Those that
// compute are frozen after a time, since a system call would lose what they have.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define CHECK(x) do { if (!(x)) { printf("line %d: %s\n", __LINE__, #x); fflush(stdout); _exit(1); } } while (0)

static void stop(void) { kill(getpid(), SIGSTOP); }

static int smaps(void *at, const char *flag) // whether the mapping has a VmFlag
{
	FILE *f = fopen("/proc/self/smaps", "r");
	char line[4096];
	int in = 0, has = 0;
	while (fgets(line, sizeof line, f)) {
		unsigned long a, b;
		if (sscanf(line, "%lx-%lx ", &a, &b) == 2)
			in = (unsigned long)at >= a && (unsigned long)at < b;
		if (in && strncmp(line, "VmFlags:", 8) == 0)
			has = strstr(line, flag) != 0;
	}
	fclose(f);
	return has;
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void t_registers(void)
{
	uint64_t in[20], out[20];
	for (int i = 0; i < 20; i++)
		in[i] = (uint64_t)(i + 1) << (3 * i);
	register long x0 __asm__("x0") = getpid();
	register long x1 __asm__("x1") = SIGSTOP;
	register uint64_t *x2 __asm__("x2") = in, *x3 __asm__("x3") = out;
	__asm__ volatile(
		"ldp x4, x5, [x2]; ldp x6, x7, [x2, 16]; ldp x9, x10, [x2, 32]; ldp x11, x12, [x2, 48]; ldp x13, x14, [x2, 64]; ldp x15, x16, [x2, 80]\n"
		"ldp x17, x20, [x2, 96]; ldp x21, x22, [x2, 112]; ldp x23, x24, [x2, 128]; ldp x25, x26, [x2, 144]; cmp x4, x4; mov x8, 129; svc 0\n"
		"stp x4, x5, [x3]; stp x6, x7, [x3, 16]; stp x9, x10, [x3, 32]; stp x11, x12, [x3, 48]; stp x13, x14, [x3, 64]; stp x15, x16, [x3, 80]\n"
		"stp x17, x20, [x3, 96]; stp x21, x22, [x3, 112]; stp x23, x24, [x3, 128]; stp x25, x26, [x3, 144]; b.eq 1f; str xzr, [x3]; 1:"
		: "+r"(x0) : "r"(x1), "r"(x2), "r"(x3) : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x20", "x21",
		"x22", "x23", "x24", "x25", "x26", "cc", "memory");
	CHECK(memcmp(in, out, sizeof out) == 0);
}

static void t_simd(void)
{
	uint8_t in[64], out[64];
	uint64_t fpcr = 3 << 22, fpsr = 0x1f, got; // round to zero; all exceptions seen
	for (int i = 0; i < 64; i++)
		in[i] = i * 3 + 1;
	register long x0 __asm__("x0") = getpid();
	register long x1 __asm__("x1") = SIGSTOP;
	register void *x2 __asm__("x2") = in, *x3 __asm__("x3") = out;
	__asm__ volatile("ldp q0, q9, [x2]; ldp q17, q31, [x2, 32]; msr fpcr, %2; msr fpsr, %3; mov x8, 129; svc 0\n"
		"stp q0, q9, [x3]; stp q17, q31, [x3, 32]"
		: "+r"(x0) : "r"(x1), "r"(fpcr), "r"(fpsr), "r"(x2), "r"(x3) : "x8", "v0", "v9", "v17", "v31", "memory");
	CHECK(memcmp(in, out, 64) == 0);
	__asm__ volatile("mrs %0, fpcr" : "=r"(got));
	CHECK(got == fpcr);
	__asm__ volatile("mrs %0, fpsr" : "=r"(got));
	CHECK((got & 0x1f) == fpsr);
}

// spin keeps SVE's registers at work for some seconds, without a call.
__attribute__((noinline)) static void spin(uint8_t *in, uint8_t *out, long vl)
{
	uint64_t hz, began;
	__asm__ volatile("mrs %0, cntfrq_el0; isb; mrs %1, cntvct_el0" : "=r"(hz), "=r"(began));
	uint64_t end = began + 4 * hz;
	register uint8_t *x2 __asm__("x2") = in, *x3 __asm__("x3") = out;
	__asm__ volatile(".arch armv8.2-a+sve\n"
		"ldr z0, [x2]; ldr z13, [x2, 1, mul vl]; ldr z31, [x2, 2, mul vl]; ptrue p0.b; setffr; pfalse p1.b; wrffr p1.b; ptrue p5.h; ptrue p15.d\n"
		"1: isb; mrs x9, cntvct_el0; cmp x9, %0; b.lo 1b\n"
		"str z0, [x3]; str z13, [x3, 1, mul vl]; str z31, [x3, 2, mul vl]; add x3, x3, %1; add x3, x3, %1; add x3, x3, %1\n"
		"rdffr p2.b; str p0, [x3]; str p2, [x3, 1, mul vl]; str p5, [x3, 2, mul vl]; str p15, [x3, 3, mul vl]"
		: "+r"(end), "+r"(vl), "+r"(x3) : "r"(x2) : "x9", "v0", "v13", "v31", "cc", "memory");
}

static void *tells_of_spinning(void *arg)
{
	usleep(300000);
	puts("spins");
	fflush(stdout);
	return 0;
}

static void vectors(long vl)
{
	pthread_t other;
	static uint8_t in[3 * 256], out[4 * 256];
	CHECK(prctl(50 /* PR_SVE_SET_VL */, vl) == vl);
	for (int i = 0; i < 3 * vl; i++)
		in[i] = i * 5 + 3;
	CHECK(pthread_create(&other, 0, tells_of_spinning, 0) == 0);
	spin(in, out, vl);
	CHECK(memcmp(in, out, 3 * vl) == 0);
	CHECK(prctl(51 /* PR_SVE_GET_VL */) == vl);
	uint8_t *p = out + 3 * vl;
	for (int i = 0; i < vl / 8; i++) {
		CHECK(p[i] == 0xff && p[vl / 8 + i] == 0);
		CHECK(p[2 * (vl / 8) + i] == 0x55 && p[3 * (vl / 8) + i] == 1);
	}
}
static void t_sve(void) { vectors(32); }
static void t_sve_long(void) { vectors(256); }

// Pointer authentication.
static void *sign(void *p, uint64_t modifier)
{
	register void *x17 __asm__("x17") = p;
	register uint64_t x16 __asm__("x16") = modifier;
	__asm__ volatile("hint 8" : "+r"(x17) : "r"(x16)); // pacia1716
	return x17;
}
static uint64_t generic(uint64_t a, uint64_t b)
{
	uint64_t r;
	__asm__ volatile(".arch armv8.3-a\npacga %0, %1, %2" : "=r"(r) : "r"(a), "r"(b));
	return r;
}
static void *signs(void *p) { return sign(p, 77); }
static void t_signed_pointer(void)
{
	CHECK((getauxval(AT_HWCAP) & HWCAP_PACA) && (getauxval(AT_HWCAP) & HWCAP_PACG));
	void *p = sign(&sign, 12345), *q = sign(&sign, 77), *other;
	uint64_t g = generic(1, 2);
	CHECK(p != (void *)&sign);
	stop();
	CHECK(p == sign(&sign, 12345) && g == generic(1, 2));
	pthread_t t;
	CHECK(pthread_create(&t, 0, signs, &sign) == 0 && pthread_join(t, &other) == 0 && other == q);
}
static void t_keys_off(void)
{
	CHECK(prctl(60 /* PR_PAC_SET_ENABLED_KEYS */, 2, 0, 0, 0) == 0);
	stop();
	CHECK(prctl(61 /* PR_PAC_GET_ENABLED_KEYS */, 0, 0, 0, 0) == 0xd);
}
static void t_tagged_addresses(void)
{
	CHECK(prctl(55 /* PR_SET_TAGGED_ADDR_CTRL */, 1, 0, 0, 0) == 0);
	stop();
	CHECK((prctl(56 /* PR_GET_TAGGED_ADDR_CTRL */, 0, 0, 0, 0) & 1) == 1);
}

static void t_guarded(void)
{
	uint32_t *p = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	p[0] = 0xd503245f; // bti c
	p[1] = 0x52800540; // mov w0, 42
	p[2] = 0xd65f03c0; // ret
	CHECK(mprotect(p, 4096, PROT_READ | PROT_EXEC | 0x10 /* PROT_BTI */) == 0);
	CHECK(smaps(p, " bt"));
	stop();
	CHECK(smaps(p, " bt"));
	CHECK(((int (*)(void))p)() == 42);
}

// Handlers return to code in the vDSO.
static volatile int handled;
static void handler(int n)
{
	if (n == SIGUSR1)
		stop();
	handled += n;
}
static void t_within_handler(void)
{
	signal(SIGUSR1, handler);
	signal(SIGUSR2, handler);
	raise(SIGUSR1);
	CHECK(handled == SIGUSR1);
	raise(SIGUSR2);
	CHECK(handled == SIGUSR1 + SIGUSR2);
	CHECK(now() > 0);
}

static __thread int mine = 1;
static pthread_barrier_t both;
static void *thread(void *arg)
{
	mine = 2;
	pthread_barrier_wait(&both);
	pthread_barrier_wait(&both);
	return (void *)(long)mine;
}
static void t_thread_pointer(void)
{
	pthread_t t;
	void *r;
	pthread_barrier_init(&both, 0, 2);
	CHECK(pthread_create(&t, 0, thread, 0) == 0);
	pthread_barrier_wait(&both);
	mine = 3;
	stop();
	pthread_barrier_wait(&both);
	CHECK(pthread_join(t, &r) == 0 && r == (void *)2 && mine == 3);
}

// The process that goes on must not sleep longer for having been frozen. It is
// frozen when it has slept for a second.
static volatile double released;
static void *tells(void *arg)
{
	char name[64], text[256];
	snprintf(name, sizeof name, "/proc/self/task/%d/stat", getpid());
	for (int asleep = 0; asleep < 100; asleep++) {
		int fd = open(name, O_RDONLY);
		text[read(fd, text, sizeof text - 1)] = 0;
		close(fd);
		if (!strstr(text, ") S "))
			asleep = 0;
		usleep(10000);
	}
	puts("sleeps");
	fflush(stdout);
	double longest = 0, last = now(), here;
	for (;; last = here) { // the longest time in which it did not run is that in which it was frozen
		usleep(5000);
		here = now();
		if (here - last > longest)
			longest = here - last, released = here;
	}
	return 0;
}
static void t_sleeps(void)
{
	struct timespec t = {.tv_sec = 8};
	pthread_t other;
	CHECK(pthread_create(&other, 0, tells, 0) == 0);
	CHECK(nanosleep(&t, 0) == 0);
	puts(now() - released < 7.9 ? "in time" : "too long");
}

// A feature that no processor has.
static void t_feature(void)
{
	uint64_t auxv[100];
	FILE *f = fopen("/proc/self/auxv", "r");
	size_t n = fread(auxv, 1, sizeof auxv, f);
	fclose(f);
	for (size_t i = 0; i < n / 8; i += 2)
		if (auxv[i] == AT_HWCAP)
			auxv[i + 1] |= 1ull << 62;
	CHECK(prctl(PR_SET_MM, PR_SET_MM_AUXV, auxv, n, 0) == 0);
	stop();
}

#define T(n) {#n, t_##n}
static struct { const char *name; void (*run)(void); } tests[] = {
	T(registers), T(simd), T(sve), T(sve_long), T(signed_pointer), T(keys_off), T(tagged_addresses), T(guarded), T(within_handler), T(thread_pointer),
	T(sleeps), T(feature),
};

int main(int argc, char **argv)
{
	for (unsigned i = 0; i < sizeof tests / sizeof *tests; i++)
		if (argc > 1 && strcmp(argv[1], tests[i].name) == 0) {
			tests[i].run();
			printf("%s is as it was\n", argv[1]);
			return 3;
		}
	return 2;
}
