// Sleeps, and says whether it was woken before its time.
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

int main(void)
{
	struct timespec t = {.tv_sec = 2, .tv_nsec = 500000000};
	double began = now();
	write(1, "sleeps\n", 7);
	int r = nanosleep(&t, 0);
	if (r != 0)
		puts("was woken");
	else
		puts(now() - began > 2.4 ? "has slept" : "has slept little");
	return 3;
}
