# Symbols of the hash table that are hidden, or of types that define nothing.
echo > empty.c # from it the file gets the flags that the machine's libraries must have
cat > a.s <<S
	.globl hid, zero, abs0, fun
	.hidden hid
	.data
hid:	.long 1
zero = 0
abs0 = 0x1234
	.type fun, %function
	.text
fun:	.dc.a 0
	.section .note.GNU-stack, "", %progbits
S
echo 'int hid = 2, abs0 = 2; int zero = 2; int fun(void) { return 2; }' > b.c
echo 'extern char hid, abs0, zero, fun; char *p[] = {&hid, &abs0, &zero, &fun}; int main(void) { return 0; }' > prog.c
$CC -shared -nostdlib -o liba.so -Wl,-soname,liba.so a.s empty.c
$CC -shared -fPIC -o libb.so -Wl,-soname,libb.so b.c
$CC -fPIE -pie -o prog prog.c -L. -Wl,--no-as-needed -la -lb -Wl,-rpath,'$ORIGIN'
