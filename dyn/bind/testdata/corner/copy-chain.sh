# A variable that two libraries define is copied; both are bound to the copy.
echo 'int var = 1; int *p1 = &var; int get1(void) { return var; }' > a.c
echo 'int var = 2; int *p2 = &var; int get2(void) { return var; }' > b.c
echo 'extern int var, get1(void), get2(void); int main(void) { return var + get1() + get2(); }' > prog.c
$CC -shared -fPIC -o liba.so -Wl,-soname,liba.so a.c
$CC -shared -fPIC -o libb.so -Wl,-soname,libb.so b.c
$CC -fno-pie -no-pie -O1 -o prog prog.c -L. -la -lb -Wl,-rpath,'$ORIGIN'
