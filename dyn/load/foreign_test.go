package load_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"debug/elf"
	"elfwright/dyn/ldcache"
	"elfwright/dyn/load"
	"elfwright/internal/samples"
)

// foreign is a machine whose ld.so runs under qemu-user.
type foreign struct {
	qemu    string
	sysroot string
	tools
	machine elf.Machine
	class   elf.Class
}

var foreigns = []foreign{
	{"qemu-aarch64", "/usr/aarch64-linux-gnu", tools{"aarch64-linux-gnu-", "mov x8, #93; mov x0, #0; svc #0", "/lib/ld-linux-aarch64.so.1", "", nil}, elf.EM_AARCH64, elf.ELFCLASS64},
	{"qemu-arm", "/usr/arm-linux-gnueabihf", tools{"arm-linux-gnueabihf-", "mov r7, #1; mov r0, #0; svc #0", "/lib/ld-linux-armhf.so.3", ".eabi_attribute 28, 1\n", nil}, elf.EM_ARM, elf.ELFCLASS32},
	{"qemu-riscv64", "/usr/riscv64-linux-gnu", tools{"riscv64-linux-gnu-", "li a7, 93; li a0, 0; ecall", "/lib/ld-linux-riscv64-lp64d.so.1", "", nil}, elf.EM_RISCV, elf.ELFCLASS64},
	{"qemu-i386", "/usr/i686-linux-gnu", tools{"i686-linux-gnu-", "mov $1, %eax; xor %ebx, %ebx; int $0x80", "/lib/ld-linux.so.2", "", nil}, elf.EM_386, elf.ELFCLASS32},
	{"qemu-s390x", "/usr/s390x-linux-gnu", tools{"s390x-linux-gnu-", "lghi %r2, 0; svc 1", "/lib/ld64.so.1", "", nil}, elf.EM_S390, elf.ELFCLASS64},
	{"qemu-ppc", "/usr/powerpc-linux-gnu", tools{"powerpc-linux-gnu-", "li 0, 1; li 3, 0; sc", "/lib/ld.so.1", "", nil}, elf.EM_PPC, elf.ELFCLASS32},
}

// sysroot copies what a program needs into a new root. The directories that
// exist on the host must exist in it, for qemu looks there as well.
func (f *foreign) tree(t *testing.T) (*tree, string) {
	samples.Need(t, f.qemu, f.sysroot+f.interp)
	b := newTree(t, f.tools)
	b.root = b.dir
	b.dir += "/case"
	for _, dir := range []string{"/case", "/lib", "/usr/lib", "/etc"} {
		if err := os.MkdirAll(b.root+dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{f.interp, "/lib/libc.so.6"} {
		text, err := os.ReadFile(f.sysroot + name)
		if err == nil {
			err = os.WriteFile(b.root+name, text, 0o777)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	f.directories(t, b.root)
	f.cache(t, b.root)
	b.libc = []string{b.root + "/lib/libc.so.6"}
	return b, b.root
}

// directories makes the system directories that exist on the host: to programs
// under qemu they exist.
func (f *foreign) directories(t *testing.T, root string) {
	for _, dir := range []string{"/lib/", "/usr/lib/"} {
		triple := strings.TrimSuffix(strings.Replace(f.prefix, "i686", "i386", 1), "-")
		if st, err := os.Stat(dir + triple); err == nil && st.IsDir() {
			if err := os.MkdirAll(root+dir+triple, 0o777); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// cache writes an ld.so.cache, for there is no ldconfig that would; without it
// ld.so would read the host's.
func (f *foreign) cache(t *testing.T, root string) {
	e, err := elf.Open(root + f.interp)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	flags := ldcache.KindOf(f.machine, f.class, eflags(t, root+f.interp, e)).Flags
	entry := func(flags uint32, name, path string) ldcache.Entry {
		return ldcache.Entry{Flags: flags, Name: []byte(name), Path: []byte(path)}
	}
	b, err := ldcache.Encode(e.Data, []ldcache.Entry{
		entry(flags, "libc.so.6", "/lib/libc.so.6"), entry(flags^0x2000, "libc.so.6", "/lib/none.so"),
		entry(flags, "libb.so", "/case/none.so"), entry(3, "libw.so", "/case/nothing.so"), entry(flags, "libw.so.10", "/x"), entry(flags, "libw.so.9", "/y"),
	}, nil, "elfwright")
	if err == nil {
		err = os.WriteFile(root+"/etc/ld.so.cache", b, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// eflags reads e_flags, which debug/elf drops.
func eflags(t *testing.T, name string, e *elf.File) uint32 {
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if e.Class == elf.ELFCLASS32 {
		return e.ByteOrder.Uint32(b[36:])
	}
	return e.ByteOrder.Uint32(b[48:])
}

var (
	searched = regexp.MustCompile(`(?m)^  (\S+) \((.*supported, searched)\)$`)
	legacy   = "Legacy HWCAP"
)

// cpu asks the ld.so which sub-directories it looks into under the emulator.
func (f *foreign) cpu(t *testing.T, root string) *load.CPU {
	out, err := exec.Command(f.qemu, "-L", root, root+f.interp, "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	c := &load.CPU{Machine: f.machine, Class: f.class, Source: "ld.so --help"}
	caps, old, _ := strings.Cut(string(out), legacy)
	if _, after, ok := strings.Cut(caps, "Subdirectories of glibc-hwcaps"); ok {
		for _, m := range searched.FindAllStringSubmatch(after, -1) {
			c.HWCaps = append(c.HWCaps, m[1])
		}
	}
	for _, m := range searched.FindAllStringSubmatch(old, -1) {
		switch {
		case strings.HasPrefix(m[2], "AT_PLATFORM"):
			c.Platform = m[1]
		case m[1] != "tls":
			c.Legacy = append(c.Legacy, m[1])
		}
	}
	slices.Reverse(c.Legacy)
	return c
}

// TestForeign is TestCorners for other machines: their ld.so runs under qemu-user.
// Each takes a third of the cases, unless all are asked for.
func TestForeign(t *testing.T) {
	for k, f := range foreigns {
		t.Run(f.qemu, func(t *testing.T) {
			t.Parallel()
			b, root := f.tree(t)
			r := &rig{argv: []string{f.qemu, "-L", root}, opt: load.Options{Root: root, CPU: f.cpu(t, root)}}
			base := b.dir
			for i, c := range corners {
				if c.native || (i+k)%3 != 0 && !sweep() {
					continue
				}
				t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
					b.t, b.dir = t, filepath.Join(base, strings.ReplaceAll(c.name, " ", "-"))
					if err := os.MkdirAll(b.dir, 0o777); err != nil {
						t.Fatal(err)
					}
					clear(b.objects)
					c.check(t, b, r)
				})
			}
		})
	}
}
