# Versions that are gone from the library that had them, weak and not.
echo 'int f(void) { return 1; } int g(void) { return 1; }' > v.c
echo 'V1 { global: f; }; V2 { global: g; } V1;' > new.map
echo 'V1 { global: f; local: *; };' > old.map
echo 'extern int f(void), g(void); int main(void) { return f() + g(); }' > prog.c
$CC -shared -fPIC -o libv.so -Wl,-soname,libv.so,--version-script=new.map v.c
$CC -o prog prog.c -L. -lv -Wl,-rpath,'$ORIGIN'
$CC -shared -fPIC -o libv.so -Wl,-soname,libv.so,--version-script=old.map v.c
