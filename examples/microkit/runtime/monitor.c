/*
 * The kernel: what domains ask for, what becomes of their faults, who runs.
 * The one that can run and has the highest priority does; of several the one that
 * runs already, else the first. Time is not bounded, and there are no interrupts:
 * when all domains wait, nothing can happen any more, and the machine goes off.
 */
#include "runtime.h"
#include "../lib/calls.h"

enum { MAX_DOMAINS = 63 };

struct thread threads[MAX_DOMAINS];
word thread_count;

static const struct domain *domains;
static const struct channel *channels;
static word channel_count;

static const struct channel *channel(const struct thread *t, word id, word may)
{
	for (word i = 0; i < channel_count; i++) {
		const struct channel *c = &channels[i];

		if (c->from == (word)(t - threads) && c->id == id && c->may & may)
			return c;
	}
	return 0;
}

static struct thread *child(const struct thread *t, word id)
{
	for (word i = 0; i < thread_count; i++)
		if (domains[i].parent == (word)(t - threads) && domains[i].id == id)
			return &threads[i];
	return 0;
}

static void stop(struct thread *t)
{
	thread_forget(t);
	t->state = STOPPED;
}

/* As Microkit's: of the registers only the program counter is written. */
static void restart(struct thread *t, word entry)
{
	thread_forget(t);
	t->pc = entry;
	t->state = READY;
}

static void fault(struct thread *t, word esr, word far)
{
	word class = esr >> 26, parent = t->domain->parent;
	int fetch = class == 0x20, access = fetch || class == 0x24;

	t->fault[0] = t->pc;
	t->fault[1] = access ? far : 0;
	t->fault[2] = fetch;
	t->fault[3] = esr;
	if (parent != nobody) {
		thread_call(t, &threads[parent], t->domain->id,
			    message(access ? FAULT_MEMORY : FAULT_INSTRUCTION, 4), FAULTED);
		return;
	}
	say("runtime: ");
	say(t->domain->name);
	say(access ? ": no access to " : ": exception, code ");
	say_hex(access ? far : esr);
	say(" at ");
	say_hex(t->pc);
	say("; it stops\n");
	stop(t);
}

static void call(struct thread *t)
{
	word *x = t->x;
	const struct channel *c;
	struct thread *k;

	switch (x[8]) {
	case CALL_PRINT:
		put((char)x[0]);
		return;
	case CALL_NOTIFY:
		if ((c = channel(t, x[0], MAY_NOTIFY)))
			thread_notify(&threads[c->to], c->to_id);
		x[0] = c ? 0 : REFUSED;
		return;
	case CALL_CALL:
		if ((c = channel(t, x[0], MAY_CALL)))
			thread_call(t, &threads[c->to], c->to_id, x[1], CALLING);
		else
			x[0] = REFUSED;
		return;
	case CALL_REPLY_WAIT:
		thread_reply(t, x[0]);
		thread_receive(t);
		return;
	case CALL_WAIT:
		t->client = 0;
		thread_receive(t);
		return;
	case CALL_RESTART:
		if ((k = child(t, x[0])))
			restart(k, x[1]);
		x[0] = k ? 0 : REFUSED;
		return;
	case CALL_STOP:
		if ((k = child(t, x[0])))
			stop(k);
		x[0] = k ? 0 : REFUSED;
		return;
	}
	x[0] = REFUSED;
}

static struct thread *next(struct thread *now)
{
	struct thread *best = now && now->state == READY ? now : 0;

	for (word i = 0; i < thread_count; i++) {
		struct thread *t = &threads[i];

		if (t->state == READY && (!best || t->domain->priority > best->domain->priority))
			best = t;
	}
	if (best)
		return best;
	say("runtime: all domains wait\n");
	power_off();
}

struct thread *trap(struct thread *t, word esr, word far)
{
	if (esr >> 26 == 0x15)
		call(t);
	else
		fault(t, esr, far);
	return next(t);
}

void surprise(word esr, word pc, word far)
{
	say("runtime: at ");
	say_hex(pc);
	say(", address ");
	say_hex(far);
	panic(", exception", esr);
}

void kernel_main(void)
{
	const struct system *s = load();
	const struct mapping *maps;

	if (s->domains > MAX_DOMAINS)
		panic("too many domains", s->domains);
	domains = (const void *)(s + 1);
	channels = (const void *)(domains + s->domains);
	channel_count = s->channels;
	maps = (const void *)(channels + s->channels);
	space_init(s->tables, s->tables_end);
	thread_count = s->domains;
	for (word i = 0; i < s->domains; i++) {
		struct thread *t = &threads[i];

		t->domain = &domains[i];
		t->pc = domains[i].entry;
		t->sp = domains[i].sp;
		t->ipc = domains[i].ipc;
		t->root = space_new();
	}
	for (word i = 0; i < s->mappings; i++)
		space_map(threads[maps[i].domain].root, &maps[i]);
	__asm__ volatile("dsb sy" : : : "memory");
	start_first(next(0));
}
