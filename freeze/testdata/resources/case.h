// What all cases have in common. A case sets one resource up, stops the process to
// be frozen, and looks at the resource again: in the process that goes on and in
// the thawed one.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <mqueue.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>


// CASE(name, how) {...} is a case. how is what the test does with it, words:
//	alone         the process is killed before the thaw: only one can have it
//	elsewhere     nothing: it needs surroundings that another test makes
//	ns, keep, new the numbers of processes that it asks for
//	warns: TEXT   the freezer warns with TEXT
//	says: TEXT    the thaw warns with TEXT on standard error
//	fd: N=WHAT    what becomes of a descriptor
//	refused: TEXT the freezer refuses with TEXT
// A word with TEXT is the last one.
struct test {
	const char *name, *how;
	void (*run)(void);
};
#define CASE(n, how) \
	static void case_##n(void); \
	static const struct test test_##n = {#n, how, case_##n}; \
	static const struct test *const at_##n __attribute__((section("cases"), used)) = &test_##n; \
	static void case_##n(void)
extern const struct test *const __start_cases[], *const __stop_cases[];

// CHECK is for what has to be as it was, SETUP for what has to work before, NEED
// for what not every kernel has.
#define CHECK(x) do { if (!(x)) { printf("%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #x, errno); fflush(stdout); _exit(1); } } while (0)
#define SETUP(x) do { if (!(x)) { printf("setup, %s:%d: %s (errno %d)\n", __FILE__, __LINE__, #x, errno); fflush(stdout); _exit(2); } } while (0)
#define NEED(x) do { if (!(x)) { printf("%s (errno %d)\n", #x, errno); fflush(stdout); _exit(77); } } while (0)

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

static int file(const char *name, const char *text)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	SETUP(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	return fd;
}

static volatile int got, value;
static void handler(int s, siginfo_t *i, void *u) { got = s; value = i->si_value.sival_int; (void)u; }
static void action(int s, int flags)
{
	struct sigaction a = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
	sigaction(s, &a, 0);
}
