# Weak references that nothing defines, and weak definitions before strong ones.
echo '__attribute__((weak)) int both(void) { return 1; }' > a.c
echo 'int both(void) { return 2; } int only(void) { return 2; }' > b.c
cat > prog.c <<C
extern int both(void);
__attribute__((weak)) extern int only(void), nowhere(void), nodata;
int main(void) { return both() + (only ? only() : 0) + (nowhere ? nowhere() : 0) + (&nodata ? nodata : 0); }
C
$CC -shared -fPIC -o liba.so -Wl,-soname,liba.so a.c
$CC -shared -fPIC -o libb.so -Wl,-soname,libb.so b.c
$CC -o prog prog.c -L. -la -lb -Wl,-rpath,'$ORIGIN'
