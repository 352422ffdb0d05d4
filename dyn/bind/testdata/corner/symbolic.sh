# DT_SYMBOLIC: the library is searched before the scope.
cat > lib.c <<C
int fun(void) { return 1; }
int data = 1;
extern int other(void);
int (*ptr)(void) = fun;
int *dptr = &data;
int (*optr)(void) = other;
int use(void) { return fun() + data + other(); }
C
echo 'int other(void) { return 3; } int fun(void) { return 3; } int data = 3; ' > second.c
cat > prog.c <<C
int fun(void) { return 2; }
int data = 2;
extern int use(void);
int main(void) { return use(); }
C
$CC -shared -fPIC -o lib2.so -Wl,-soname,lib2.so second.c
# ld binds the references itself when it is given -Bsymbolic. DT_SYMBOLIC alone makes
# the dynamic linker do it: the test writes it into the files that are named here.
$CC -shared -fPIC -o lib1.so -Wl,-soname,lib1.so lib.c -L. -l2
echo lib1.so > symbolic
$CC -o prog prog.c -L. -Wl,--no-as-needed -l1 -l2 -Wl,-rpath,'$ORIGIN' -Wl,-E
