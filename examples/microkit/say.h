/* What both programs of the demonstration print with. */
#ifndef SAY_H
#define SAY_H
#include "lib/microkit.h"

static __attribute__((unused)) void say_hex(const char *what, unsigned long n)
{
	int shift = 60;

	microkit_dbg_puts(what);
	microkit_dbg_puts("0x");
	while (shift > 0 && n >> shift == 0)
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		microkit_dbg_putc("0123456789abcdef"[n >> shift & 15]);
}

#endif
