# A program at a fixed address takes the address of a library's function: its PLT
# entry is an undefined symbol with a value, to which pointers bind, but not slots.
cat > lib.c <<C
int fun(void) { return 1; }
__attribute__((visibility("protected"))) int own(void) { return 1; }
int (*ptr)(void) = fun;
int (*optr)(void) = own;
int use(void) { return fun() + own(); }
C
cat > prog.c <<C
extern int fun(void), own(void), use(void);
int main(void) { int (*volatile f)(void) = fun, (*volatile o)(void) = own; return f() + o() + use(); }
C
$CC -shared -fPIC -o libc1.so -Wl,-soname,libc1.so lib.c
sed 's/__attribute__((visibility("protected")))//' lib.c > soft.c
$CC -shared -fPIC -o soft.so -Wl,-soname,libc1.so soft.c
$CC -fno-pie -no-pie -O1 -o prog prog.c soft.so -L. -Wl,-rpath,'$ORIGIN'
