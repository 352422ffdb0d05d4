package match_test

import (
	"debug/elf"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/elftest"
	"elfwright/internal/samples"
	"elfwright/match"
)

func parse(t testing.TB, name string, b []byte) *elffile.File {
	t.Helper()
	f, err := elffile.Parse(name, b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func open(t *testing.T, path string) *elffile.File {
	t.Helper()
	f, err := elffile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// verdicts are the checks that do not say yes: "entry no".
func verdicts(r *match.Report) string {
	var list []string
	for _, c := range r.Checks {
		if c.Verdict != match.Yes {
			list = append(list, c.Name+" "+string(c.Verdict))
		}
	}
	return strings.Join(list, ", ")
}

// change returns a program with some fields changed.
func change(set map[string]uint64) []byte {
	d := elftest.ExecSections(elftest.Kinds()[0])
	d.Set = set
	return d.Bytes()
}

func TestChecks(t *testing.T) {
	k := elftest.Kinds()
	other := elftest.ExecSections(k[0])
	other.Sections = slices.Clone(other.Sections)
	other.Sections[0].Content = elftest.Notes{elftest.BuildID(9, 9, 9, 9, 9, 9, 9, 9)}
	whole := elftest.ExecSections(k[0]).Bytes()
	set := func(name string, v uint64, b []byte) []byte {
		b = slices.Clone(b)
		elftest.Set(b, name, v)
		return b
	}
	noID := set(".note.gnu.build-id[0].n_type", 1, whole)
	for _, tc := range []struct {
		what      string
		img, syms []byte
		match     bool
		want      string
	}{
		{"itself", whole, whole, true, "debuglink unknown"},
		{"another build-id", whole, other.Bytes(), false, "build-id no, debuglink unknown"},
		{"no build-id", noID, whole, true, "build-id unknown, debuglink unknown"},
		{"another entry", change(map[string]uint64{"e_entry": 0x400001}), whole, true, "entry differs, debuglink unknown"},
		{"another entry, no build-id", set("e_entry", 0x400001, noID), noID, false, "build-id unknown, entry no, debuglink unknown"},
		{"another machine", change(map[string]uint64{"e_machine": 62}), change(map[string]uint64{"e_machine": 183}), false, "machine no, debuglink unknown"},
		{"another type", whole, change(map[string]uint64{"e_type": 3}), false, "type no, debuglink unknown"},
		{"another address", change(map[string]uint64{"phdr[2].p_vaddr": 0x700000}), whole, false, "load no, debuglink unknown"},
		{"less memory", change(map[string]uint64{"phdr[2].p_memsz": 0x1000}), whole, false, "load no, debuglink unknown"},
		{"more memory", change(map[string]uint64{"phdr[2].p_memsz": 0x9000}), whole, true, "load differs, debuglink unknown"},
		{"more memory, no build-id", set("phdr[2].p_memsz", 0x9000, noID), noID, false, "build-id unknown, load no, debuglink unknown"},
		{"more of the file", change(map[string]uint64{"phdr[2].p_filesz": 0x20}), whole, true, "debuglink unknown"},
		{"another protection", change(map[string]uint64{"phdr[2].p_flags": 4}), whole, false, "load no, debuglink unknown"},
		{"a header more", whole, change(map[string]uint64{"phdr[2].p_type": 0}), true, "debuglink unknown"},
		{"a header less", change(map[string]uint64{"phdr[2].p_type": 0}), whole, false, "load no, debuglink unknown"},
		{"another class", whole, elftest.ExecSections(k[1]).Bytes(), false, "class no, machine no, load differs, entry differs, debuglink unknown"},
		{"another byte order", whole, elftest.ExecSections(k[2]).Bytes(), false, "byte-order no, machine no, debuglink unknown"},
	} {
		r := match.Files(parse(t, "img", tc.img), parse(t, "syms", tc.syms))
		if got := verdicts(r); r.Match != tc.match || got != tc.want {
			t.Errorf("%s: %v, %s; want %v, %s", tc.what, r.Match, got, tc.match, tc.want)
		}
		err := r.Err()
		no, isNo := errors.AsType[*match.Mismatch](err)
		if (err != nil) == r.Match || err != nil && (!isNo || !no.No() || !strings.HasPrefix(err.Error(), "img: syms does not belong to it\n  ")) {
			t.Errorf("%s: error %v", tc.what, err)
		}
	}
}

// TestOtherTools matches files that other tools have split off with the programs,
// and with each other.
func TestOtherTools(t *testing.T) {
	samples.Need(t, "objcopy", "eu-strip", "strip")
	var programs, debug []string
	dir := t.TempDir()
	for _, name := range []string{"x86-64-pie", "x86-64-nopie", "x86-64-lld-static", "x86-64-page-2M", "x86-64-go", "x86-64-no-build-id"} {
		prog := samples.Find(t, name).Build(t)
		at := func(what string) string { return filepath.Join(dir, name+what) }
		for _, argv := range [][]string{
			{"objcopy", "--only-keep-debug", prog, at(".gnu")},
			{"eu-strip", "-f", at(".eu"), "-o", at(".stripped"), prog},
			{"objcopy", "--strip-all", "--add-gnu-debuglink=" + at(".gnu"), prog, at(".linked")},
		} {
			if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
				t.Fatalf("%v: %v\n%s", argv, err, out)
			}
		}
		programs = append(programs, prog, at(".stripped"), at(".linked"))
		debug = append(debug, at(".gnu"), at(".eu"))
	}
	for i, img := range programs {
		for k, syms := range debug {
			r := match.Files(open(t, img), open(t, syms))
			// Without a build-id a .gnu_debuglink says which tool's file it is.
			own := i/3 == k/2 && !(strings.Contains(syms, "no-build-id") && (i%3 == 1 && k%2 == 0 || i%3 == 2 && k%2 == 1))
			if r.Match != own {
				t.Errorf("%s and %s: %v, %s", img, syms, r.Match, verdicts(r))
			}
		}
	}
	for _, syms := range debug {
		if !match.SplitOff(open(t, syms)) {
			t.Errorf("%s is not seen to be split off", syms)
		}
	}
}

func TestLink(t *testing.T) {
	for _, k := range elftest.Kinds() {
		for _, name := range []string{"a", "abc", "abcd", "libsample.so.debug"} {
			d := elftest.ExecSections(k)
			want := match.Link{Name: name, CRC: 0x12345678}
			format := elffile.Format{Class: k.Class, Data: parse(t, "x", d.Bytes()).Data}
			d.Sections = append(slices.Clone(d.Sections), elftest.Section{Name: match.LinkSection, Align: 4, Data: want.Encode(format)})
			if got, ok, err := match.ReadLink(parse(t, "x", d.Bytes())); got != want || !ok || err != nil {
				t.Errorf("%s: %+v, %v, %v", k.Name, got, ok, err)
			}
		}
		d := elftest.ExecSections(k)
		d.Sections = append(slices.Clone(d.Sections), elftest.Section{Name: match.LinkSection, Data: []byte("no end")})
		if _, ok, err := match.ReadLink(parse(t, "x", d.Bytes())); !ok || err == nil {
			t.Errorf("%s: no error for a name without end", k.Name)
		}
	}
}

func FuzzFiles(f *testing.F) {
	var last []byte
	for _, b := range elftest.WellFormed() {
		f.Add(b, last)
		f.Add(b, b)
		last = b
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		img, err := elffile.Parse("img", a)
		if err != nil {
			return
		}
		syms, err := elffile.Parse("syms", b)
		if err != nil {
			return
		}
		if r := match.Files(img, syms); r.Match != (r.Err() == nil) || len(r.Checks) < 7 {
			t.Errorf("%+v", r)
		}
	})
}

// A file with symbols, and a program that is not the one it was split off.
func ExampleFiles() {
	k := elftest.Kinds()[0]
	prog, _ := elffile.Parse("prog", elftest.ExecSections(k).Bytes())
	other := elftest.Exec(k)
	other.Type = elf.ET_DYN
	syms, _ := elffile.Parse("other.debug", other.Bytes())
	r := match.Files(prog, syms)
	for _, c := range r.Checks {
		if c.Verdict == match.No {
			fmt.Println(c.Name, "-", c.Why)
		}
	}
	// Output:
	// type - EXEC (Executable file) in the image, DYN (Shared object file) in the file with symbols
	// load - the image's has 0x17c bytes of memory, that of the file with symbols 0x84
	// entry - 0x400170 in the image, 0x400078 in the file with symbols
}
