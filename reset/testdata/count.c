// Counts in each kind of memory that a C program has, prints what it finds,
// changes all of it and starts itself again. Four lines are the same but for the
// last number, which is persistent.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

int data = 5, zero, *pointer = &data;
volatile int patched = 7;
static char text[9000] = "text", buffer[5000];
static const char *const table[] = {"first", "second"};
const char *const *row = table;
_Thread_local int thread = 11, threadZero;
__attribute__((section(".persistent"))) volatile int runs = 1;

static int made;
__attribute__((constructor)) static void construct(void) { made += 3; }

int main(int argc, char **argv)
{
	char *heap = malloc(100);
	strcpy(heap, "heap");
	setenv("ROUND", argc > 1 ? argv[1] : "-", 0);
	printf("%d %d %d %d %s %d %s %d %d %d %s %d %s %s|%d\n", data, zero, *pointer, patched, text, buffer[4999], *row,
	       thread, threadZero, made, heap, argc, argv[0] ? "named" : "", getenv("ROUND"), runs);
	fflush(stdout);
	data++, zero++, patched++, buffer[4999]++, thread++, threadZero++, row++;
	pointer = &zero;
	memset(text, 'x', sizeof text - 1);
	if (++runs < 5)
		((void (*)(void))getauxval(AT_ENTRY))();
	return 0;
}
