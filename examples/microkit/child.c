/*
 * Says what state it starts with, spoils all of it, and crashes, each time in
 * another way. Only the counter in .persistent is meant to outlive that.
 */
#include "say.h"

enum { ROUNDS = 6 };

unsigned long rounds __attribute__((section(".persistent"))) = 0;

unsigned long data = 0x1111;
unsigned long zero;
unsigned long *pointer = &data;
char text[] = "as linked";

/* Set by the system description; some begin as zero, some do not. */
unsigned long ring, ring_size = 1, rules = 1, rules_length, to_parent = 99, paddr;

static const unsigned long constant = 0x2222;

/* A program's ends of its stack differ when its stack pointer was not restored. */
static void tell(void)
{
	unsigned long here;

	microkit_dbg_puts(microkit_name);
	say_hex(": data ", data);
	say_hex(" zero ", zero);
	microkit_dbg_puts(pointer == &data ? " pointer kept " : " pointer lost ");
	microkit_dbg_puts(text);
	say_hex(" ring ", ring);
	say_hex(" size ", ring_size);
	say_hex(" rules ", rules);
	say_hex(" length ", rules_length);
	say_hex(" channel ", to_parent);
	say_hex(" may call ", microkit_pps);
	say_hex(" stack ", (unsigned long)&here);
	microkit_dbg_puts("\n");
}

static void spoil(void)
{
	for (int i = 0; i < 8; i++)
		microkit_name[i] = '?';
	microkit_name[8] = 0;
	microkit_notifications = microkit_pps = 0;
	data = zero = ring_size = rules_length = ring = rules = to_parent = 0xdead;
	pointer = 0;
	text[0] = 'X';
}

static void use_stack(int depth)
{
	volatile char some[256];

	some[0] = depth;
	if (depth > 0)
		use_stack(depth - 1);
	some[1] = some[0];
}

static void crash(unsigned long how)
{
	volatile unsigned long *p = 0;

	switch (how) {
	case 1:
		*p = 1;
		break;
	case 2:
		__asm__ volatile("udf #0");
		break;
	case 3: /* nothing of the data is code */
		((void (*)(void))(unsigned long)&data)();
		break;
	case 4: /* nor is a constant a variable */
		*(volatile unsigned long *)&constant = 1;
		break;
	case 5: /* below the stack is nothing */
		use_stack(1 << 20);
		break;
	}
}

void init(void)
{
	unsigned long mine = rules, *shared = (unsigned long *)ring;
	microkit_channel parent = to_parent;

	rounds++;
	tell();
	shared[0] = rounds;
	microkit_notify(parent);
	microkit_mr_set(0, rounds);
	microkit_mr_set(1, ((char *)mine)[0]);
	microkit_ppcall(parent, microkit_msginfo_new(5, 2));
	if (rounds == ROUNDS) {
		microkit_notify(parent + 1); /* there is no such channel */
		*(volatile char *)mine = 1;  /* and this region is to be read only */
	}
	spoil();
	crash(rounds);
}

void notified(microkit_channel ch) { (void)ch; }
