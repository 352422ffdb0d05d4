#!/usr/bin/env bash
# A small Linux kernel for x86-64: tinyconfig, a serial console, an initramfs with
# one program. LD links vmlinux three times (kallsyms), the vDSO, the code for real
# mode with --emit-relocs, the decompressor as PIE, and setup.elf.
source "$(dirname "$0")/lib.sh"
linker ld

if [ ! -d linux-source-6.1 ]; then
	apt-get download -qq linux-source-6.1
	dpkg-deb -x linux-source-6.1_*.deb package
	tar xf package/usr/src/linux-source-6.1.tar.xz
fi
mk() { make -s -C linux-source-6.1 O="$work/out" LD="$LD" "$@"; }
mkdir -p out
mk tinyconfig
linux-source-6.1/scripts/config --file out/.config -e 64BIT -e PRINTK -e PRINTK_TIME -e KALLSYMS \
	-e TTY -e SERIAL_8250 -e SERIAL_8250_CONSOLE -e EARLY_PRINTK -e BLK_DEV_INITRD -e BINFMT_ELF \
	-e HYPERVISOR_GUEST -e PARAVIRT -e PVH
mk olddefconfig
mk -j"$jobs" vmlinux bzImage

# /init says that it runs, and ends the machine.
mkdir -p root
cat >init.c <<'C'
static long call(long n, long a, long b, long c)
{
	long r;

	__asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return r;
}

void _start(void)
{
	static const char text[] = "a user program runs\n";

	call(1, 1, (long)text, sizeof text - 1);	/* write */
	call(169, 0xfee1dead, 0x28121969, 0x1234567);	/* reboot */
	for (;;)
		;
}
C
gcc -O2 -nostdlib -static -ffreestanding -fno-stack-protector -o root/init init.c
mkdir -p root/dev
[ -e root/dev/console ] || mknod -m 600 root/dev/console c 5 1 # needs root
(cd root && find . | cpio -o -H newc --quiet) >initrd.cpio

for image in out/arch/x86/boot/bzImage out/vmlinux; do # by setup code and decompressor; by PVH, from the headers of vmlinux
	boots 'a user program runs' qemu-system-x86_64 -m 128M -nographic -no-reboot -kernel $image \
		-initrd initrd.cpio -append 'console=ttyS0 panic=-1'
	grep -a -m1 'Linux version' boot.log
done
