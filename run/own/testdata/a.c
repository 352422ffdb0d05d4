#include "tiny.h"
extern int called;
int deeper(void);
int data = 42, table[4] = {1, 2, 3, 4};
__thread int gd = 11;
static __thread char local = 3;
static __thread short other = 4;
__thread int big __attribute__((aligned(64))) = 12;
int *where_data(void) { return &data; }
int *where_gd(void) { return &gd; }
int *where_big(void) { return &big; }
int *(*slot)(void) = where_gd;
int deep(void) { return deeper() + local + other; }
static int two(void) { return 2; }
static int three(void) { return 3; }
extern int choice;
static void *choose(void) { return choice ? three : two; }
int pick(void) __attribute__((ifunc("choose")));
__attribute__((constructor)) static void begin(int argc, char **argv, char **envp)
{
	number("a begins", argc);
	(void)argv, (void)envp;
	called = called * 10 + 2;
}
__attribute__((destructor)) static void end(void) { say("a ends\n"); }
