package load

import (
	"debug/elf"

	"elfwright/elffile"
)

// upstream are what glibc is built with where nothing else is said: the dynamic
// linker, its directories and $LIB (sysdeps/unix/sysv/linux/*/configure,
// shlib-versions), and Debian's name for the machine.
type upstream struct {
	interp string
	dirs   []string
	lib    string
	triple string
	musl   string // musl's name for the machine
}

var (
	lib64Dirs = []string{"/lib64/", "/usr/lib64/"}
	lib32Dirs = []string{"/lib/", "/usr/lib/"}
)

// upstreamOf gives the defaults of a machine; false if there are none here.
func upstreamOf(f elffile.Format, h *elffile.Header) (upstream, bool) {
	is64 := f.Is64()
	switch h.Machine {
	case elf.EM_X86_64:
		if !is64 {
			return upstream{"/libx32/ld-linux-x32.so.2", []string{"/libx32/", "/usr/libx32/"}, "libx32", "x86_64-linux-gnux32", "x32"}, true
		}
		return upstream{"/lib64/ld-linux-x86-64.so.2", lib64Dirs, "lib64", "x86_64-linux-gnu", "x86_64"}, true
	case elf.EM_386:
		return upstream{"/lib/ld-linux.so.2", lib32Dirs, "lib", "i386-linux-gnu", "i386"}, true
	case elf.EM_AARCH64:
		if f.Big() {
			return upstream{"/lib/ld-linux-aarch64_be.so.1", lib64Dirs, "lib64", "aarch64_be-linux-gnu", "aarch64_be"}, true
		}
		return upstream{"/lib/ld-linux-aarch64.so.1", lib64Dirs, "lib64", "aarch64-linux-gnu", "aarch64"}, true
	case elf.EM_ARM:
		return upstreamArm(h), true
	case elf.EM_RISCV:
		return upstreamRISCV(is64, h), true
	case elf.EM_S390:
		if is64 {
			return upstream{"/lib/ld64.so.1", lib64Dirs, "lib64", "s390x-linux-gnu", "s390x"}, true
		}
		return upstream{"/lib/ld.so.1", lib32Dirs, "lib", "s390-linux-gnu", ""}, true
	case elf.EM_PPC64:
		if f.Big() {
			return upstream{"/lib64/ld64.so.1", lib64Dirs, "lib64", "powerpc64-linux-gnu", "powerpc64"}, true
		}
		return upstream{"/lib64/ld64.so.2", lib64Dirs, "lib64", "powerpc64le-linux-gnu", "powerpc64le"}, true
	case elf.EM_PPC:
		return upstream{"/lib/ld.so.1", lib32Dirs, "lib", "powerpc-linux-gnu", "powerpc"}, true
	case elf.EM_LOONGARCH:
		return upstream{"/lib64/ld-linux-loongarch-lp64d.so.1", lib64Dirs, "lib64", "loongarch64-linux-gnu", "loongarch64"}, true
	}
	return upstream{}, false
}

func upstreamArm(h *elffile.Header) upstream {
	if h.Flags&0x400 != 0 { // EF_ARM_ABI_FLOAT_HARD
		return upstream{"/lib/ld-linux-armhf.so.3", lib32Dirs, "lib", "arm-linux-gnueabihf", "armhf"}
	}
	return upstream{"/lib/ld-linux.so.3", lib32Dirs, "lib", "arm-linux-gnueabi", "arm"}
}

func upstreamRISCV(is64 bool, h *elffile.Header) upstream {
	abi := [...]string{"", "f", "d", "q"}[h.Flags>>1&3] // EF_RISCV_FLOAT_ABI
	base, bits, triple, musl := "ilp32", "lib32", "riscv32-linux-gnu", "riscv32"
	if is64 {
		base, bits, triple, musl = "lp64", "lib64", "riscv64-linux-gnu", "riscv64"
	}
	dir := bits + "/" + base + abi
	return upstream{"/lib/ld-linux-riscv" + bits[3:] + "-" + base + abi + ".so.1", []string{"/" + dir + "/", "/usr/" + dir + "/"}, base + abi, triple, musl}
}
