/* A program with a C library, linked statically. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <locale.h>
#include <time.h>

static char order[8];
__attribute__((constructor(101))) static void a(void) { strcat(order, "a"); }
__attribute__((constructor(102))) static void b(void) { strcat(order, "b"); }
__attribute__((constructor)) static void c(void) { strcat(order, "c"); }
__attribute__((destructor)) static void d(void) { printf("destructor\n"); }

static __thread int initialised = 42;
static __thread char zeroed[64];
__thread int global_tls __attribute__((aligned(64))) = 5;

static void *other(void *p)
{
	initialised++;
	zeroed[3] = 1;
	return (void *)(long)(initialised + zeroed[3] + global_tls + *(int *)p + (long)((unsigned long)&global_tls % 64));
}

static int compare(const void *x, const void *y) { return *(const int *)x - *(const int *)y; }

#ifdef IFUNC
static int fast(int x) { return x * 3; }
static int (*choose(void))(int) { return fast; }
int chosen(int) __attribute__((ifunc("choose")));
int (*chosen_pointer)(int) = chosen;
#endif

int main(int argc, char **argv)
{
	printf("order %s\n", order);
	pthread_t t;
	int base = 100;
	void *got;
	if (pthread_create(&t, 0, other, &base) || pthread_join(t, &got))
		return 1;
	printf("thread %ld, here %d %d\n", (long)got, initialised, zeroed[3]);

	int v[] = {5, 3, 9, 1, 7};
	qsort(v, 5, sizeof v[0], compare);
	printf("sorted %d %d %d %d %d\n", v[0], v[1], v[2], v[3], v[4]);
	char *text = malloc(1000);
	memset(text, 'x', 999), text[999] = 0;
	printf("length %zu, float %.3f, parsed %g\n", strlen(text), 3.14159, strtod("2.5e3", 0));
	printf("locale %s, year %d\n", setlocale(LC_ALL, "C"), 1900 + gmtime(&(time_t){86400 * 365})->tm_year);
	free(text);
#ifdef IFUNC
	printf("chosen %d %d\n", chosen(7), chosen_pointer(8));
#else
	printf("chosen 21 24\n");
#endif
	printf("arguments %d %s\n", argc, argc > 1 ? argv[1] : "none");
	return 0;
}
