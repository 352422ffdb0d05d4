/* The other file of bare.c. */
#include "bare.h"

RECORD(from_part, 7);
RECORD(from_part_too, 11);

int tentative;
long part_data = 0x1234;
long *const part_pointer = &part_data;

int twice(int x) { return x + x; }
static int thrice(int x) { return x + twice(x); }
int maybe(void) { return 2; }
int add_to_common(void) { return tentative += 1; }
const char *shared_text(void) { return "two"; } /* merged with that of bare.c */
const struct entry table[] = {{"twice", twice}, {"thrice", thrice}};

/* gcc may call these. */
void *memset(void *to, int c, unsigned long n)
{
	for (char *p = to; n--;)
		*p++ = c;
	return to;
}
void *memcpy(void *restrict to, const void *restrict from, unsigned long n)
{
	const char *q = from;
	for (char *p = to; n--;)
		*p++ = *q++;
	return to;
}
