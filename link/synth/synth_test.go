package synth_test

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"elfwright/internal/samples"
	"elfwright/link/model"
)

// sizes are the sizes of the sections of a file that have a name among those
// given, and nothing else.
func sizes(t testing.TB, b []byte, names ...string) string {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, n := range names {
		if s := f.Section(n); s != nil && s.Size != 0 {
			out = append(out, fmt.Sprintf("%s=%#x", n, s.Size))
		}
	}
	return strings.Join(out, " ")
}

// reference links with GNU ld and returns the file.
func reference(t testing.TB, dir, triple string, objs []string, args ...string) []byte {
	t.Helper()
	run(t, dir, triple+"ld", append(append(args, "-o", "ref"), objs...)...)
	b, err := os.ReadFile(filepath.Join(dir, "ref"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// readelf has readelf accept the file, without a word of warning.
func readelf(t testing.TB, dir string, b []byte, args ...string) string {
	t.Helper()
	samples.Need(t, "readelf")
	name := filepath.Join(dir, "ours")
	if err := os.WriteFile(name, b, 0o777); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("readelf", append(args, name)...).CombinedOutput()
	if err != nil || bytes.Contains(out, []byte("arning")) || bytes.Contains(out, []byte("rror:")) {
		t.Errorf("readelf %v: %v\n%s", args, err, out)
	}
	return string(out)
}

var dynamicSource = map[string]string{
	"a.c": `int v; int *pv = &v; __attribute__((visibility("hidden"))) int hv; int *ph = &hv; int f(void) { return 1; }
int g(void) { return f(); }
int *addr(void) { return &v; }
static const char *words[] = {"one", "two", "three"}; const char *w(int i) { return words[i]; }`,
	"b.c": `extern int f(void); __thread int tls = 3; int *t(void) { return &tls; } int h(void) { return f(); }
void _start(void) { h(); }`,
}

// dataSource has addresses in data only, so that the test's linker, which knows
// little of instructions, can link it for every machine.
var dataSource = map[string]string{
	"a.c": `int v; int *pv = &v; __attribute__((visibility("hidden"))) int hv; int *ph = &hv; int f(void) { return 1; }
int (*pf)(void) = f; static const char *words[] = {"one", "two", "three"}; const char **pw = words;`,
	"b.c": `extern int f(void); int (*qf)(void) = f; __thread int tls = 3; void _start(void) {}`,
}

// TestDynamicSizes: with the same inputs the tables of the dynamic linker are as
// large as GNU ld's, and readelf finds nothing wrong with them.
func TestDynamicSizes(t *testing.T) {
	tables := []string{".interp", ".hash", ".gnu.hash", ".dynsym", ".dynstr", ".dynamic", ".rela.dyn", ".rel.dyn", ".rela.plt", ".rel.plt", ".got", ".got.plt"}
	const symbols = 6 // the others depend on relaxation, of which the test's linker does none
	yes := true
	for name, triple := range tools {
		for _, x := range []struct {
			args string
			opt  model.Options
		}{
			{"-pie", model.Options{PIE: true}},
			{"-pie --no-dynamic-linker -z now", model.Options{PIE: true, NoDynamicLinker: true, Now: true, Relro: &yes}},
			{"-shared", model.Options{Shared: true}},
			{"-shared -Bsymbolic --hash-style=gnu -soname lib.so", model.Options{Shared: true, Symbolic: true, HashStyle: "gnu", Soname: "lib.so"}},
		} {
			t.Run(name+" "+x.args, func(t *testing.T) {
				x86 := name == "x86-64" || name == "i386"
				source := dataSource
				if x86 {
					source = dynamicSource
				}
				dir, objs := build(t, triple, "-O1 -fPIC -ftls-model=initial-exec -fno-asynchronous-unwind-tables", source)
				ref := reference(t, dir, triple, objs, strings.Fields(x.args+" --no-relax")...)
				opt := x.opt
				opt.Output = "ref"
				ours := newLab(t, dir, objs, &opt).link()
				equal := tables
				switch {
				case !x86:
					equal = nil // section symbols in .dynsym
				case x.args != "-shared":
					equal = tables[:symbols]
				}
				if got, want := sizes(t, ours, equal...), sizes(t, ref, equal...); got != want {
					t.Errorf("\n got %s\nwant %s", got, want)
				}
				readelf(t, dir, ours, "-aW")
				sameDynamic(t, ours, ref)
			})
		}
	}
}

// sameDynamic compares the tags, in order, and the dynamic symbols by name.
func sameDynamic(t *testing.T, ours, ref []byte) {
	t.Helper()
	read := func(b []byte) (tags string, syms []string) {
		f, err := elf.NewFile(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		d, _ := f.Section(".dynamic").Data()
		for n := f.Section(".dynamic").Entsize; len(d) > 0; d = d[n:] {
			if n == 16 {
				tags += fmt.Sprint(elf.DynTag(f.ByteOrder.Uint64(d)), " ")
			} else {
				tags += fmt.Sprint(elf.DynTag(f.ByteOrder.Uint32(d)), " ")
			}
		}
		list, _ := f.DynamicSymbols()
		for _, s := range list {
			if elf.ST_TYPE(s.Info) == elf.STT_SECTION {
				continue // GNU ld has symbols of some sections on some machines
			}
			syms = append(syms, fmt.Sprintf("%s %v %d %v", s.Name, elf.ST_TYPE(s.Info), s.Size, s.Section == 0))
		}
		sort.Strings(syms)
		return tags, syms
	}
	tags, syms := read(ours)
	wantTags, wantSyms := read(ref)
	if tags != wantTags {
		t.Errorf("tags\n got %s\nwant %s", tags, wantTags)
	}
	if fmt.Sprint(syms) != fmt.Sprint(wantSyms) {
		t.Errorf("symbols\n got %q\nwant %q", syms, wantSyms)
	}
}

// TestSymbolTable: the local part of .symtab is GNU ld's, symbol by symbol; the
// globals are the same, in an order of our own.
func TestSymbolTable(t *testing.T) {
	source := map[string]string{
		"a.c": `static int z; int *zp = &z; __attribute__((visibility("hidden"))) int hid = 3; static void f(void) {} int g(void) { f(); return hid; }
static __thread int tl; int *tlp(void) { return &tl; } int w(void) __attribute__((weak)); int w(void) { return 1; }`,
		"b.s": "\t.section .rodata.str,\"aMS\",@progbits,1\n.Lone:\t.string \"one\"\n\t.data\n\t.globl _start\n_start:\t.quad .Lone\n.Lkept:\t.quad .Lkept\n",
		"c.c": "",
	}
	dir, objs := build(t, "", "-fno-pic -Wa,-L -fno-asynchronous-unwind-tables", source)
	for _, x := range []struct {
		args string
		opt  model.Options
	}{
		{"", model.Options{}},
		{"-X", model.Options{DiscardLocals: model.DiscardTemporary}},
		{"-x", model.Options{DiscardLocals: model.DiscardAll}},
		{"--discard-none", model.Options{DiscardLocals: model.DiscardNone}},
		{"-s", model.Options{Strip: model.StripAll}},
	} {
		ref := reference(t, dir, "", objs, strings.Fields(x.args)...)
		ours := newLab(t, dir, objs, &x.opt).link()
		gotL, gotG := symbolNames(t, ours)
		wantL, wantG := symbolNames(t, ref)
		if gotL != wantL {
			t.Errorf("%s: locals\n got %s\nwant %s", x.args, gotL, wantL)
		}
		if gotG != wantG {
			t.Errorf("%s: globals\n got %s\nwant %s", x.args, gotG, wantG)
		}
	}
}

func symbolNames(t *testing.T, b []byte) (local, global string) {
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	syms, _ := f.Symbols()
	var globals []string
	for _, s := range syms {
		text := fmt.Sprintf("%s:%v:%v:%d ", s.Name, elf.ST_TYPE(s.Info), elf.ST_VISIBILITY(s.Other), s.Size)
		switch {
		case elf.ST_BIND(s.Info) == elf.STB_LOCAL:
			local += text
		case s.Name != "_end" && s.Name != "_edata" && s.Name != "__bss_start": // of the script
			globals = append(globals, text)
		}
	}
	sort.Strings(globals)
	return local, strings.Join(globals, "")
}

// TestProperties: what all objects' code can do, and what any needs, is GNU ld's.
func TestProperties(t *testing.T) {
	note := func(words string) string {
		return "\t.section .note.gnu.property,\"a\",@note\n\t.balign 8\n\t.long 4, 2f-1f, 5\n\t.string \"GNU\"\n1:\n" + words + "2:\n\t.text\n"
	}
	word := func(typ, v uint32) string { return fmt.Sprintf("\t.long %#x, 4, %#x, 0\n", typ, v) }
	for name, source := range map[string]map[string]string{
		"both":   {"a.s": note(word(0xc0000002, 3)+word(0xc0008002, 1)) + start, "b.s": note(word(0xc0000002, 1) + word(0xc0008002, 2) + word(0xc0010002, 4))},
		"one":    {"a.s": note(word(0xc0000002, 3)+word(0xc0008002, 1)) + start, "b.s": ""},
		"other":  {"a.s": start, "b.s": note(word(0xc0000002, 3) + word(0xc0008002, 1) + word(0xc0010002, 4))},
		"nocopy": {"a.s": note("\t.long 2, 0\n") + start, "b.s": ""},
	} {
		source["c.c"] = "int main(void) { return 0; }"
		if name == "both" {
			delete(source, "c.c")
			source["c.s"] = ".globl main\nmain: ret\n" + note(word(0xc0000002, 1)+word(0xc0010002, 1))
		}
		t.Run(name, func(t *testing.T) {
			dir, objs := build(t, "", "-fcf-protection=none -fno-asynchronous-unwind-tables", source)
			ref := reference(t, dir, "", objs)
			ours := newLab(t, dir, objs, &model.Options{}).link()
			if got, want := contents(t, ours, ".note.gnu.property"), contents(t, ref, ".note.gnu.property"); got != want {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
		})
	}
}

func contents(t *testing.T, b []byte, name string) string {
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	s := f.Section(name)
	if s == nil {
		return "none"
	}
	d, _ := s.Data()
	return fmt.Sprintf("%x", d)
}

// TestWarning: an object's .gnu.warning.SYMBOL speaks when another refers to it.
func TestWarning(t *testing.T) {
	dir, objs := build(t, "", "-fno-pic", map[string]string{
		"a.c": `extern int old(void); void _start(void) { old(); }`,
		"b.c": `static const char text[] __attribute__((used, section(".gnu.warning.old"))) = "old is old"; int old(void) { return 1; }`,
	})
	l := newLab(t, dir, objs, &model.Options{})
	b := l.link()
	w := l.env.Report.Warnings()
	if len(w) != 1 || w[0].Error() != "a.o(.text+0x5): old is old" && !strings.HasSuffix(w[0].Error(), "): old is old") {
		t.Errorf("warnings: %q", w)
	}
	if contents(t, b, ".gnu.warning.old") != "none" {
		t.Error("the text is in the output")
	}
}
