# Two libraries define a unique symbol under versions of their own: the first that
# a relocation reaches is the one for all, whatever the version. The unused third
# one comes first in the scope and is not reached before.
echo > empty.c # from it the file gets the flags that the machine's libraries must have
for v in 1 2 3; do
	cat > lib$v.s <<S
	.globl tab, touch$v
	.type tab, %gnu_unique_object
	.type touch$v, %function
	.data
	.balign 8
tab:	.long $v
	.size tab, 4
ptr:	.dc.a tab
	.text
touch$v:
	.size touch$v, 0
	.section .note.GNU-stack, "", %progbits
S
	echo "V$v { global: tab; touch$v; local: *; };" > v$v.map
	$CC -shared -nostdlib -o lib$v.so -Wl,-soname,lib$v.so,--version-script=v$v.map lib$v.s empty.c
done
echo 'extern void touch1(void), touch2(void), touch3(void); int main(void) { touch1(); touch2(); touch3(); return 0; }' > prog.c
$CC -o prog prog.c -L. -Wl,--no-as-needed -l1 -l2 -l3 -Wl,-rpath,'$ORIGIN'
