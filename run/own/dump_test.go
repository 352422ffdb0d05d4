package own_test

import (
	"debug/elf"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/image"
	"elfwright/internal/samples"
	"elfwright/run/memory"
	"elfwright/run/own"
)

// unlike are types whose words we cannot have before the process exists, or write
// otherwise: copies, resolvers, TLS descriptors.
var unlike = map[elf.Machine][]uint32{
	elf.EM_X86_64: {5, 36, 37}, elf.EM_386: {5, 41, 42}, elf.EM_AARCH64: {1024, 1031, 1032}, elf.EM_ARM: {13, 20, 160}, elf.EM_RISCV: {4, 12, 58},
}

// TestWords holds every relocated word of a program and its libraries against what
// glibc's dynamic linker of each machine has written there.
func TestWords(t *testing.T) {
	for _, m := range []struct{ name, prefix, ld string }{
		{"x86_64", "x86_64-linux-gnu-", "/"},
		{"i386", "i686-linux-gnu-", "/usr/i686-linux-gnu"},
		{"aarch64", "aarch64-linux-gnu-", "/usr/aarch64-linux-gnu"},
		{"arm", "arm-linux-gnueabihf-", "/usr/arm-linux-gnueabihf"},
		{"riscv64", "riscv64-linux-gnu-", "/usr/riscv64-linux-gnu"},
	} {
		t.Run(m.name, func(t *testing.T) {
			gcc := func(args ...string) []string {
				return append([]string{m.prefix + "gcc", "-O1", "-Wl,-rpath,$ORIGIN", "-Wl,-z,now"}, args...)
			}
			dir := samples.Make(t, samples.Recipe{
				Files: map[string]string{"dump.c": source(t, "dump.c"),
					"one.c": "extern __thread int other; int two(int); int data = 40, *pointer = &data; static int z[9], *p = z + 3; __thread int gd = 1, initial = 2; static __thread char l[3];\n" +
						"int one(int x) { l[x & 1]++; return two(x) + other + l[0] + *p; }\n",
					"two.c": "int one(int); extern int table[]; __thread int pad[5], other = 3; int (*back)(int) = one; int *far = table + 1; int two(int x) { return x ? x + far[0] + pad[1] : back(1); }\n",
				},
				Steps: [][]string{
					gcc("-fPIC", "-shared", "-Wl,-soname,libourtwo.so", "-o", "libourtwo.so", "two.c"),
					gcc("-fPIC", "-shared", "-Wl,-soname,libourone.so", "-o", "libourone.so", "one.c", "libourtwo.so"),
					gcc("-fPIE", "-pie", "-Wl,--export-dynamic", "-o", "main", "dump.c", "libourone.so", "libourtwo.so"),
				},
			})
			prog := filepath.Join(dir, "main")
			argv := []string{prog}
			if m.name != "x86_64" {
				samples.Need(t, "qemu-"+m.name)
				argv = []string{"qemu-" + m.name, "-L", m.ld, "-E", "LD_LIBRARY_PATH=" + m.ld + "/lib", prog}
			}
			want, status := output(t, argv...)
			if status != 0 {
				t.Fatalf("status %d\n%s", status, want)
			}
			lo := load.Options{}
			if m.name != "x86_64" {
				lo.LibraryPath = m.ld + "/lib"
				lo.Interp = interpreter(t, m.ld)
			}
			p, err := load.Load(prog, lo)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			b, err := bind.Bind(p, bind.Options{Now: true})
			if err != nil {
				t.Fatal(err)
			}
			r, err := own.Survey(p, b, own.Options{})
			if err != nil {
				t.Fatal(err)
			}
			compareWords(t, want, words(t, r))
		})
	}
}

// interpreter is the dynamic linker of a machine's root.
func interpreter(t *testing.T, root string) string {
	list, _ := filepath.Glob(filepath.Join(root, "lib/ld-linux*.so.*"))
	if len(list) == 0 {
		t.Fatalf("%s: no dynamic linker", root)
	}
	return list[0]
}

// compareWords compares line by line; those of what is unlike have no value.
func compareWords(t *testing.T, want string, got []string) {
	wanted := strings.Split(strings.TrimSpace(want), "\n")
	if len(wanted) != len(got) {
		t.Fatalf("%d words, want %d", len(got), len(wanted))
	}
	compared := 0
	for i, g := range got {
		w := wanted[i]
		if rest, ok := strings.CutSuffix(g, " ?"); ok {
			if !strings.HasPrefix(w, rest) {
				t.Errorf("%s, want %s", g, w)
			}
			continue
		}
		compared++
		if g != w {
			t.Errorf("%s, want %s", g, w)
		}
	}
	t.Logf("%d words", compared)
	if compared < 15 {
		t.Errorf("only %d words were compared", compared)
	}
}

// words are the lines that the program prints of itself.
func words(t *testing.T, r *own.Result) []string {
	var out []string
	indirect := make(map[uint64]bool)
	for _, x := range r.Relocs.Resolve {
		indirect[x.Place] = true
	}
	for i := range r.Memory.Objects {
		o := &r.Memory.Objects[i]
		name := filepath.Base(o.Path)
		if i > 0 && !strings.HasPrefix(name, "libour") {
			continue
		}
		for _, table := range []string{"REL", "RELA", "JMPREL"} {
			for _, x := range o.Relocs {
				if x.Name != table {
					continue
				}
				for n := range x.Len() {
					e := x.At(n)
					line := fmt.Sprintf("%s %s[%d] %d ", name, table, n, e.Type)
					v := "?"
					if !contains(unlike[o.Header.Machine], e.Type) && !indirect[o.At(e.Off)] {
						v = value(r, o, e.Off)
					}
					out = append(out, line+v)
				}
			}
		}
	}
	return out
}

func contains(list []uint32, x uint32) bool {
	for _, y := range list {
		if x == y {
			return true
		}
	}
	return false
}

func value(r *own.Result, o *memory.Object, vaddr uint64) string {
	v, ok := o.Word(vaddr)
	if !ok {
		return "nowhere"
	}
	if x := r.Layout.Find(image.Addr(v)); x != nil {
		return fmt.Sprintf("%s+%x", strings.ReplaceAll(filepath.Base(x.Path), "\n", ""), v-x.Base)
	}
	if !o.Is64() {
		v = uint64(uint32(v))
	}
	return fmt.Sprintf("%x", v)
}
