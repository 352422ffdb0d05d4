/*
 * What elfwright sdf boot writes behind the runtime, and what the runtime makes
 * of it. Offsets that start.S uses are checked at the end.
 */
#ifndef RUNTIME_H
#define RUNTIME_H

/* The kernel's own addresses: all memory, at this distance from where it is. */
#define WINDOW 0xffffff8000000000

/* Offsets in struct thread. */
#define THREAD_SP 248
#define THREAD_PC 256
#define THREAD_TLS 272
#define THREAD_IPC 280
#define THREAD_ROOT 288
#define THREAD_FPCR 304
#define THREAD_Q 320

#ifndef __ASSEMBLER__

typedef unsigned long word;
typedef unsigned char byte;

/* Microkit's header of a loader image, and a region of it. */
struct loader {
	word magic, size, kernel_entry, start, end, offset, entry, regions;
};

struct region {
	word load, size, offset, type;
};

enum { LOADER_MAGIC = 0x5e14dead14de5ead, REGION_DATA = 1, REGION_ZERO = 2 };

/* The first region is this table; what it counts follows it in this order. */
struct system {
	word magic, version;
	word domains, channels, mappings;
	word tables, tables_end; /* physical: pages for page tables */
	word unused;
};

enum { SYSTEM_MAGIC = 0x74776c6577667265, SYSTEM_VERSION = 1 };
static const word nobody = -1;

struct domain {
	char name[64];
	word entry, sp, ipc, ipc_physical;
	word priority;
	word parent, id; /* index of the parent, and the id that it knows this one by */
	word unused;
};

/* What one end of a channel may do. */
struct channel {
	word from, id, to, to_id;
	word may; /* bit 0: notify, bit 1: call */
};

struct mapping {
	word domain, virt, phys, size;
	word rights; /* bits 0 to 3: read, write, execute, cached */
};

enum { MAY_NOTIFY = 1, MAY_CALL = 2 };
enum { READ = 1, WRITE = 2, EXECUTE = 4, CACHED = 8 };

enum state {
	READY,
	WAITING,   /* for a message, a notification or a fault of a child */
	CALLING,   /* for the one it calls to listen */
	FAULTED,   /* for its parent to listen */
	ANSWERED,  /* for the answer of whom it called, or of its parent */
	STOPPED,
};

struct thread {
	word x[31], sp;
	word pc, pstate, tls;
	word ipc, root; /* the buffer's address; the table of its address space */
	word unused;
	word fpcr, fpsr;
	__uint128_t q[32];

	const struct domain *domain;
	word pending;          /* notifications, by the ids of their channels */
	struct thread *with;   /* whom it calls, or the parent that its fault is for */
	struct thread *client; /* who waits for its answer */
	word badge, label;     /* of its own call or fault */
	word fault[4];
	enum state state;
};

_Static_assert(__builtin_offsetof(struct thread, sp) == THREAD_SP, "");
_Static_assert(__builtin_offsetof(struct thread, pc) == THREAD_PC, "");
_Static_assert(__builtin_offsetof(struct thread, tls) == THREAD_TLS, "");
_Static_assert(__builtin_offsetof(struct thread, ipc) == THREAD_IPC, "");
_Static_assert(__builtin_offsetof(struct thread, root) == THREAD_ROOT, "");
_Static_assert(__builtin_offsetof(struct thread, fpcr) == THREAD_FPCR, "");
_Static_assert(__builtin_offsetof(struct thread, q) == THREAD_Q, "");

/* start.S */
void start_first(struct thread *t) __attribute__((noreturn));

/* board.c */
void put(char c);
void power_off(void) __attribute__((noreturn));
int is_memory(word phys, word size);

/* print.c */
void say(const char *text);
void say_hex(word n);
void panic(const char *text, word n) __attribute__((noreturn));

/* space.c */
void space_init(word tables, word end);
word space_new(void);
void space_map(word root, const struct mapping *m);

/* load.c */
const struct system *load(void);

/* ipc.c */
void thread_receive(struct thread *t);
void thread_notify(struct thread *t, word id);
void thread_call(struct thread *t, struct thread *to, word badge, word label, enum state how);
void thread_reply(struct thread *t, word label);
void thread_forget(struct thread *t);

/* monitor.c */
extern struct thread threads[];
extern word thread_count;
struct thread *trap(struct thread *t, word esr, word far);
void surprise(word esr, word pc, word far) __attribute__((noreturn));

static inline void *at(word phys) { return (void *)(phys + WINDOW); }

#endif
#endif
