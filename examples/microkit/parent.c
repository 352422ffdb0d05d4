/* Hears from its child, and restarts it when it crashes, but not for ever. */
#include "say.h"

enum { CRASHES = 5 };

unsigned long child_id = 99, child_entry, from_child, ring;
static unsigned long crashes;

void init(void)
{
	microkit_dbg_puts(microkit_name);
	say_hex(": child ", child_id);
	say_hex(" channel ", from_child);
	say_hex(" may notify ", microkit_notifications);
	microkit_dbg_puts("\n");
}

static void shared(const char *what)
{
	microkit_dbg_puts(microkit_name);
	microkit_dbg_puts(what);
	say_hex(", the ring has ", *(volatile unsigned long *)ring);
}

void notified(microkit_channel ch)
{
	shared(": notified");
	say_hex(" on channel ", ch);
	microkit_dbg_puts("\n");
}

microkit_msginfo protected(microkit_channel ch, microkit_msginfo msg)
{
	shared(": called");
	say_hex(" on channel ", ch);
	say_hex(" with label ", microkit_msginfo_get_label(msg));
	say_hex(": ", microkit_mr_get(0));
	microkit_dbg_puts(" ");
	microkit_dbg_putc(microkit_mr_get(1));
	microkit_dbg_puts("\n");
	return microkit_msginfo_new(0, 0);
}

seL4_Bool fault(microkit_child child, microkit_msginfo msg, microkit_msginfo *reply)
{
	(void)reply;
	shared(": fault");
	say_hex(" of child ", child);
	microkit_dbg_puts(microkit_msginfo_get_label(msg) == 1 ? ", no access to " : ", no instruction near ");
	say_hex("", microkit_mr_get(1));
	microkit_dbg_puts(microkit_mr_get(2) ? " as code\n" : "\n");
	if (child == child_id && crashes++ < CRASHES)
		microkit_pd_restart(child, child_entry);
	else
		microkit_pd_stop(child);
	return seL4_False;
}
