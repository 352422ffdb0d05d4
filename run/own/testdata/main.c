#include "tiny.h"
extern int data, table[4];
extern __thread int gd, big;
extern int *where_gd(void), *where_big(void), deep(void), pick(void), *(*slot)(void);
extern __attribute__((weak)) int nowhere(void);
extern __thread int missing __attribute__((weak));
__thread int own = 5;
static __thread int zero[3];
static int one(void) { return 71; }
static void *choose(void) { return one; }
int chosen(void) __attribute__((ifunc("choose")));
int (*kept)(void) = chosen;
static int *pointers[] = {&data, table, table + 2};
int *where_data(void);
int called;
int before(void) { return 33; }
static void pre(int argc, char **argv, char **envp)
{
	say("preinit\n");
	number("argc", argc);
	(void)argv, (void)envp;
}
__attribute__((section(".preinit_array"), used)) static void (*pres[])(int, char **, char **) = {pre};
static void last(void) { say("program's destructor\n"); }
__attribute__((section(".fini_array"), used)) static void (*lasts[])(void) = {last};
__attribute__((used)) void start(word *sp, void (*fini)(void))
{
	number("argc", sp[0]);
	number("data", data);
	number("same data", where_data() == &data && pointers[0] == &data);
	number("table", *pointers[2]);
	number("gd", gd++);
	number("same gd", where_gd() == &gd && *where_gd() == gd);
	number("big", big);
	number("big aligned", ((word)&big & 63) == 0 && where_big() == &big);
	number("own", own + zero[0] + zero[1] + zero[2]);
	number("deep", deep());
	number("pick", pick());
	number("chosen", chosen() + kept());
	number("slot", slot == where_gd);
	number("nowhere", nowhere ? 1 : 0);
	number("called", called);
	if (fini)
		fini();
	call3(EXIT, 7, 0, 0);
}
__asm__(".globl _start\n" START);
