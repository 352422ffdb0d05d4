/* Numbers in blocks that are allocated, sorted and freed again, with a line for each
 * block: the heap, mmap, stdio and some sleeping. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int less(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
	return (x > y) - (x < y);
}

int main(void)
{
	unsigned state = 1, sum = 0;
	double real = 1;
	for (int block = 1; block <= 60; block++) {
		size_t n = 1000 + state % 60000;
		unsigned *v = malloc(n * sizeof *v);
		for (size_t i = 0; i < n; i++)
			v[i] = state = state * 1664525 + 1013904223;
		qsort(v, n, sizeof *v, less);
		for (size_t i = 0; i < n; i++)
			sum = sum * 31 + v[i];
		real = real * 1.0009765625 + v[n / 2] / 4294967296.0;
		free(v);
		printf("%d %u %.17g\n", block, sum, real);
		if (block % 4 == 0)
			fflush(stdout);
		usleep(2000);
	}
	return 3;
}
