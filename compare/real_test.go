package compare

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/samples"
)

const realSource = `
#include <stdio.h>
#include <stdlib.h>
#define KEEP __attribute__((noinline))
const int table[8] = {3, 1, 4, 1, 5, 9, 2, 6};
int counter = 7;
static int hits;
#ifdef MORE
KEEP long early(long a) { return labs(a) * a * 31 + counter; }
#endif
KEEP static int once(int x) { hits++; return x + table[x & 7]; }
KEEP int twice(int x) { return once(x) + once(x + 1) + counter; }
KEEP int constant(int x) { return twice(x) ^ NUMBER; }
KEEP void tell(int x) { printf("the answer is %d, after %d\n", x, hits); puts("and that is all there is to say"); }
int main(int argc, char **argv)
{
#ifdef MORE
	counter += early(argc);
#endif
	tell(constant(argc));
	return 0;
}
`

// compilers make programs for every machine.
var compilers = []string{"gcc", "i686-linux-gnu-gcc", "aarch64-linux-gnu-gcc", "arm-linux-gnueabihf-gcc", "riscv64-linux-gnu-gcc"}

// build compiles the source, and runs further steps on the result.
func build(t *testing.T, cc string, flags []string, steps ...[]string) *elffile.File {
	t.Helper()
	name := samples.MakeFile(t, samples.Recipe{
		Files: map[string]string{"real.c": realSource},
		Steps: append([][]string{slices.Concat([]string{cc, "-o", "program", "real.c"}, flags)}, steps...),
		Out:   "program",
	})
	f, err := elffile.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func compareFiles(t *testing.T, old, new *elffile.File) *Report {
	t.Helper()
	r, err := Images(old, new)
	if err != nil {
		t.Fatal(err)
	}
	checkSums(t, r)
	return r
}

// said lists what a report says of symbols: "constant changed".
func said(r *Report) []string {
	var list []string
	for _, s := range r.Symbols.Changes {
		if s.Section != "[undefined]" && !strings.HasSuffix(s.Name, "@plt") {
			list = append(list, s.Name+" "+string(s.Change))
		}
	}
	slices.Sort(list)
	return list
}

// TestRealConstant: a constant in one function is a change of that function.
func TestRealConstant(t *testing.T) {
	for _, cc := range compilers {
		t.Run(cc, func(t *testing.T) {
			flags := []string{"-O1", "-Wl,--build-id=none"}
			r := compareFiles(t, build(t, cc, append(flags, "-DNUMBER=0x5a")), build(t, cc, append(flags, "-DNUMBER=0x5b")))
			if got := said(r); !slices.Equal(got, []string{"constant changed"}) {
				t.Errorf("%v\n%s", got, text(t, r))
			}
			if len(r.Content) != 1 || r.Content[0].Symbol != "constant" || len(r.Header)+len(r.Segments)+len(r.Dynamic)+len(r.Notes)+len(r.Relocs)+len(r.Sizes.Symbols) != 0 {
				t.Errorf("%s", text(t, r))
			}
		})
	}
}

// TestRealAdded: a function that was put in front of the others moves them, and
// what they refer to; but only it was added and only main, which calls it,
// changed.
func TestRealAdded(t *testing.T) {
	for _, cc := range compilers {
		for _, link := range []string{"-pie", "-no-pie"} {
			t.Run(cc+link, func(t *testing.T) {
				flags := []string{"-O1", "-DNUMBER=0x5a", "-fPIE", link}
				if link == "-no-pie" {
					flags[2] = "-fno-pie"
				}
				r := compareFiles(t, build(t, cc, flags), build(t, cc, append(flags, "-DMORE")))
				got := said(r)
				want := []string{"early added", "main resized"}
				got = slices.DeleteFunc(got, func(s string) bool { return strings.HasPrefix(s, ".L") || strings.HasPrefix(s, "__x86.get_pc_thunk") })
				if !slices.Equal(got, want) {
					t.Errorf("%v\n%s", got, text(t, r))
				}
				if r.Symbols.Counts[References] == 0 && r.Symbols.Counts[Moved] == 0 {
					t.Errorf("nothing moved: %v", r.Symbols.Counts)
				}
			})
		}
	}
}

// TestRealStrip: strip takes sections and the symbol table, and nothing of what
// is loaded.
func TestRealStrip(t *testing.T) {
	flags := []string{"-O1", "-g", "-DNUMBER=1", "-Wl,--build-id=none"}
	old, new := build(t, "gcc", flags), build(t, "gcc", flags, []string{"strip", "program"})
	r := compareFiles(t, old, new)
	if len(r.Content)+len(r.Symbols.Counts)+len(r.Segments)+len(r.Dynamic)+len(r.Notes)+len(r.Relocs)+len(r.Exports) != 0 {
		t.Errorf("%s", text(t, r))
	}
	if len(r.Symbols.Tables) != 1 || r.Symbols.Tables[0].Name != ".symtab" {
		t.Errorf("%+v", r.Symbols.Tables)
	}
	for _, e := range r.Sections {
		debug := strings.HasPrefix(e.Name, ".debug_") || e.Name == ".symtab" || e.Name == ".strtab"
		if debug != (e.Change == Removed) || e.Change == Changed && e.Name != ".shstrtab" {
			t.Errorf("%s %s", e.Name, e.Change)
		}
	}
	if d := r.Sizes.Total.Memory.Delta(); d != 0 {
		t.Errorf("memory changed by %+d", d)
	}
}

// TestRealObjcopy: a section that objcopy added is there, and said to be.
func TestRealObjcopy(t *testing.T) {
	flags := []string{"-O1", "-DNUMBER=1"}
	old := build(t, "gcc", flags, []string{"objcopy", "program"})
	new := build(t, "gcc", flags, []string{"objcopy", "--add-section", ".extra=real.c", "program"})
	r := compareFiles(t, old, new)
	var names []string
	for _, e := range r.Sections {
		names = append(names, string(e.Change)+" "+e.Name)
	}
	if !slices.Contains(names, "added .extra") || slices.ContainsFunc(names, func(s string) bool { return strings.HasPrefix(s, "removed") }) {
		t.Errorf("%v", names)
	}
	if len(r.Content)+len(r.Symbols.Changes)+len(r.Segments)+len(r.Symbols.Tables) != 0 {
		t.Errorf("%s", text(t, r))
	}
}

// TestRealObjects: in objects, a call of another function has the same bytes
// and another relocation.
func TestRealObjects(t *testing.T) {
	object := func(call string) *elffile.File {
		name := samples.MakeFile(t, samples.Recipe{
			Files: map[string]string{"o.c": "int one(int), two(int); static int table[4] = {1,2}; int f(int x) { return " + call + "(x) + 1; } int g(int x) { table[x]++; return one(x) + table[1]; }"},
			Steps: [][]string{{"gcc", "-c", "-O1", "-o", "o.o", "o.c"}},
			Out:   "o.o",
		})
		f, err := elffile.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	r := compareFiles(t, object("one"), object("two"))
	if got := said(r); !slices.Equal(got, []string{"f relocated"}) {
		t.Errorf("%v\n%s", got, text(t, r))
	}
}

// TestSystem compares neighbours among the system's files: totals add up, and a
// file differs from another one.
func TestSystem(t *testing.T) {
	n := 6
	if os.Getenv("ELFWRIGHT_SWEEP") != "" {
		n = 1 << 20
	}
	last := ""
	for name := range samples.Some(samples.SystemELFs("/usr/bin", "/usr/lib"), n, 3) {
		if last != "" {
			comparePaths(t, last, name)
			comparePaths(t, name, last)
		}
		last = name
	}
}

func comparePaths(t *testing.T, a, b string) {
	t.Helper()
	x, err := elffile.Open(a)
	if err != nil {
		return
	}
	defer x.Close()
	y, err := elffile.Open(b)
	if err != nil {
		return
	}
	defer y.Close()
	r, err := Images(x, y)
	if err != nil {
		t.Errorf("%s, %s: %v", a, b, err)
		return
	}
	if checkSums(t, r); t.Failed() {
		t.Fatal(filepath.Base(a), filepath.Base(b))
	}
}
