// One resource a case: it is set up, the process stops itself, is frozen, and the
// resource is looked at again, by the process that goes on and by the thawed one.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define CHECK(x) do { if (!(x)) { printf("line %d: %s (errno %d)\n", __LINE__, #x, errno); fflush(stdout); _exit(1); } } while (0)
#define SETUP(x) do { if (!(x)) { printf("setup, line %d: %s (errno %d)\n", __LINE__, #x, errno); fflush(stdout); _exit(2); } } while (0)

static void stop(void) { kill(getpid(), SIGSTOP); }
static char page[4096];

static int smaps(void *at, const char *flag) // whether the mapping has a VmFlag
{
	FILE *f = fopen("/proc/self/smaps", "r");
	char line[4096];
	int in = 0, has = 0;
	while (fgets(line, sizeof line, f)) {
		unsigned long a, b;
		if (sscanf(line, "%lx-%lx ", &a, &b) == 2 && line[0] >= '0')
			in = (unsigned long)at >= a && (unsigned long)at < b;
		if (in && strncmp(line, "VmFlags:", 8) == 0)
			has = strstr(line, flag) != 0;
	}
	fclose(f);
	return has;
}

#ifdef __x86_64__ // of AArch64: aarch64.c
// Registers.
static void t_registers(void)
{
	uint64_t in[7] = {1, 2ull << 40, 3, 4, 5, 6, 7}, out[6];
	long pid = getpid();
	__asm__ volatile(
		"movq (%0), %%rbx; movq 8(%0), %%r12; movq 16(%0), %%r13; movq 24(%0), %%r14; movq 32(%0), %%r15; movq 40(%0), %%r8\n"
		"movl $62, %%eax; movq %2, %%rdi; movl $19, %%esi; syscall\n"
		"movq %%rbx, (%1); movq %%r12, 8(%1); movq %%r13, 16(%1); movq %%r14, 24(%1); movq %%r15, 32(%1); movq %%r8, 40(%1)"
		:: "d"(in), "r"(out), "r"(pid) : "rax", "rbx", "rcx", "rdi", "rsi", "r8", "r11", "r12", "r13", "r14", "r15", "memory");
	CHECK(memcmp(in, out, sizeof out) == 0);
}

static void t_x87(void)
{
	uint16_t cw = 0x0e7f, got; // round to zero, 64 bits
	long double pi = 0;
	long pid = getpid();
	__asm__ volatile("fldcw %1; fldpi; movl $62, %%eax; movq %3, %%rdi; movl $19, %%esi; syscall; fnstcw %0; fstpt %2"
		: "=m"(got) : "m"(cw), "m"(pi), "r"(pid) : "rax", "rcx", "rdi", "rsi", "r11", "memory");
	CHECK(got == cw);
	CHECK(pi > 3.14159265358979L && pi < 3.1415926535898L);
}

__attribute__((target("avx"))) static void vectors(void)
{
	uint8_t in[64], out[64];
	uint32_t csr = 0x1f80 | 0x6000, got;
	for (int i = 0; i < 64; i++)
		in[i] = i * 3 + 1;
	long pid = getpid();
	__asm__ volatile("ldmxcsr %3; vmovups (%0), %%ymm5; vmovups 32(%0), %%ymm15; movl $62, %%eax; movq %2, %%rdi; movl $19, %%esi; syscall\n"
		"vmovups %%ymm5, (%1); vmovups %%ymm15, 32(%1); stmxcsr %4"
		:: "d"(in), "r"(out), "r"(pid), "m"(csr), "m"(got) : "rax", "rcx", "rdi", "rsi", "r11", "xmm5", "xmm15", "memory");
	CHECK(memcmp(in, out, 64) == 0);
	CHECK((got & 0xffc0) == csr);
}
static void t_avx(void)
{
	if (__builtin_cpu_supports("avx"))
		vectors();
}
#endif

// Memory.
static void t_anonymous(void)
{
	char *p = mmap(0, 64 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 64; i += 7)
		p[(long)i << 20] = i + 1;
	stop();
	for (int i = 0; i < 64; i++)
		CHECK(p[(long)i << 20] == (i % 7 ? 0 : i + 1));
	CHECK(madvise(p, 64 << 20, MADV_DONTNEED) == 0 && p[7 << 20] == 0);
	char *q = mremap(p, 64 << 20, 80 << 20, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED && q[70 << 20] == 0);
}

static void t_protections(void)
{
	char *p = mmap(0, 5 * 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 'x', 5 * 4096);
	mprotect(p, 4096, PROT_NONE);
	mprotect(p + 2 * 4096, 4096, PROT_READ);
	stop();
	int fd[2];
	CHECK(pipe(fd) == 0);
	CHECK(write(fd[1], p, 1) < 0 && errno == EFAULT);
	CHECK(write(fd[1], p + 2 * 4096, 1) == 1 && read(fd[0], p + 2 * 4096, 1) < 0 && errno == EFAULT);
	CHECK(p[4096] == 'x' && p[4 * 4096] == 'x');
	CHECK(mprotect(p, 4096, 3) == 0 && p[5] == 'x');
}

static int file(const char *name, const char *text)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	SETUP(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	return fd;
}

static void t_private_file(void)
{
	int fd = file("private", "hello, file\n");
	char *p = mmap(0, 4096, 3, MAP_PRIVATE, fd, 0), *q = mmap(0, 4096, 1, MAP_PRIVATE, fd, 0);
	p[0] = 'J';
	stop();
	CHECK(strcmp(p, "Jello, file\n") == 0 && strcmp(q, "hello, file\n") == 0);
}

static void t_shared_file(void)
{
	int fd = file("shared", "0123456789");
	char *p = mmap(0, 4096, 3, MAP_SHARED, fd, 0);
	close(fd);
	stop();
	p[3] = 'x';
	char b[11] = "";
	fd = open("shared", O_RDONLY);
	CHECK(read(fd, b, 10) == 10 && b[3] == 'x' && b[4] == '4');
}

static void t_shared_anonymous(void)
{
	char *p = mmap(0, 3 * 4096, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	strcpy(p + 4096, "shared");
	char *q = mremap(p + 4096, 0, 4096, MREMAP_MAYMOVE); // a second mapping of it
	SETUP(q != MAP_FAILED && strcmp(q, "shared") == 0);
	stop();
	CHECK(strcmp(q, "shared") == 0);
	strcpy(p + 4096, "changed");
	CHECK(strcmp(q, "changed") == 0);
	if (fork() == 0) {
		strcpy(p, "child");
		_exit(0);
	}
	wait(0);
	CHECK(strcmp(p, "child") == 0);
}

static void t_memfd(void)
{
	int fd = memfd_create("mine", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	SETUP(ftruncate(fd, 8192) == 0 && pwrite(fd, "memfd", 5, 4096) == 5);
	char *p = mmap(0, 8192, 3, MAP_SHARED, fd, 0);
	SETUP(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) == 0 && lseek(fd, 4097, SEEK_SET) == 4097);
	stop();
	char b[5] = "";
	CHECK(memcmp(p + 4096, "memfd", 5) == 0 && read(fd, b, 4) == 4 && memcmp(b, "emfd", 4) == 0);
	CHECK(pwrite(fd, "M", 1, 4096) == 1 && p[4096] == 'M');
	CHECK(fcntl(fd, F_GET_SEALS) == (F_SEAL_GROW | F_SEAL_SHRINK) && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(ftruncate(fd, 4096) < 0);
}

static void t_brk(void)
{
	char *p = sbrk(10000);
	strcpy(p, "heap");
	void *end = sbrk(0);
	stop();
	CHECK(sbrk(0) == end && strcmp(p, "heap") == 0);
	char *q = sbrk(1 << 20);
	CHECK(q == end);
	memset(q, 1, 1 << 20);
	CHECK(sbrk(-(1 << 20)) != (void *)-1);
}

static int deep(int n)
{
	volatile char b[4096];
	b[0] = n;
	return n ? deep(n - 1) + b[0] : 0;
}
static void t_stack_grows(void)
{
	stop();
	CHECK(deep(1000) != 0);
	CHECK(smaps(page, "rd"));
}

static void t_madvise(void)
{
	char *p = mmap(0, 4 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 1, 4 << 20);
	SETUP(madvise(p, 4096, MADV_DONTFORK) == 0);
	SETUP(madvise(p + 8192, 4096, MADV_WIPEONFORK) == 0);
	SETUP(madvise(p + 16384, 4096, MADV_DONTDUMP) == 0);
	madvise(p + (2 << 20), 2 << 20, MADV_HUGEPAGE);
	int huge = smaps(p + (3 << 20), "hg");
	stop();
	CHECK(smaps(p, "dc") && smaps(p + 8192, "wf") && smaps(p + 16384, "dd") && !smaps(p + 4096, "dc") && smaps(p + (3 << 20), "hg") == huge);
	CHECK(p[0] == 1 && p[8192] == 1);
}

static void t_guard_pages(void)
{
	char *p = mmap(0, 4 * 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 1, 4 * 4096);
	int there = madvise(p + 4096, 4096, 102) == 0; // MADV_GUARD_INSTALL, Linux 6.13
	stop();
	int fd[2];
	CHECK(pipe(fd) == 0 && write(fd[1], p, 1) == 1);
	if (there)
		CHECK(write(fd[1], p + 4096, 1) < 0 && errno == EFAULT);
	CHECK(p[2 * 4096] == 1);
}

static void t_lock_memory(void)
{
	char *p = mmap(0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	SETUP(mlock(p, 4096) == 0);
	stop();
	CHECK(smaps(p, "lo"));
}

static void t_noreserve(void)
{
	char *p = mmap(0, 1ull << 36, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	SETUP(p != MAP_FAILED);
	p[1ull << 35] = 5;
	stop();
	CHECK(p[1ull << 35] == 5 && p[1ull << 34] == 0 && smaps(p, "nr"));
}

// Signals.
static volatile int got, value;
static void handler(int s, siginfo_t *i, void *u) { got = s; value = i->si_value.sival_int; (void)u; }
static void action(int s, int flags)
{
	struct sigaction a = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
	sigaction(s, &a, 0);
}

static void t_handler(void)
{
	action(SIGUSR1, SA_NODEFER);
	signal(SIGUSR2, SIG_IGN);
	stop();
	raise(SIGUSR1);
	CHECK(got == SIGUSR1);
	raise(SIGUSR2);
	struct sigaction a;
	sigaction(SIGUSR1, 0, &a);
	CHECK(a.sa_flags & SA_NODEFER);
	sigaction(SIGTERM, 0, &a);
	CHECK(a.sa_handler == SIG_DFL);
}

static void t_pending(void)
{
	sigset_t s, old;
	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	sigaddset(&s, SIGRTMIN);
	sigaddset(&s, SIGRTMIN + 1);
	sigprocmask(SIG_BLOCK, &s, &old);
	action(SIGUSR1, 0), action(SIGRTMIN, 0), action(SIGRTMIN + 1, 0);
	union sigval v = {.sival_int = 77};
	sigqueue(getpid(), SIGRTMIN, v);
	v.sival_int = 78;
	sigqueue(getpid(), SIGRTMIN, v);
	pthread_kill(pthread_self(), SIGUSR1);
	stop();
	sigset_t p;
	sigpending(&p);
	CHECK(sigismember(&p, SIGUSR1) == 1 && sigismember(&p, SIGRTMIN) == 1 && sigismember(&p, SIGRTMIN + 1) == 0);
	siginfo_t i;
	sigemptyset(&s);
	sigaddset(&s, SIGRTMIN);
	CHECK(sigwaitinfo(&s, &i) == SIGRTMIN && i.si_value.sival_int == 77 && sigwaitinfo(&s, &i) == SIGRTMIN && i.si_value.sival_int == 78);
	sigprocmask(SIG_SETMASK, &old, 0);
	CHECK(got == SIGUSR1);
}

static char altstack[1 << 16];
static volatile int on_it;
static void on_alt(int s)
{
	(void)s;
	char here;
	stop();
	on_it = &here > altstack && &here < altstack + sizeof altstack;
}
static void t_alternate_stack(void)
{
	stack_t s = {.ss_sp = altstack, .ss_size = sizeof altstack}, now;
	sigaltstack(&s, 0);
	struct sigaction a = {.sa_handler = on_alt, .sa_flags = SA_ONSTACK};
	sigaction(SIGUSR1, &a, 0);
	raise(SIGUSR1);
	CHECK(on_it);
	sigaltstack(0, &now);
	CHECK(now.ss_sp == altstack && now.ss_size == sizeof altstack && now.ss_flags == 0);
}

static void t_sigchld_flags(void)
{
	struct sigaction a = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT}, b;
	sigaction(SIGCHLD, &a, 0);
	stop();
	sigaction(SIGCHLD, 0, &b);
	CHECK(b.sa_flags & SA_NOCLDWAIT);
}

// Time.
static void t_itimer(void)
{
	action(SIGALRM, 0);
	struct itimerval v = {.it_value.tv_usec = 200000, .it_interval.tv_sec = 100}, now;
	setitimer(ITIMER_REAL, &v, 0);
	stop();
	while (!got)
		usleep(1000);
	getitimer(ITIMER_REAL, &now);
	CHECK(now.it_interval.tv_sec == 100);
}

static void t_posix_timer(void)
{
	timer_t a, b, c;
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 4711};
	SETUP(timer_create(CLOCK_REALTIME, &e, &a) == 0);
	SETUP(timer_create(CLOCK_MONOTONIC, &e, &b) == 0);
	struct sigevent none = {.sigev_notify = SIGEV_NONE};
	SETUP(timer_create(CLOCK_MONOTONIC, &none, &c) == 0);
	timer_delete(a);
	action(SIGUSR1, 0);
	struct itimerspec v = {.it_value.tv_nsec = 200000000}, w = {.it_value.tv_sec = 1000}, now;
	timer_settime(b, 0, &v, 0);
	timer_settime(c, 0, &w, 0);
	stop();
	CHECK(timer_gettime(a, &now) < 0);
	CHECK(timer_gettime(c, &now) == 0 && now.it_value.tv_sec > 900);
	while (!got)
		usleep(1000);
	CHECK(value == 4711);
}

static void t_sleep(void)
{
	struct timespec a, b, d = {0, 300000000};
	clock_gettime(CLOCK_MONOTONIC, &a);
	stop();
	CHECK(nanosleep(&d, 0) == 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	CHECK(b.tv_sec >= a.tv_sec && time(0) > 1000000000 && sched_getcpu() >= 0);
}

static void t_timerfd(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), e = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec v = {.it_value.tv_nsec = 1, .it_interval.tv_sec = 1000}, w = {.it_value.tv_nsec = 100000000}, now;
	timerfd_settime(fd, 0, &v, 0);
	timerfd_settime(e, 0, &w, 0);
	usleep(1000);
	stop();
	uint64_t n = 0;
	CHECK(read(fd, &n, 8) == 8 && n == 1);
	CHECK(read(fd, &n, 8) < 0 && errno == EAGAIN);
	CHECK(timerfd_gettime(fd, &now) == 0 && now.it_interval.tv_sec == 1000 && now.it_value.tv_sec > 900);
	CHECK(read(e, &n, 8) == 8 && n == 1);
}

// Descriptors.
static void t_file_position(void)
{
	int fd = file("position", "0123456789");
	lseek(fd, 4, SEEK_SET);
	int d = dup(fd), other = open("position", O_RDONLY), app = open("position", O_WRONLY | O_APPEND);
	fcntl(d, F_SETFD, FD_CLOEXEC);
	stop();
	char c;
	CHECK(read(fd, &c, 1) == 1 && c == '4' && read(d, &c, 1) == 1 && c == '5' && read(other, &c, 1) == 1 && c == '0');
	CHECK(fcntl(fd, F_GETFD) == 0 && fcntl(d, F_GETFD) == FD_CLOEXEC);
	CHECK((fcntl(app, F_GETFL) & O_APPEND) && (fcntl(other, F_GETFL) & O_ACCMODE) == O_RDONLY);
	CHECK(lseek(fd, 0, SEEK_END) >= 10);
}

static void t_deleted_file(void)
{
	int fd = file("deleted", "still here");
	unlink("deleted");
	lseek(fd, 6, SEEK_SET);
	int d = dup(fd);
	stop();
	char b[5] = "";
	CHECK(read(fd, b, 2) == 2 && read(d, b + 2, 2) == 2 && strcmp(b, "here") == 0);
	CHECK(pwrite(fd, "S", 1, 0) == 1);
}

static void t_directory(void)
{
	mkdir("dir", 0700);
	int fd = open("dir", O_RDONLY | O_DIRECTORY), p = open("dir", O_PATH);
	stop();
	int f = openat(fd, "in", O_CREAT | O_RDWR, 0600);
	CHECK(f >= 0 && faccessat(p, "in", F_OK, 0) == 0);
}

static void t_devices(void)
{
	int n = open("/dev/null", O_WRONLY), z = open("/dev/zero", O_RDONLY), u = open("/dev/urandom", O_RDONLY);
	stop();
	char b[4] = "xyz";
	CHECK(write(n, b, 3) == 3 && read(z, b, 3) == 3 && b[1] == 0 && read(u, b, 3) == 3);
}

static void t_pipe(void)
{
	int fd[2];
	SETUP(pipe2(fd, O_CLOEXEC) == 0 && write(fd[1], "in the pipe", 11) == 11);
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	fcntl(fd[1], F_SETPIPE_SZ, 1 << 18);
	stop();
	char b[20] = "";
	CHECK(read(fd[0], b, 20) == 11 && strcmp(b, "in the pipe") == 0);
	CHECK(read(fd[0], b, 1) < 0 && errno == EAGAIN);
	CHECK(fcntl(fd[1], F_GETPIPE_SZ) == 1 << 18 && !(fcntl(fd[1], F_GETFL) & O_NONBLOCK) && fcntl(fd[0], F_GETFD) == FD_CLOEXEC);
	close(fd[1]);
	CHECK(read(fd[0], b, 1) == 0);
}

static void t_fifo(void)
{
	mkfifo("fifo", 0600);
	int fd = open("fifo", O_RDWR);
	stop();
	char c;
	CHECK(write(fd, "f", 1) == 1 && read(fd, &c, 1) == 1 && c == 'f' && !(fcntl(fd, F_GETFL) & O_NONBLOCK));
}

static void t_eventfd(void)
{
	int fd = eventfd(5, EFD_NONBLOCK), s = eventfd(3, EFD_SEMAPHORE);
	stop();
	uint64_t n;
	CHECK(read(fd, &n, 8) == 8 && n == 5 && read(fd, &n, 8) < 0 && errno == EAGAIN);
	CHECK(read(s, &n, 8) == 8 && n == 1);
}

static void t_epoll(void)
{
	int e = epoll_create1(EPOLL_CLOEXEC), fd = eventfd(0, 0), g = eventfd(1, 0);
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = 0x123456789abc}, ev2 = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = 99}, out[4];
	epoll_ctl(e, EPOLL_CTL_ADD, fd, &ev);
	epoll_ctl(e, EPOLL_CTL_ADD, g, &ev2);
	stop();
	CHECK(epoll_wait(e, out, 4, 0) == 1 && out[0].data.u64 == 99 && epoll_wait(e, out, 4, 0) == 0);
	CHECK(eventfd_write(fd, 1) == 0 && epoll_wait(e, out, 4, 1000) == 1 && out[0].data.u64 == 0x123456789abc);
}

static void t_signalfd(void)
{
	sigset_t s;
	sigemptyset(&s);
	sigaddset(&s, SIGUSR2);
	sigprocmask(SIG_BLOCK, &s, 0);
	int fd = signalfd(-1, &s, SFD_NONBLOCK);
	raise(SIGUSR2);
	stop();
	struct signalfd_siginfo i;
	CHECK(read(fd, &i, sizeof i) == sizeof i && i.ssi_signo == SIGUSR2);
}

static void t_inotify(void)
{
	int fd = inotify_init1(IN_NONBLOCK);
	stop();
	CHECK(inotify_add_watch(fd, ".", IN_CREATE) > 0);
	close(open("watched", O_CREAT | O_RDWR | O_TRUNC, 0600));
	unlink("watched");
	char b[4096];
	close(open("watched", O_CREAT | O_RDWR, 0600));
	CHECK(read(fd, b, sizeof b) > 0);
}

static void t_pidfd(void)
{
	int fd = syscall(SYS_pidfd_open, getpid(), 0);
	signal(SIGUSR1, SIG_IGN);
	stop();
	CHECK(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, 0, 0) == 0);
}

static void t_socketpair(void)
{
	int s[2], d[2], on = 1;
	SETUP(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s) == 0 && socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, d) == 0);
	setsockopt(s[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
	stop();
	char b[4];
	CHECK(read(s[0], b, 1) < 0 && errno == EAGAIN);
	CHECK(write(s[1], "ab", 2) == 2 && read(s[0], b, 4) == 2 && b[1] == 'b');
	CHECK(write(d[0], "x", 1) == 1 && read(d[1], b, 4) == 1 && fcntl(d[1], F_GETFD) == FD_CLOEXEC);
	socklen_t n = sizeof on;
	on = 0;
	CHECK(getsockopt(s[0], SOL_SOCKET, SO_PASSCRED, &on, &n) == 0 && on);
}

static void t_tcp_listen(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, b;
	socklen_t n = sizeof a;
	SETUP(bind(fd, (void *)&a, sizeof a) == 0 && listen(fd, 17) == 0 && getsockname(fd, (void *)&a, &n) == 0);
	stop();
	n = sizeof b;
	CHECK(getsockname(fd, (void *)&b, &n) == 0 && b.sin_port == a.sin_port);
	int c = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(c, (void *)&a, sizeof a) == 0);
	int d = accept(fd, 0, 0);
	CHECK(d >= 0 && write(c, "x", 1) == 1 && read(d, &on, 1) == 1);
	CHECK(accept(fd, 0, 0) < 0 && errno == EAGAIN);
}

static void t_udp(void)
{
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	socklen_t n = sizeof a;
	SETUP(bind(fd, (void *)&a, sizeof a) == 0 && getsockname(fd, (void *)&a, &n) == 0);
	stop();
	char c;
	CHECK(sendto(fd, "u", 1, 0, (void *)&a, sizeof a) == 1 && read(fd, &c, 1) == 1 && c == 'u');
}

static void t_unix_listen(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), fresh = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path + 1, 50, "elfwright-freeze-%d", getpid());
	SETUP(bind(fd, (void *)&a, 2 + 1 + strlen(a.sun_path + 1)) == 0 && listen(fd, 5) == 0);
	stop();
	int c = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(connect(c, (void *)&a, 2 + 1 + strlen(a.sun_path + 1)) == 0 && accept(fd, 0, 0) >= 0);
	CHECK(connect(fresh, (void *)&a, sizeof a) < 0);
}

static void t_flock(void)
{
	int fd = file("locked", "x");
	SETUP(flock(fd, LOCK_EX) == 0);
	stop();
	int d = open("locked", O_RDWR);
	CHECK(flock(d, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK);
}

// Attributes.
static void t_directory_and_umask(void)
{
	mkdir("below", 0700);
	SETUP(chdir("below") == 0);
	umask(0027);
	char a[4096], b[4096];
	SETUP(getcwd(a, sizeof a));
	stop();
	CHECK(getcwd(b, sizeof b) && strcmp(a, b) == 0 && umask(0) == 0027);
}

static void t_limits(void)
{
	struct rlimit a = {123, 1000}, b = {1 << 20, 2 << 20}, c;
	SETUP(setrlimit(RLIMIT_NOFILE, &a) == 0 && setrlimit(RLIMIT_MEMLOCK, &b) == 0);
	stop();
	getrlimit(RLIMIT_NOFILE, &c);
	CHECK(c.rlim_cur == 123 && c.rlim_max == 1000);
	getrlimit(RLIMIT_MEMLOCK, &c);
	CHECK(c.rlim_cur == 1 << 20 && c.rlim_max == 2 << 20);
}

static void t_scheduling(void)
{
	SETUP(setpriority(PRIO_PROCESS, 0, 7) == 0);
	struct sched_param p = {0};
	SETUP(sched_setscheduler(0, SCHED_BATCH, &p) == 0);
	cpu_set_t s, t;
	CPU_ZERO(&s);
	CPU_SET(sched_getcpu(), &s);
	SETUP(sched_setaffinity(0, sizeof s, &s) == 0);
	stop();
	CHECK(getpriority(PRIO_PROCESS, 0) == 7 && sched_getscheduler(0) == SCHED_BATCH);
	CPU_ZERO(&t);
	CHECK(sched_getaffinity(0, sizeof t, &t) == 0 && CPU_EQUAL(&s, &t));
}

static void t_prctl(void)
{
	SETUP(prctl(PR_SET_NAME, "an odd name") == 0 && prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 && prctl(PR_SET_TIMERSLACK, 12345) == 0);
	SETUP(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0);
	stop();
	char b[16];
	int n;
	prctl(PR_GET_NAME, b);
	CHECK(strcmp(b, "an odd name") == 0);
	CHECK(prctl(PR_GET_CHILD_SUBREAPER, &n) == 0 && n == 1 && prctl(PR_GET_TIMERSLACK) == 12345);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1);
}

static void t_personality(void)
{
	SETUP(personality(personality(0xffffffff) | ADDR_NO_RANDOMIZE) >= 0);
	stop();
	CHECK(personality(0xffffffff) & ADDR_NO_RANDOMIZE);
}

static void t_bounds(void)
{
	stop();
	char b[4096];
	int fd = open("/proc/self/cmdline", O_RDONLY), n = read(fd, b, sizeof b);
	CHECK(n > 0 && strcmp(b + strlen(b) + 1, "bounds") == 0);
	FILE *f = fopen("/proc/self/maps", "r");
	int stack = 0, heap = 0;
	while (fgets(b, sizeof b, f)) {
		stack |= strstr(b, "[stack]") != 0;
		heap |= strstr(b, "[heap]") != 0;
	}
	CHECK(stack && heap);
}

// Threads.
static __thread int own;
static pthread_barrier_t barrier;
static pthread_t tids[4];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, recursive;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int go;
static volatile int hits;
static void hit(int s) { (void)s; __sync_fetch_and_add(&hits, 1); }
static void *body(void *p)
{
	own = (int)(long)p;
	char name[16], now[16];
	snprintf(name, sizeof name, "thread %d", own);
	pthread_setname_np(pthread_self(), name);
	sigset_t s, t;
	sigemptyset(&s);
	sigaddset(&s, SIGRTMIN + own);
	pthread_sigmask(SIG_BLOCK, &s, 0);
	pthread_barrier_wait(&barrier);
	pthread_mutex_lock(&mutex);
	while (!go)
		pthread_cond_wait(&cond, &mutex);
	pthread_mutex_unlock(&mutex);
	CHECK(own == (int)(long)p);
	prctl(PR_GET_NAME, now);
	CHECK(strcmp(name, now) == 0);
	pthread_sigmask(SIG_BLOCK, 0, &t);
	CHECK(sigismember(&t, SIGRTMIN + own) && !sigismember(&t, SIGRTMIN + own + 1));
	while (hits < 4)
		usleep(100);
	return p;
}
static void t_threads(void)
{
	signal(SIGUSR1, hit);
	pthread_barrier_init(&barrier, 0, 5);
	pthread_mutexattr_t a;
	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&recursive, &a);
	pthread_mutex_lock(&recursive);
	for (long i = 0; i < 4; i++)
		SETUP(pthread_create(&tids[i], 0, body, (void *)i) == 0);
	pthread_barrier_wait(&barrier);
	usleep(20000);
	stop();
	CHECK(pthread_mutex_lock(&recursive) == 0); // by the number of the thread that has it
	pthread_mutex_lock(&mutex);
	go = 1;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_kill(tids[i], SIGUSR1) == 0);
	for (long i = 0; i < 4; i++) {
		void *r;
		CHECK(pthread_join(tids[i], &r) == 0 && r == (void *)i);
	}
}

static int blocked[2];
static void *reader(void *p)
{
	char c;
	return read(blocked[0], &c, 1) == 1 ? p : 0;
}
static void t_blocked_read(void)
{
	pthread_t t;
	SETUP(pipe(blocked) == 0 && pthread_create(&t, 0, reader, (void *)5) == 0);
	usleep(20000);
	stop();
	void *r;
	usleep(10000);
	CHECK(write(blocked[1], "x", 1) == 1 && pthread_join(t, &r) == 0 && r == (void *)5);
}

static void t_pid(void)
{
	int pid = getpid(), tid = syscall(SYS_gettid);
	stop();
	CHECK(getpid() == pid && (int)syscall(SYS_gettid) == tid);
	int c = fork();
	if (c == 0)
		_exit(getppid() == pid ? 9 : 8);
	int s;
	CHECK(waitpid(c, &s, 0) == c && WEXITSTATUS(s) == 9);
}

// What is refused.
static void t_child(void)
{
	if (fork() == 0) {
		close(1), close(2);
		alarm(5); // which ends it
		pause();
	}
	stop();
}
static void t_seccomp(void)
{
	struct sock_filter f = {.code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW};
	struct sock_fprog p = {.len = 1, .filter = &f};
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	SETUP(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) == 0);
	stop();
}
static void t_sysv_memory(void)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	SETUP(id >= 0 && shmat(id, 0, 0) != (void *)-1);
	shmctl(id, IPC_RMID, 0);
	stop();
}
static void t_outer_pipe(void)
{
	int fd[2];
	SETUP(pipe(fd) == 0);
	close(fd[0]);
	stop();
}
static void t_connected(void)
{
	int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof a;
	SETUP(bind(l, (void *)&a, sizeof a) == 0 && listen(l, 5) == 0 && getsockname(l, (void *)&a, &n) == 0 && connect(c, (void *)&a, n) == 0);
	stop();
}
static void t_deleted_directory(void)
{
	mkdir("gone", 0700);
	SETUP(chdir("gone") == 0 && rmdir("../gone") == 0);
	stop();
}
static void t_posix_lock(void)
{
	int fd = file("record", "x");
	struct flock l = {.l_type = F_WRLCK};
	SETUP(fcntl(fd, F_SETLK, &l) == 0);
	stop();
}
static void t_watches(void)
{
	int fd = inotify_init();
	SETUP(inotify_add_watch(fd, ".", IN_CREATE) > 0);
	stop();
}

#define T(n) {#n, t_##n}
static struct { const char *name; void (*run)(void); } tests[] = {
#ifdef __x86_64__
	T(registers), T(x87), T(avx),
#endif
	T(anonymous), T(protections), T(private_file), T(shared_file), T(shared_anonymous), T(memfd), T(brk), T(stack_grows),
	T(madvise), T(guard_pages), T(lock_memory), T(noreserve), T(handler), T(pending), T(alternate_stack), T(sigchld_flags), T(itimer), T(posix_timer),
	T(sleep), T(timerfd), T(file_position), T(deleted_file), T(directory), T(devices), T(pipe), T(fifo), T(eventfd), T(epoll), T(signalfd), T(inotify),
	T(pidfd), T(socketpair), T(tcp_listen), T(udp), T(unix_listen), T(flock), T(directory_and_umask), T(limits), T(scheduling), T(prctl), T(personality),
	T(bounds), T(threads), T(blocked_read), T(pid),
	T(child), T(seccomp), T(sysv_memory), T(outer_pipe), T(connected), T(deleted_directory), T(posix_lock), T(watches),
};

int main(int argc, char **argv)
{
	for (unsigned i = 0; i < sizeof tests / sizeof *tests; i++) {
		if (argc < 2)
			puts(tests[i].name);
		else if (strcmp(argv[1], tests[i].name) == 0) {
			free(malloc(10)); // a heap
			tests[i].run();
			printf("%s is as it was\n", argv[1]);
			return 3;
		}
	}
	return argc >= 2;
}
