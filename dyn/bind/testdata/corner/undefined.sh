# Symbols that nothing defines, with a version and without, called and pointed to.
echo 'int f(void) { return 1; } int g(void) { return 1; } int d = 1;' > v.c
echo 'V1 { global: f; d; g; };' > v.map
echo 'extern int f(void), g(void), gone(void); extern int d; int (*pg)(void) = g; int main(void) { return f() + g() + d; }' > prog.c
$CC -shared -fPIC -o libv.so -Wl,-soname,libv.so,--version-script=v.map v.c
echo 'extern int gone(void); int (*p)(void) = gone; int call(void) { return gone(); }' > u.c
$CC -shared -fPIC -o libu.so -Wl,-soname,libu.so u.c
$CC -fPIE -pie -o prog prog.c -L. -lv -Wl,--no-as-needed -lu -Wl,--allow-shlib-undefined -Wl,-rpath,'$ORIGIN'
echo 'int f(void) { return 1; }' > v.c
$CC -shared -fPIC -o libv.so -Wl,-soname,libv.so,--version-script=v.map v.c
