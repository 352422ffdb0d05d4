/*
 * Messages. A thread that waits gets, in this order, its notifications, the call
 * or fault of the one with the highest priority, or nothing yet. What it gets is
 * in x0 (who) and x1 (label and length); the words are in its buffer.
 */
#include "runtime.h"

enum { BUFFER_WORDS = 64 };
static const word from_call = 1UL << 63, from_fault = 1UL << 62;

static word *buffer(const struct thread *t) { return at(t->domain->ipc_physical); }

static void copy(const struct thread *from, const struct thread *to, word label)
{
	word n = label & 0x7f;

	if (n > BUFFER_WORDS)
		n = BUFFER_WORDS;
	for (word i = 0; i < n; i++)
		buffer(to)[i] = buffer(from)[i];
}

static void wake(struct thread *t, word who, word label)
{
	t->x[0] = who;
	t->x[1] = label;
	t->state = READY;
}

/* A call or a fault reaches whom it is for. */
static void deliver(struct thread *from, struct thread *to)
{
	if (from->state == CALLING)
		copy(from, to, from->label);
	else
		for (int i = 0; i < 4; i++)
			buffer(to)[i] = from->fault[i];
	wake(to, from->badge | (from->state == CALLING ? from_call : from_fault), from->label);
	to->client = from;
	from->state = ANSWERED;
}

void thread_receive(struct thread *t)
{
	struct thread *best = 0;

	t->state = WAITING;
	if (t->pending) {
		wake(t, t->pending, 0);
		t->pending = 0;
		return;
	}
	for (word i = 0; i < thread_count; i++) {
		struct thread *c = &threads[i];

		if ((c->state == CALLING || c->state == FAULTED) && c->with == t &&
		    (!best || c->domain->priority > best->domain->priority))
			best = c;
	}
	if (best)
		deliver(best, t);
}

void thread_notify(struct thread *t, word id)
{
	t->pending |= 1UL << id;
	if (t->state == WAITING)
		thread_receive(t);
}

/* how is CALLING or FAULTED. */
void thread_call(struct thread *t, struct thread *to, word badge, word label, enum state how)
{
	t->with = to;
	t->badge = badge;
	t->label = label;
	t->state = how;
	if (to->state == WAITING)
		deliver(t, to);
}

/* The answer to a call is a message, and that to a fault that it may go on. */
void thread_reply(struct thread *t, word label)
{
	struct thread *c = t->client;

	t->client = 0;
	if (!c || c->state != ANSWERED || c->with != t)
		return;
	if (c->fault[3]) {
		c->fault[3] = 0;
		c->state = READY;
		return;
	}
	copy(t, c, label);
	c->x[0] = label;
	c->state = READY;
}

/* Nobody waits any more for a thread that was stopped or starts again. */
void thread_forget(struct thread *t)
{
	t->fault[3] = 0;
	t->with = 0;
	t->client = 0;
	for (word i = 0; i < thread_count; i++)
		if (threads[i].client == t)
			threads[i].client = 0;
}
