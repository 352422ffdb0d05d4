template<class T> T twice(T x) { static T n; n += x; return x + x + n; }
inline int thrice(int x) { return x * 3; }
thread_local int local = 4;
const char *third() { return "hello world"; }
int other(int x) { return twice(x) + thrice(x); }
