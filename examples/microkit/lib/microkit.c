#include "microkit.h"
#include "calls.h"

char microkit_name[64];
seL4_Bool microkit_passive;
seL4_Word microkit_irqs, microkit_notifications, microkit_pps, microkit_ioports;

static const seL4_Word from_call = 1UL << 63, from_fault = 1UL << 62;

/* The kernel answers in x0 and x1, and keeps the others. */
static inline seL4_Word ask(int what, seL4_Word a, seL4_Word b, seL4_Word *more)
{
	register seL4_Word x0 __asm__("x0") = a;
	register seL4_Word x1 __asm__("x1") = b;
	register seL4_Word x8 __asm__("x8") = what;

	__asm__ volatile("svc #0" : "+r"(x0), "+r"(x1) : "r"(x8) : "memory");
	if (more)
		*more = x1;
	return x0;
}

static void refuse(const char *what, seL4_Word n)
{
	microkit_dbg_puts(microkit_name);
	microkit_dbg_puts(": no channel to ");
	microkit_dbg_puts(what);
	microkit_dbg_puts(" has id ");
	if (n > 9)
		microkit_dbg_putc('0' + n / 10 % 10);
	microkit_dbg_putc('0' + n % 10);
	microkit_dbg_puts("\n");
}

static int has(seL4_Word mask, seL4_Word n) { return n <= MICROKIT_MAX_CHANNEL_ID && mask >> n & 1; }

void microkit_notify(microkit_channel ch)
{
	if (!has(microkit_notifications, ch))
		refuse("notify", ch);
	else
		ask(CALL_NOTIFY, ch, 0, 0);
}

microkit_msginfo microkit_ppcall(microkit_channel ch, microkit_msginfo msg)
{
	if (has(microkit_pps, ch))
		return ask(CALL_CALL, ch, msg, 0);
	refuse("call", ch);
	return microkit_msginfo_new(0, 0);
}

void microkit_pd_restart(microkit_child child, seL4_Word entry) { ask(CALL_RESTART, child, entry, 0); }

void microkit_pd_stop(microkit_child child) { ask(CALL_STOP, child, 0, 0); }

void microkit_dbg_putc(int c) { ask(CALL_PRINT, c, 0, 0); }

void microkit_dbg_puts(const char *s)
{
	for (; *s; s++)
		microkit_dbg_putc(*s);
}

microkit_msginfo microkit_msginfo_new(seL4_Word label, seL4_Word count) { return message(label, count); }

seL4_Word microkit_msginfo_get_label(microkit_msginfo msg) { return msg >> 12; }

seL4_Word microkit_msginfo_get_count(microkit_msginfo msg) { return msg & 0x7f; }

/* The kernel tells in a register where the buffer is. */
static volatile seL4_Word *buffer(void)
{
	seL4_Word p;

	__asm__("mrs %0, tpidrro_el0" : "=r"(p));
	return (seL4_Word *)p;
}

void microkit_mr_set(seL4_Uint8 i, seL4_Word value) { buffer()[i] = value; }

seL4_Word microkit_mr_get(seL4_Uint8 i) { return buffer()[i]; }

__attribute__((weak)) microkit_msginfo protected(microkit_channel ch, microkit_msginfo msg)
{
	(void)ch;
	(void)msg;
	return microkit_msginfo_new(0, 0);
}

__attribute__((weak)) seL4_Bool fault(microkit_child child, microkit_msginfo msg, microkit_msginfo *reply)
{
	(void)child;
	(void)msg;
	(void)reply;
	return seL4_False;
}

/* lib/start.S jumps here. */
void microkit_main(void)
{
	seL4_Word who, reply = 0;
	microkit_msginfo msg;
	int answer = 0;

	init();
	for (;;) {
		who = ask(answer ? CALL_REPLY_WAIT : CALL_WAIT, reply, 0, &msg);
		answer = 0;
		if (who & from_call) {
			reply = protected(who & 63, msg);
			answer = 1;
		} else if (who & from_fault) {
			reply = 0;
			answer = fault(who & 63, msg, &reply);
		} else {
			for (microkit_channel ch = 0; ch <= MICROKIT_MAX_CHANNEL_ID; ch++)
				if (who >> ch & 1)
					notified(ch);
		}
	}
}
