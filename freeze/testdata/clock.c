/* clock FILE [ignore]: until there is FILE, asks for the time without a break, each time into
 * another page that nobody has touched; what was answered before must be there. What it does on SIGTRAP, which is
 * blocked or ignored, stays, too. */
#define _DEFAULT_SOURCE
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { pages = 20000, perPage = 4096 / sizeof(struct timespec) };

static void trapped(int s)
{
	(void)s;
	write(1, "trapped\n", 8);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	void (*action)(int) = argc > 2 ? SIG_IGN : trapped;
	sigset_t trap;
	sigemptyset(&trap);
	sigaddset(&trap, SIGTRAP);
	signal(SIGTRAP, action);
	if (argc == 2)
		sigprocmask(SIG_BLOCK, &trap, 0);
	puts("ready");
	fflush(stdout);
	while (access(argv[1], F_OK) != 0) {
		struct timespec *t = mmap(0, (size_t)pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		for (int i = 0; i < pages; i++) {
			clock_gettime(CLOCK_REALTIME, &t[i * perPage]);
			for (int k = 0; k < 20; k++)
				clock_gettime(CLOCK_REALTIME, &t[i * perPage + 1]);
			for (int k = i > 3 ? i - 3 : 0; k <= i; k++)
				if (t[k * perPage].tv_sec == 0 || t[k * perPage + 1].tv_sec == 0) {
					printf("page %d of %d: the answer is gone\n", k, i);
					return 9;
				}
		}
		munmap(t, (size_t)pages * 4096);
	}
	if (signal(SIGTRAP, SIG_DFL) != action) {
		puts("another action of SIGTRAP");
		return 8;
	}
	puts("all as it was");
	return 3;
}
