package own_test

import (
	"os"
	"path/filepath"
	"testing"

	"elfwright/dyn/load"
	"elfwright/internal/samples"
	"elfwright/run/own"
)

// alone is what the program of testdata without libc prints, in any variant: b is
// needed by a, so it begins first and ends last.
const alone = `preinit
argc 2
b begins
a begins 2
argc 2
data 42
same data 1
table 3
gd 11
same gd 1
big 12
big aligned 1
own 5
deep 1140
pick 3
chosen 142
slot 1
nowhere 0
called 12
program's destructor
a ends
b ends
`

// machines are those that programs are started on here.
var machines = []struct {
	name, prefix, desc string
	kinds              []string // relocation types that the variants together must have
}{
	{"x86_64", "x86_64-linux-gnu-", "gnu2", []string{"R_X86_64_64", "R_X86_64_COPY", "R_X86_64_GLOB_DAT", "R_X86_64_JUMP_SLOT", "R_X86_64_RELATIVE",
		"R_X86_64_DTPMOD64", "R_X86_64_DTPOFF64", "R_X86_64_TPOFF64", "R_X86_64_TLSDESC", "R_X86_64_IRELATIVE"}},
	{"aarch64", "aarch64-linux-gnu-", "desc", []string{"R_AARCH64_ABS64", "R_AARCH64_COPY", "R_AARCH64_GLOB_DAT", "R_AARCH64_JUMP_SLOT", "R_AARCH64_RELATIVE",
		"R_AARCH64_TLS_DTPMOD64", "R_AARCH64_TLS_DTPREL64", "R_AARCH64_TLS_TPREL64", "R_AARCH64_TLSDESC", "R_AARCH64_IRELATIVE"}},
}

// TestAlone runs programs without libc: position-independent or not, with each
// model of thread-local storage, with relative relocations packed or not.
func TestAlone(t *testing.T) {
	models := []struct {
		name  string
		flags func(desc string) []string
	}{
		{"general", func(desc string) []string {
			if desc == "gnu2" {
				return []string{"-mtls-dialect=gnu"}
			}
			return []string{"-mtls-dialect=trad"}
		}},
		{"initial", func(string) []string { return []string{"-ftls-model=initial-exec"} }},
		{"desc", func(desc string) []string { return []string{"-mtls-dialect=" + desc} }},
	}
	for _, m := range machines {
		seen := make(map[string]bool)
		for _, pie := range []bool{false, true} {
			for _, model := range models {
				for _, packed := range []bool{false, true} {
					if packed && m.name != "x86_64" {
						continue // binutils 2.40 packs them on x86 alone
					}
					dir := samples.Make(t, aloneRecipe(t, m.prefix, pie, packed, model.flags(m.desc)))
					r, image := build(t, filepath.Join(dir, "main"), load.Options{}, own.Options{})
					for _, c := range r.Relocs.Counts {
						seen[c.Name] = true
					}
					if m.name != "x86_64" {
						samples.Need(t, "qemu-"+m.name)
					}
					if out, status := output(t, emulated(m.name, image, "x")...); out != alone || status != 7 {
						t.Errorf("%s, pie %v, %s, packed %v: status %d\n%s", m.name, pie, model.name, packed, status, out)
					}
				}
			}
		}
		for _, k := range m.kinds {
			if !seen[k] {
				t.Errorf("%s: no variant has %s", m.name, k)
			}
		}
	}
}

func aloneRecipe(t testing.TB, prefix string, pie, packed bool, model []string) samples.Recipe {
	files := make(map[string]string)
	for _, name := range []string{"tiny.h", "main.c", "a.c", "b.c"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	gcc := func(args ...string) []string {
		step := append([]string{prefix + "gcc", "-O1", "-ffreestanding", "-fno-stack-protector", "-nostdlib", "-Wl,--hash-style=gnu", "-Wl,-rpath,$ORIGIN"}, model...)
		if packed {
			step = append(step, "-Wl,-z,pack-relative-relocs")
		}
		return append(step, args...)
	}
	kind := []string{"-no-pie", "-fno-pic"}
	if pie {
		kind = []string{"-pie", "-fpie"}
	}
	main := append(gcc(kind...), "-Wl,--export-dynamic", "-Wl,-z,lazy", "-Wl,--allow-shlib-undefined", "-o", "main", "main.c", "liba.so", "libb.so")
	return samples.Recipe{Files: files, Steps: [][]string{
		gcc("-fpic", "-shared", "-Wl,-soname,libb.so", "-o", "libb.so", "b.c"),
		gcc("-fpic", "-shared", "-Wl,-soname,liba.so", "-o", "liba.so", "a.c", "libb.so"),
		main,
	}}
}

// TestUndefined calls a function that nothing defines, through a slot that would be
// bound when it is first called: until then the program runs.
func TestUndefined(t *testing.T) {
	for _, m := range machines {
		dir := samples.Make(t, samples.Recipe{
			Files: map[string]string{"tiny.h": source(t, "tiny.h"), "empty.c": "int empty;\n", "full.c": "void nowhere(void) {}\nvoid elsewhere(void) {}\n", "main.c": `
#include "tiny.h"
void nowhere(void), elsewhere(void);
__attribute__((used)) void start(word *sp, void (*fini)(void))
{
	say("before\n");
	if (sp[0] > 5)
		elsewhere();
	nowhere();
	say("after\n");
}
__asm__(".globl _start\n" START);
`},
			Steps: [][]string{
				{m.prefix + "gcc", "-shared", "-nostdlib", "-fPIC", "-o", "libempty.so", "full.c"},
				{m.prefix + "gcc", "-O1", "-pie", "-fPIE", "-ffreestanding", "-fno-stack-protector", "-nostdlib", "-Wl,-z,lazy",
					"-Wl,-rpath,$ORIGIN", "-o", "main", "main.c", "libempty.so"},
				{m.prefix + "gcc", "-shared", "-nostdlib", "-fPIC", "-o", "libempty.so", "empty.c"},
			},
		})
		prog := filepath.Join(dir, "main")
		_, image := build(t, prog, load.Options{}, own.Options{})
		out, status := output(t, emulated(m.name, image)...)
		want := "before\n" + prog + ": symbol lookup error: " + prog + ": undefined symbol: nowhere\n"
		if out != want || status != 127 {
			t.Errorf("%s: status %d, %q, want %q", m.name, status, out, want)
		}
	}
}
