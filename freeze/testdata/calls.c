/* Stacks to be looked at: calls within calls, through the PLT, in a library whose
   file goes away, and in the handler of a signal on a stack of its own. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int outer(int (*fn)(int), int n); /* of the library */

static volatile int ready, depth;

__attribute__((noinline)) static int innermost(int n)
{
	ready++;
	pause();
	return n + depth;
}

__attribute__((noinline)) static int recursive(int n)
{
	char room[64 + n];
	memset(room, n, sizeof room);
	depth += room[n];
	return (n ? recursive(n - 1) : outer(innermost, n)) + 1;
}

static void handler(int n) { recursive(3); }

static void *thread(void *p) { return (void *)(long)recursive(5); }

static int order(const void *a, const void *b) { return recursive(2); }

static void *sorts(void *p)
{
	int v[2] = { 2, 1 };
	qsort(v, 2, sizeof v[0], order); /* through the C library */
	return 0;
}

int main(void)
{
	pthread_t a, b;
	stack_t stack = { .ss_sp = malloc(65536), .ss_size = 65536 };
	struct sigaction act = { .sa_handler = handler, .sa_flags = SA_ONSTACK };
	pthread_create(&a, 0, thread, 0);
	pthread_create(&b, 0, sorts, 0);
	while (ready < 2)
		usleep(1000);
	puts("ready");
	fflush(stdout);
	sigaltstack(&stack, 0);
	sigaction(SIGUSR1, &act, 0);
	raise(SIGUSR1);
	return 0;
}
