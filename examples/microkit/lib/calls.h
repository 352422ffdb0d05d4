/* What a protection domain asks the runtime for: svc, the number in x8. */
#ifndef CALLS_H
#define CALLS_H

enum {
	CALL_PRINT,      /* a character */
	CALL_NOTIFY,     /* channel */
	CALL_CALL,       /* channel, message; answers the reply */
	CALL_WAIT,       /* answers who, and the message */
	CALL_REPLY_WAIT, /* reply; the same */
	CALL_RESTART,    /* child, entry point */
	CALL_STOP,       /* child */
};

/* The labels of faults. */
enum { FAULT_MEMORY = 1, FAULT_INSTRUCTION };

static const unsigned long REFUSED = -1;

/* A message is a label and the number of words in the buffer. */
static inline unsigned long message(unsigned long label, unsigned long count)
{
	return label << 12 | count;
}

#endif
