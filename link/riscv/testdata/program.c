/* A program that draws in much of the C library. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static __thread int counter = 3;
__thread long total;

static int by_length(const void *a, const void *b)
{
	return (int)strlen(*(char *const *)a) - (int)strlen(*(char *const *)b);
}

static void *work(void *arg)
{
	counter += *(int *)arg;
	total += counter;
	return memcpy(malloc(8), &total, sizeof total);
}

int main(int argc, char **argv)
{
	pthread_t t;
	void *res;
	char buf[64];
	time_t now = 86400;
	qsort(argv, argc, sizeof *argv, by_length);
	pthread_create(&t, 0, work, &argc);
	pthread_join(t, &res);
	strftime(buf, sizeof buf, "%Y-%m-%d", gmtime(&now));
	printf("%s %ld %.3f %s\n", buf, *(long *)res, sqrt(argc), strchr("a=b", '='));
	return total != 0;
}
