# A library with DT_HASH alone, one with DT_GNU_HASH alone, one with both.
for s in sysv gnu both; do
	echo "int f$s(void) { return 1; } int shared_name(void) { return 1; } int d$s = 1; int *p$s = &d$s;" > $s.c
	$CC -shared -fPIC -o lib$s.so -Wl,-soname,lib$s.so,--hash-style=$s $s.c
done
echo 'extern int fsysv(void), fgnu(void), fboth(void), shared_name(void); int main(void) { return fsysv() + fgnu() + fboth() + shared_name(); }' > prog.c
$CC -o prog prog.c -L. -lsysv -lgnu -lboth -Wl,-rpath,'$ORIGIN' -Wl,--hash-style=sysv
