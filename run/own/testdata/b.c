#include "tiny.h"
extern int called;
int before(void);
int choice = 1;
static __thread int x = 100;
__thread long y = 1000;
int deeper(void) { return x + y + before(); }
__attribute__((constructor)) static void begin(void) { say("b begins\n"); called = called * 10 + 1; }
__attribute__((destructor)) static void end(void) { say("b ends\n"); }
