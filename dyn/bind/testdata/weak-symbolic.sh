# A weak definition before a strong one, for a program and for a symbolic library that has it.
echo '__attribute__((weak)) int both(void) { return 1; } int a(void) { return both(); } __attribute__((weak)) int alone(void) { return 1; } int a2(void) { return alone(); }' > a.c
echo 'int both(void) { return 2; }' > b.c
echo 'extern int a(void), a2(void), both(void); int main(void) { return a() + a2() + both(); }' > prog.c
$CC -shared -fPIC -fno-inline -o libb.so -Wl,-soname,libb.so b.c
$CC -shared -fPIC -o liba.so -Wl,-soname,liba.so a.c
$CC -o prog prog.c -L. -Wl,--no-as-needed -la -lb -Wl,-rpath,'$ORIGIN'
echo liba.so > symbolic
