package patch_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/samples"
	"elfwright/patch"
)

// TestRefusals: what cannot be, with the reason. All are the answer no.
func TestRefusals(t *testing.T) {
	prog := open(t, native.build(t, "-pie"))
	for _, tc := range []struct{ set, want string }{
		{"microkit_nme=1", "microkit_nme: no symbol or section has this name in"},
		{"microkit_nme=1", "(did you mean microkit_name"},
		{"small=128", "small: 128 does not fit int8_t (-128 to 127)"},
		{"half=-1", "half: -1 does not fit uint16_t (0 to 65535)"},
		{"half=0x10000", "half: 0x10000 does not fit uint16_t"},
		{"half:u8=256", "half: 256 does not fit u8 (0 to 255)"},
		{"small:u16=1", "small: u16 has 2 bytes, and there are 0x1; --force goes on"},
		{"tab=5", "tab: it is an array (int[]): say which element, as tab[0], or give all with tab[]"},
		{"tab[8]=5", "tab[8]: index 8 is beyond the last element (7); --force goes on"},
		{"tab[]=1,2,3,4,5,6,7,8,9", "tab[]: 9 values for 8 elements"},
		{"counter[0]=5", "counter[0]: int is no array"},
		{"ptr[0]=5", "ptr[0]: it is a pointer: what it points to is known at run time"},
		{"cfg=5", "cfg: a number does not fit cfg"},
		{"cfg.nothing=5", "cfg.nothing: cfg has no member nothing; it has version, uart, label, color"},
		{"cfg.uart.base=5", "there is no member base: it is no structure"},
		{"cfg.uart[0].irq=32", "cfg.uart[0].irq: 32 does not fit 5 bits (0 to 31)"},
		{"cfg.uart[0].irq:u8=3", "a bit-field of 5 bits cannot be of another type"},
		{"ptr=&cfg.uart[0].mode", "&cfg.uart[0].mode: a bit-field has no address"},
		{"cfg.color=PINK", "cfg.color: PINK is no enumerator of color; there are RED, GREEN, BLUE"},
		{"cfg.on=2", "cfg.on: 2 does not fit _Bool (0 to 1)"},
		{`cfg.label="12345678"`, "cfg.label: 0x9 bytes of text, with the NUL at its end, do not fit the 0x8 there are"},
		{`cfg.ratio="x"`, "cfg.ratio: text does not fit double"},
		{"cfg.ratio=true", "cfg.ratio: such a value does not fit double"},
		{"fl=1e50", "fl: 1e50 does not fit float"},
		{"counter=1.5", "counter: 1.5 is no whole number, and the type is int"},
		{"counter=hello", `"hello" is no value of int; text stands in double quotes`},
		{"bytes=hex:0102030405", "bytes: 0x5 bytes do not fit the 0x4 there are"},
		{"microkit_irqs=&tab", "no relocation adds it at"},
		{"ptr=7", "ptr: the dynamic linker writes to"},
		{"ptr=&tl", "&tl: a thread-local variable has an address for each thread"},
		{"tl+4:u32=1", "tl+4: 0x"},
		{"half+2:u16=1", "half+2: 0x"},
		{"0x1:u8=1", "[0x1, 0x2) of the file is within the ELF header; phdr changes that"},
		{"0x10000000:u8=1", "the address 0x10000000 is in the memory of no PT_LOAD"},
		{"half:f32=1", "half: f32 has 4 bytes, and there are 0x2"},
		{"other.c:counter=1", "other.c:counter: no local symbol of other.c or section has this name"},
		{"counter=segment[99].size", "there are"},
		{"counter=section[.nothing].size", "there is no loaded section of this name"},
		{"microkit_name.x=1", "there is no member x: it is no structure"},
		{"{cfg.version}=1", "no symbol or section has this name"},
	} {
		_, err := patch.Apply(prog, parse(t, tc.set), patch.Options{})
		if !no(err) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v\nwant: %s", tc.set, err, tc.want)
		}
	}
}

// TestForce goes on where that can be.
func TestForce(t *testing.T) {
	prog := open(t, native.build(t, "-pie"))
	for _, set := range []string{"tab[8]=5", "half:u32=1", "half+2:u16=1", "ptr=7", "microkit_irqs=&tab", `cfg.label="12345678"`} {
		r, err := patch.Apply(prog, parse(t, set), patch.Options{Force: true})
		if err != nil {
			t.Errorf("%s: %v", set, err)
			continue
		}
		if !strings.HasPrefix(set, "ptr") && !strings.HasPrefix(set, "microkit") {
			continue
		}
		if len(r.Report.Warnings) == 0 {
			t.Errorf("%s: no warning", set)
		}
	}
}

// TestWarnings: a place that the program may not read; --strict refuses.
func TestWarnings(t *testing.T) {
	prog := compile(t, "const int limit = 5; const int *const p = &limit; enum { A } e; int main(void) { return limit; }", "-pie")
	for set, code := range map[string]string{"limit=6": "read-only", "p=&e": "relro", "main:u8=0xc3": "code", "e=77": "no-enumerator"} {
		r, err := patch.Apply(prog, parse(t, set), patch.Options{})
		if err != nil || len(r.Report.Warnings) != 1 || r.Report.Warnings[0].Code != code {
			t.Errorf("%s: %v, %v", set, r, err)
		}
		if _, err := patch.Apply(prog, parse(t, set), patch.Options{Strict: true}); !no(err) {
			t.Errorf("%s, strict: %v", set, err)
		}
	}
}

// TestThreadZeros: the template has no bytes for a variable that starts as zero.
func TestThreadZeros(t *testing.T) {
	prog := compile(t, "__thread int a = 1, b; int main(void) { return a + b; }")
	if _, err := patch.Apply(prog, parse(t, "b=1"), patch.Options{}); !no(err) || !strings.Contains(err.Error(), ".tbss") {
		t.Errorf("b=1: %v", err)
	}
	if _, err := patch.Apply(prog, parse(t, "b=0", "a=5"), patch.Options{}); err != nil {
		t.Errorf("b=0: %v", err)
	}
}

// compile makes a program of one file of C.
func compile(t testing.TB, source string, flags ...string) *elffile.File {
	t.Helper()
	return open(t, samples.MakeFile(t, samples.Recipe{
		Files: map[string]string{"a.c": source},
		Steps: [][]string{append([]string{"gcc", "-g", "-o", "a", "a.c"}, flags...)},
		Out:   "a",
	}))
}

// TestCopy: a variable of a library that a COPY relocation fills.
func TestCopy(t *testing.T) {
	prog := compile(t, "#include <stdio.h>\nint main(void) { return stdout == 0; }", "-no-pie", "-fno-pie")
	for _, name := range []string{"stdout", "stdout@GLIBC_2.2.5"} {
		_, err := patch.Apply(prog, parse(t, "{"+name+"}:u64=1"), patch.Options{})
		if !no(err) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "R_X86_64_COPY") {
			return
		}
	}
	t.Error("no name of the variable was refused for its relocation")
}

// TestAmbiguous: several local symbols of a name, a global one before them, and
// the source file to tell them apart.
func TestAmbiguous(t *testing.T) {
	prog := open(t, samples.MakeFile(t, samples.Recipe{
		Files: map[string]string{
			"a.c": "static int twice = 1; static int thrice = 1; int use_a(void) { return twice + thrice; }",
			"b.c": "static int twice = 2; static int thrice = 2; int use_b(void) { return twice + thrice; }",
			"m.c": "int thrice = 3; int use_a(void), use_b(void); int main(void) { return use_a() + use_b() + thrice; }",
		},
		Steps: [][]string{{"gcc", "-g", "-o", "prog", "a.c", "b.c", "m.c"}},
		Out:   "prog",
	}))
	_, err := patch.Apply(prog, parse(t, "twice=5"), patch.Options{})
	if !no(err) || !strings.Contains(err.Error(), "2 symbols have this name; say FILE:twice") || strings.Count(err.Error(), "\ntwice: local object at 0x") != 2 {
		t.Errorf("twice: %v", err)
	}
	for set, old := range map[string]string{"a.c:twice=5": "01000000", "b.c:twice=5": "02000000", "thrice=5": "03000000", "b.c:thrice=5": "02000000"} {
		r, err := patch.Apply(prog, parse(t, set), patch.Options{})
		if err != nil || r.Report.Writes[0].Old != old {
			t.Errorf("%s: %v, %v", set, r, err)
		}
	}
}

// TestMatch: symbols of another program are refused.
func TestMatch(t *testing.T) {
	prog := open(t, native.build(t, "-pie"))
	other := compile(t, "int counter = 1; int main(void) { return counter; }")
	foreign := open(t, machines[2].build(t, "-static"))
	object := open(t, samples.MakeFile(t, samples.Recipe{
		Files: map[string]string{"a.c": "int counter;"}, Steps: [][]string{{"gcc", "-c", "a.c"}}, Out: "a.o",
	}))
	for want, f := range map[string]*elffile.File{"build-id: ": other, "machine: ": foreign, "REL (Relocatable file) in the file with symbols": object} {
		_, err := patch.Apply(prog, parse(t, "counter=1"), patch.Options{Symbols: []*elffile.File{f}})
		if !no(err) || !strings.Contains(strings.ToUpper(err.Error()), strings.ToUpper(want)) {
			t.Errorf("%s: %v\nwant: %s", f.Name, err, want)
		}
	}
	if _, err := patch.Apply(prog, parse(t, "half=1"), patch.Options{Symbols: []*elffile.File{other}, NoMatch: true}); err != nil {
		t.Error(err)
	}
}

// TestSplitDwarf: what is not read says so.
func TestSplitDwarf(t *testing.T) {
	for flag, want := range map[string]string{"-gsplit-dwarf": ".dwo files (-gsplit-dwarf), which are not read", "-fdebug-types-section": "type unit"} {
		prog := compile(t, "struct s { int a, b; } v = {1, 2}; int main(void) { return v.a; }", flag)
		if _, err := patch.Apply(prog, parse(t, "v.b=3"), patch.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", flag, err)
		}
		if _, err := patch.Apply(prog, parse(t, "v+4:i32=3"), patch.Options{}); err != nil {
			t.Errorf("%s: %v", flag, err)
		}
	}
}

// TestFacts: what is known of the image.
func TestFacts(t *testing.T) {
	prog := native.build(t, "-no-pie")
	f := open(t, prog)
	r, err := patch.Apply(f, parse(t, "microkit_irqs=image.entry", "cfg.uart[0].base=&tab[1]+2", "cfg.uart[1].base=section[blob].size", "counter=segment[2].size"), patch.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 8)
	for i, want := range []uint64{f.Header.Entry, 0, 4000, f.Progs[2].Memsz} {
		clear(got)
		w := r.Report.Writes[i]
		r.Body.ReadAt(got[:w.Size], int64(w.Offset))
		if v := f.U64(got); want != 0 && v != want {
			t.Errorf("%s: 0x%x, want 0x%x", w.Place, v, want)
		}
	}
}

// TestFiles: bytes of a file, and the rule for what they do not fill.
func TestFiles(t *testing.T) {
	name := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(name, []byte("some"), 0o644); err != nil {
		t.Fatal(err)
	}
	prog := open(t, native.build(t, "-no-pie"))
	for _, tc := range []struct {
		opt  patch.Options
		want string
	}{{patch.Options{}, "some\x00\x00"}, {patch.Options{Fill: '.'}, "some.."}, {patch.Options{KeepRest: true}, "some"}} {
		r, err := patch.Apply(prog, parse(t, "microkit_name=@"+name), tc.opt)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 6)
		r.Body.ReadAt(got, int64(r.Report.Writes[0].Offset))
		if !strings.HasPrefix(string(got), tc.want) {
			t.Errorf("%+v: %q", tc.opt, got)
		}
	}
}
