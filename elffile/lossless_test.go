package elffile

import (
	"bytes"
	"errors"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/internal/samples"
)

// sweep says whether tests run over the whole system.
func sweep() bool { return os.Getenv("ELFWRIGHT_SWEEP") != "" }

// clobber overwrites the tables in the body, so that Encode cannot pass by
// having left them alone.
func clobber(f *File) {
	bad := func(off uint64, n int) {
		if n > 0 {
			f.Body.Put(int64(off), Buffer(bytes.Repeat([]byte{0xa5}, n)))
		}
	}
	bad(0, f.EhdrSize())
	if int(f.Header.Phentsize) == f.PhdrSize() {
		bad(f.Header.Phoff, len(f.Progs)*f.PhdrSize())
	}
	if int(f.Header.Shentsize) == f.ShdrSize() {
		bad(f.Header.Shoff, len(f.Sections())*f.ShdrSize())
	}
}

// lossless checks one file, whatever it holds: an archive's members, or itself.
// It returns how many ELF files that were.
func lossless(t *testing.T, name string, data []byte) int {
	t.Helper()
	if IsArchive(data) {
		a, err := ParseArchive(name, data)
		if err != nil {
			t.Error(err)
		}
		n := 0
		for i := range a.Members {
			if b := a.Members[i].Data(); IsELF(b) {
				n += lossless(t, a.MemberName(i), b)
			}
		}
		return n
	}
	f, err := Parse(name, data)
	if err != nil {
		t.Error(err)
		return 0
	}
	if err := errors.Join(f.HeaderErr, f.ProgErr, f.SectionErr()); err != nil {
		t.Error(err)
	}
	if err := f.Renumber(f.Shstrndx()); err != nil {
		t.Error(err)
	}
	if err := encoded(f, data); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	return 1
}

// TestLosslessArchives takes the members of some archives below /usr/lib; see
// systemRoots.
func TestLosslessArchives(t *testing.T) {
	t.Parallel()
	roots, sample := systemRoots(9, "/usr/lib")
	n, archives := 0, 0
	for _, root := range roots {
		for _, path := range regular(root) {
			ext := filepath.Ext(path)
			if ext != ".a" && ext != ".rlib" || crc32.ChecksumIEEE([]byte(path))%sample != 0 || strings.Contains(path, "/testdata/") { // of Go: broken on purpose
				continue
			}
			if m, err := Map(path); err == nil {
				if IsArchive(m.Bytes()) { // else it is a linker script
					archives++
					n += lossless(t, path, m.Bytes())
				}
				m.Close()
			}
		}
	}
	t.Logf("%d ELF files in %d archives", n, archives)
	if n == 0 && archives > 0 {
		t.Error("no ELF file")
	}
}

// TestLosslessInstalled takes files that are no programs of this machine, from
// Debian packages.
func TestLosslessInstalled(t *testing.T) {
	for _, tc := range []struct{ what, glob, pkg string }{
		{"firmware for RISC-V", "/usr/lib/riscv64-linux-gnu/opensbi/generic/*.elf", "opensbi"},
		{"64-bit big endian", "/usr/s390x-linux-gnu/lib/*.so.*", "libc6-s390x-cross"},
		{"32-bit big endian", "/usr/powerpc-linux-gnu/lib/*.so.*", "libc6-powerpc-cross"},
		{"AArch64", "/usr/aarch64-linux-gnu/lib/lib[cm].so.6", "libc6-arm64-cross"},
		{"Arm", "/usr/arm-linux-gnueabihf/lib/*.o", "libc6-dev-armhf-cross"},
		{"debug files", "/usr/lib/debug/.build-id/1*/*.debug", "libc6-dbg"},
	} {
		t.Run(tc.what, func(t *testing.T) {
			paths, err := filepath.Glob(tc.glob)
			if err != nil {
				t.Fatal(err)
			}
			if len(paths) == 0 {
				samples.Need(t, filepath.Dir(tc.glob)+" of Debian's "+tc.pkg)
			}
			n := 0
			for _, path := range paths {
				if m, err := Map(path); err == nil {
					n += lossless(t, path, m.Bytes())
					m.Close()
				}
			}
			if n == 0 {
				t.Error("no ELF file")
			}
		})
	}
}

// TestLosslessMade takes files of every kind that tools make from one program.
func TestLosslessMade(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"p.c":     "#include <stdio.h>\n__thread int tls = 1; int main(void) { printf(\"%d\\n\", tls); return 0; }\n",
		"q.c":     "extern int x; int f(void) { return x++; }\n",
		"p.go":    "package main\nfunc main() { println(1) }\n",
		"p.rs":    "fn main() { println!(\"{}\", 1); }\n",
		"gcore":   "set pagination off\nset confirm off\nbreak main\nrun\ngenerate-core-file core\nkill\n",
		"go.mod":  "module p\n",
		"overlay": "PK\x03\x04 an appended archive",
	} {
		write(t, filepath.Join(dir, name), text)
	}
	for _, tc := range []struct {
		out   string
		tools string
		lines string
	}{
		{"object.o", "gcc", "gcc -g -c -ffunction-sections p.c -o object.o"},
		{"object-zlib.o", "gcc", "gcc -g -gz=zlib -c p.c -o object-zlib.o"},
		{"object32.o", "gcc", "gcc -m32 -c -x assembler /dev/null -o object32.o"},
		{"program", "gcc", "gcc -g p.c -o program"},
		{"static", "gcc", "gcc -static p.c -o static"},
		{"library.so", "gcc", "gcc -shared -fPIC -Wl,-z,pack-relative-relocs p.c -o library.so"},
		{"stripped", "gcc strip", "gcc p.c -o stripped\nstrip stripped"},
		{"no-sections", "gcc llvm-strip-14", "gcc p.c -o no-sections\nllvm-strip-14 --strip-sections no-sections"},
		{"debug", "gcc objcopy", "gcc -g p.c -o with-debug\nobjcopy --only-keep-debug with-debug debug"},
		{"module.ko", "gcc ld", "gcc -g -c p.c -o m.o\nld -r --build-id=sha1 m.o -o module.ko"}, // as kbuild links one
		{"overlaid", "gcc", "gcc p.c -o plain\ncat plain overlay > overlaid"},
		{"core", "gcc gdb", "gcc -g p.c -o victim\ngdb -q -batch -x gcore victim"},
		{"go", "go", "go build -o go p.go"},
		{"rust", "rustc", "rustc p.rs -o rust"},
		{"arm", "arm-linux-gnueabihf-gcc", "arm-linux-gnueabihf-gcc p.c -o arm"},
		{"armbe", "arm-linux-gnueabihf-gcc", "arm-linux-gnueabihf-gcc -mbig-endian -c q.c -o armbe"},
		{"aarch64be.o", "aarch64-linux-gnu-gcc", "aarch64-linux-gnu-gcc -mbig-endian -g -c q.c -o aarch64be.o"},
		{"aarch64be", "aarch64-linux-gnu-gcc aarch64-linux-gnu-ld", "aarch64-linux-gnu-gcc -mbig-endian -c q.c -o a.o\naarch64-linux-gnu-ld -EB -r a.o -o aarch64be"},
		{"riscv", "riscv64-linux-gnu-gcc", "riscv64-linux-gnu-gcc p.c -o riscv"},
	} {
		t.Run(tc.out, func(t *testing.T) {
			samples.Need(t, strings.Fields(tc.tools)...)
			for line := range strings.Lines(tc.lines) {
				cmd := exec.Command("sh", "-ec", line)
				cmd.Dir = dir
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%s: %v\n%s", line, err, out)
				}
			}
			data, err := os.ReadFile(filepath.Join(dir, tc.out))
			if err != nil {
				t.Fatal(err)
			}
			lossless(t, tc.out, data)
			look(t, tc.out, data)
		})
	}
}
