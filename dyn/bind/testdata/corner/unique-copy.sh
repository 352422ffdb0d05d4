# A unique object that the program copies: the copy becomes the one for all.
echo > empty.c # from it the file gets the flags that the machine's libraries must have
cat > lib1.s <<S
	.globl tab, get1
	.type tab, %gnu_unique_object
	.type get1, %function
	.data
	.balign 8
tab:	.long 1
	.size tab, 4
ptr:	.dc.a tab
	.text
get1:
	.size get1, 0
	.section .note.GNU-stack, "", %progbits
S
sed s/get1/get2/g lib1.s > lib2.s
$CC -shared -nostdlib -o lib1.so -Wl,-soname,lib1.so lib1.s empty.c
$CC -shared -nostdlib -o lib2.so -Wl,-soname,lib2.so lib2.s empty.c
echo 'extern int tab; extern void get1(void), get2(void); int main(void) { get1(); get2(); return tab; }' > prog.c
$CC -fno-pie -no-pie -O1 -o prog prog.c -L. -l1 -l2 -Wl,-rpath,'$ORIGIN'
