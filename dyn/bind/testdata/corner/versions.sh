# Default, old and hidden versions; references with each, and without any.
cat > v.c <<C
__asm__(".symver f1,f@V1"); __asm__(".symver f2,f@V2"); __asm__(".symver f3,f@@V3");
__asm__(".symver h1,h@V1"); __asm__(".symver h2,h@V3");
__asm__(".symver o3,o@@V3");
int f1(void) { return 1; }
int f2(void) { return 2; }
int f3(void) { return 3; }
int h1(void) { return 1; }
int h2(void) { return 2; }
int o3(void) { return 3; }
int base(void) { return 0; }
C
echo 'V1 { global: f; h; base; local: *; }; V2 { } V1; V3 { global: o; } V2;' > v.map
echo 'int f(void) { return 0; } int h(void) { return 0; } int o(void) { return 0; } int base(void) { return 0; }' > bare.c
cat > old.c <<C
extern int f(void), h(void), o(void), base(void);
int old(void) { return f() + h() + o() + base(); }
C
cat > prog.c <<C
__asm__(".symver want1,f@V1"); __asm__(".symver want2,f@V2");
extern int want1(void), want2(void), f(void), base(void), o(void), old(void);
int main(void) { return want1() + want2() + f() + base() + o() + old(); }
C
$CC -shared -fPIC -o libv.so -Wl,-soname,libv.so bare.c
$CC -shared -fPIC -o libold.so -Wl,-soname,libold.so old.c -L. -lv
$CC -shared -fPIC -o libv.so -Wl,-soname,libv.so,--version-script=v.map v.c
$CC -o prog prog.c -L. -lv -lold -Wl,--allow-shlib-undefined -Wl,-rpath,'$ORIGIN',-rpath-link,.
