/*
 * The part of Microkit's interface for C that this runtime has: the names, and
 * what they do, are Microkit's; the code is not.
 */
#ifndef MICROKIT_H
#define MICROKIT_H

typedef unsigned int microkit_channel;
typedef unsigned int microkit_child;
typedef unsigned long microkit_msginfo;
typedef unsigned char seL4_Bool;
typedef unsigned char seL4_Uint8;
typedef unsigned long seL4_Word;

#define seL4_False 0
#define seL4_True 1
#define MICROKIT_MAX_CHANNEL_ID 61

/* What elfwright sdf apply writes. All begin as zero. */
extern char microkit_name[64];
extern seL4_Bool microkit_passive;
extern seL4_Word microkit_irqs, microkit_notifications, microkit_pps, microkit_ioports;

/* A protection domain has init and notified; the others if they are called. */
void init(void);
void notified(microkit_channel ch);
microkit_msginfo protected(microkit_channel ch, microkit_msginfo msg);
seL4_Bool fault(microkit_child child, microkit_msginfo msg, microkit_msginfo *reply);

void microkit_notify(microkit_channel ch);
microkit_msginfo microkit_ppcall(microkit_channel ch, microkit_msginfo msg);
void microkit_pd_restart(microkit_child child, seL4_Word entry);
void microkit_pd_stop(microkit_child child);
void microkit_dbg_putc(int c);
void microkit_dbg_puts(const char *s);

microkit_msginfo microkit_msginfo_new(seL4_Word label, seL4_Word count);
seL4_Word microkit_msginfo_get_label(microkit_msginfo msg);
seL4_Word microkit_msginfo_get_count(microkit_msginfo msg);
void microkit_mr_set(seL4_Uint8 i, seL4_Word value);
seL4_Word microkit_mr_get(seL4_Uint8 i);

#endif
