/* Calls, the GOT, thread-local variables, strings that are merged, a weak
   symbol that nobody defines. */
extern int called(int), outside;
extern __thread int there;
__thread int here = 3;
static int mine = 4;
extern int weak(void) __attribute__((weak));
const char *text(void) { return "hello"; }
const char *pointed = "hello";
int value(int x) { return called(x) + there + here + mine + outside + (weak ? weak() : 0); }
int (*function)(int) = value;
int *address = &mine;
int begin(void) { return value(1) + function(2); }
