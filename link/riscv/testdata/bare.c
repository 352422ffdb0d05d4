/* A program for a machine without a system, with data near gp and calls near and far. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int numbers[100];
static int small = 5;
__thread int own[4] = {3};
extern int nowhere __attribute__((weak));
extern void nothing(void) __attribute__((weak));

static int by_value(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

int main(void)
{
	char *p = malloc(100);
	own[2] += small;
	for (int i = 0; i < 100; i++)
		numbers[i] = i * 7919 % 101;
	qsort(numbers, 100, sizeof *numbers, by_value);
	printf("%d %d %d %f %s\n", numbers[3], small, own[2], (double)small / 3, strchr("abc", 'b'));
	if (nothing)
		nothing();
	sprintf(p, "%x", numbers[50]);
	puts(p);
	return &nowhere != 0;
}
