# Thread-local symbols by all models that cross objects; a name that is a function
# in another library.
cat > a.c <<C
__thread int tv = 1, tw = 2;
static __thread int tl = 3;
int get_tv(void) { return tv + tl; }
C
echo 'extern __thread int tv; int gd(void) { return tv; } extern __thread int tw __attribute__((tls_model("initial-exec"))); int ie(void) { return tw; }' > b.c
echo 'extern __thread int tv, tw; extern int gd(void), ie(void), get_tv(void); int main(void) { return tv + tw + gd() + ie() + get_tv(); }' > prog.c
$CC -shared -fPIC -o liba.so -Wl,-soname,liba.so a.c
$CC -shared -fPIC -o libb.so -Wl,-soname,libb.so b.c -L. -la
$CC -o prog prog.c -L. -lb -la -Wl,-rpath,'$ORIGIN'
