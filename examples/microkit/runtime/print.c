#include "runtime.h"

void say(const char *text)
{
	for (; *text; text++)
		put(*text);
}

void say_hex(word n)
{
	int shift = 60;

	while (shift > 0 && n >> shift == 0)
		shift -= 4;
	say("0x");
	for (; shift >= 0; shift -= 4)
		put("0123456789abcdef"[n >> shift & 15]);
}

void panic(const char *text, word n)
{
	say("runtime: ");
	say(text);
	say(": ");
	say_hex(n);
	say("\n");
	power_off();
}
