/*
 * A kernel that is linked for the high half of the address space and says where
 * it runs. All of it is reached by absolute addresses that only the MMU makes
 * true: the functions, the strings, and the table of both in .data.
 */
#include "highhalf.h"

static void text(const char *s)
{
	while (*s)
		put(*s++);
}

static const char digits[] = "0123456789abcdef";

static void number(uintptr_t n)
{
	text("0x");
	for (int shift = 8 * sizeof n - 4; shift >= 0; shift -= 4)
		put(digits[n >> shift & 15]);
}

static void line(const char *name, uintptr_t n)
{
	text(name);
	put(' ');
	number(n);
	put('\n');
}

void kernel_main(void);

int counter = 41;		/* .data: its value comes with the image */
static int nothing[3000];	/* .bss: its zeros come from the stub */

static int bss_is_zero(void)
{
	int sum = 0;

	for (unsigned i = 0; i < sizeof nothing / sizeof *nothing; i++)
		sum |= ((volatile int *)nothing)[i];
	return sum == 0;
}

static int stack_is_ours(void)
{
	char here;
	uintptr_t p = (uintptr_t)&here;

	return p >= (uintptr_t)stack_bottom && p < (uintptr_t)stack_top;
}

static int counts(void) { return ++counter == 42; }

/* What the linker knows, in data that can be written; some of it are counts. */
struct fact {
	const char *name;
	uintptr_t value;
} facts[] = {
	{ "kernel_main", (uintptr_t)kernel_main },
	{ "counter", (uintptr_t)&counter },
	{ "stack_top", (uintptr_t)stack_top },
	{ "_kernel_pages", (uintptr_t)_kernel_pages },
	{ "_kernel_readonly_pages", (uintptr_t)_kernel_readonly_pages },
	{ "_kernel_readwrite_pages", (uintptr_t)_kernel_readwrite_pages },
};

struct check {
	const char *name;
	int (*holds)(void);
} checks[] = {
	{ "bss", bss_is_zero },
	{ "stack", stack_is_ours },
	{ "data", counts },
};

void kernel_main(void)
{
	int good = 1;

	forget_low();
	for (unsigned i = 0; i < sizeof facts / sizeof *facts; i++)
		line(facts[i].name, facts[i].value);
	for (unsigned i = 0; i < sizeof checks / sizeof *checks; i++) {
		if (checks[i].holds())
			continue;
		good = 0;
		text("wrong: ");
		text(checks[i].name);
		put('\n');
	}
	text(good ? "high half ok\n" : "high half broken\n");
	power_off();
	for (;;)
		;
}
