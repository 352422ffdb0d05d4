/* A program to be stopped in its middle: one thread sleeps and counts, one never
   stops computing, one waits for a lock. What each has is looked at in the end. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIZE = 1 << 20 };
static __thread int mine = 1;
static volatile int stop;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char text[] = "what was written before";

static double half(int n) { return n * 0.5; }

static void *computes(void *p)
{
	static const unsigned char want[32] = "thirty-two bytes of one register";
	unsigned char got[32];
	unsigned x = 1, rounds = 0;
	double d = 1.5;
	int avx = __builtin_cpu_supports("avx");
	mine = 7;
	if (avx)
		__asm__ volatile("vmovdqu (%0), %%ymm15" ::"r"(want));
	while (!stop) {
		x = x * 1664525 + 1013904223;
		d = d > 1e6 ? 1.5 : d * 1.0000001;
		rounds++;
	}
	if (avx)
		__asm__ volatile("vmovdqu %%ymm15, (%0)" ::"r"(got) : "memory");
	return (void *)(long)(mine == 7 && rounds > 0 && d >= 1.5 && (!avx || memcmp(got, want, sizeof got) == 0));
}

static void *waits(void *p)
{
	mine = 9;
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	return (void *)(long)(mine == 9);
}

int main(void)
{
	pthread_t a, b;
	void *ra, *rb;
	double sum = 0;
	char *heap = malloc(SIZE), *small = strdup(text);
	memset(heap, 0x5a, SIZE);
	pthread_mutex_lock(&lock);
	pthread_create(&a, 0, computes, 0);
	pthread_create(&b, 0, waits, 0);
	for (int i = 0; i < 10; i++) {
		sum += half(i);
		if (i == 2) {
			puts("ready");
			fflush(stdout);
		}
		usleep(40000);
	}
	stop = 1;
	pthread_mutex_unlock(&lock);
	pthread_join(a, &ra);
	pthread_join(b, &rb);
	for (int i = 0; i < SIZE; i++)
		if (heap[i] != 0x5a)
			return 1;
	for (int i = 0; i < 2000; i++)
		memset(malloc(i), i, i);
	printf("sum %.1f, threads %ld %ld, %s\n", sum, (long)ra, (long)rb, small);
	return mine == 1 ? 3 : 2;
}
