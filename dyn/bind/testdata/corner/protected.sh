# Protected functions and data of a library that the program defines too, called,
# pointed to, and read.
cat > lib.c <<C
__attribute__((visibility("protected"))) int fun(void) { return 1; }
__attribute__((visibility("protected"))) int data = 1;
int plain(void) { return 1; }
int (*ptr)(void) = fun;
int *dptr = &data;
int (*pptr)(void) = plain;
int use(void) { return fun() + data + plain(); }
C
cat > prog.c <<C
int fun(void) { return 2; }
int data = 2;
int plain(void) { return 2; }
extern int use(void);
int main(void) { return use(); }
C
$CC -shared -fPIC -o libp.so -Wl,-soname,libp.so lib.c
$CC -o prog prog.c -L. -lp -Wl,-rpath,'$ORIGIN'
