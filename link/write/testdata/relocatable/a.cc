// What C++ compilers make much of: groups, tables of unwinding, static data of
// inline functions, initialisers.
template<class T> T twice(T x) { static T n; n += x; return x + x + n; }
inline int thrice(int x) { return x * 3; }
struct counter {
	int n = 0;
	counter(int start) : n(start) {}
	virtual ~counter() { n--; }
	virtual int step() { return ++n; }
};
extern int other(int), common[4];
extern thread_local int local;
const char *greeting() { return "hello world"; }
const char *again() { return "hello world"; }
__attribute__((section(".init.text"))) int start(int a) { return other(a) + twice(a) + thrice(a); }
static int behind(int a) { return a + 1; }
int (*pointer)(int) = behind;
counter global(5);
#if __EXCEPTIONS
int guarded(int n) {
	try {
		if (n > 5)
			throw 7;
		return other(n);
	} catch (int x) {
		return x;
	}
}
#endif
int main(int n, char **) {
	switch (n) { case 0: return 7; case 1: return 9; case 2: return 12; case 3: return local; case 4: return common[2]; }
	return other(1) + twice(2) + thrice(3) + global.step();
}
