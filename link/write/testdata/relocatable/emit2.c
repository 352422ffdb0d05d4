int called(int x) { return x; }
__thread int there = 1;
int outside = 5;
const char *tail = "xhello", *again = "hello";
int *where(void) { return &outside; }
