package compare

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"elfwright/elffile"
	"elfwright/internal/elftest"
)

// parse reads a file from memory.
func parse(t testing.TB, name string, b []byte) *elffile.File {
	t.Helper()
	f, err := elffile.Parse(name, b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// diff compares two files in memory.
func diff(t testing.TB, a, b []byte) *Report {
	t.Helper()
	r, err := Images(parse(t, "old", a), parse(t, "new", b))
	if err != nil {
		t.Fatal(err)
	}
	checkSums(t, r)
	return r
}

// text is a report as text.
func text(t testing.TB, r *Report) string {
	t.Helper()
	var b strings.Builder
	if err := r.WriteText(&b, Output{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// checkSums: the rows of each size table add up to its total.
func checkSums(t testing.TB, r *Report) {
	t.Helper()
	if r.Same {
		return
	}
	z := &r.Sizes
	for name, list := range map[string][]SizeRow{"sections": z.Sections, "symbols": z.Symbols} {
		var mem, file int64
		for _, row := range list {
			mem += row.Memory.Delta()
			file += row.File.Delta()
		}
		if mem != z.Total.Memory.Delta() || file != z.Total.File.Delta() {
			t.Errorf("sizes by %s add up to %+d and %+d, the total is %+d and %+d", name, mem, file, z.Total.Memory.Delta(), z.Total.File.Delta())
		}
	}
	if z.Total.File.Old != r.Old.Size || z.Total.File.New != r.New.Size {
		t.Errorf("the files have %d and %d bytes, the total has %v", r.Old.Size, r.New.Size, z.Total.File)
	}
	if r.Empty() {
		t.Error("the files differ, and the report is empty")
	}
}

// image is an executable with functions, data and everything a linker adds.
func image(k elftest.Kind, edit func(*elftest.File)) []byte {
	code := make([]byte, 0x60)
	for i := range code {
		code[i] = byte(i*7 + 1)
	}
	f := elftest.File{
		Class: k.Class, Order: k.Order, Type: elf.ET_EXEC, Machine: k.Machine, Base: 0x400000, EntryIn: ".text",
		Segments: []elftest.Segment{
			{Type: elf.PT_LOAD, Flags: elf.PF_R | elf.PF_X, Whole: false, Sections: []string{".note.gnu.build-id", ".text"}, Align: 0x1000},
			{Type: elf.PT_LOAD, Flags: elf.PF_R | elf.PF_W, Sections: []string{".data", ".bss"}, Align: 0x1000},
			{Type: elf.PT_NOTE, Flags: elf.PF_R, Sections: []string{".note.gnu.build-id"}, Align: 4},
		},
		Sections: []elftest.Section{
			{Name: ".note.gnu.build-id", Type: elf.SHT_NOTE, Flags: elf.SHF_ALLOC, Align: 4, Content: elftest.Notes{elftest.BuildID(1, 2, 3, 4)}},
			{Name: ".text", Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR, Align: 16, Data: code},
			{Name: ".data", Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Align: 8, Data: []byte("the data of this program")},
			{Name: ".bss", Type: elf.SHT_NOBITS, Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Align: 8, Size: 0x40},
			{Name: ".comment", Data: []byte("made by hand\x00")},
			{Name: ".symtab", Type: elf.SHT_SYMTAB, Content: elftest.Symbols{
				{Name: "main.c", Type: elf.STT_FILE, Index: elf.SHN_ABS},
				{Name: "helper", Section: ".text", Value: 0x40, Size: 0x20, Type: elf.STT_FUNC},
				{Name: "f", Section: ".text", Value: 0, Size: 0x18, Type: elf.STT_FUNC, Bind: elf.STB_GLOBAL},
				{Name: "f_alias", Section: ".text", Value: 0, Size: 0x18, Type: elf.STT_FUNC, Bind: elf.STB_WEAK},
				{Name: "g", Section: ".text", Value: 0x20, Size: 0x20, Type: elf.STT_FUNC, Bind: elf.STB_GLOBAL},
				{Name: "table", Section: ".data", Value: 0, Size: 24, Type: elf.STT_OBJECT, Bind: elf.STB_GLOBAL},
				{Name: "zeros", Section: ".bss", Value: 0, Size: 0x40, Type: elf.STT_OBJECT, Bind: elf.STB_GLOBAL},
			}},
		},
	}
	if edit != nil {
		edit(&f)
	}
	return f.Bytes()
}

// section finds a section of a description.
func section(f *elftest.File, name string) *elftest.Section {
	for i := range f.Sections {
		if f.Sections[i].Name == name {
			return &f.Sections[i]
		}
	}
	panic(name)
}

// symbolsOf gives a description's symbols, to be changed.
func symbolsOf(f *elftest.File) elftest.Symbols {
	return section(f, ".symtab").Content.(elftest.Symbols)
}

func eachKind(t *testing.T, run func(t *testing.T, k elftest.Kind)) {
	for _, k := range elftest.Kinds() {
		t.Run(k.Name, func(t *testing.T) { run(t, k) })
	}
}

func TestIdentity(t *testing.T) {
	for name, b := range elftest.WellFormed() {
		r := diff(t, b, bytes.Clone(b))
		if !r.Same || !r.Empty() || text(t, r) != "" {
			t.Errorf("%s differs from itself:\n%s", name, text(t, r))
		}
	}
}

// TestPatch: four bytes in a function are four bytes of that function, said
// once, and of its section, and nothing else.
func TestPatch(t *testing.T) {
	eachKind(t, func(t *testing.T, k elftest.Kind) {
		old := image(k, nil)
		r := diff(t, old, image(k, func(f *elftest.File) {
			copy(section(f, ".text").Data[0x24:], []byte{0xde, 0xad, 0xbe, 0xef})
		}))
		if len(r.Content) != 1 || len(r.Symbols.Changes) != 1 || len(r.Sections) != 1 ||
			len(r.Header)+len(r.Segments)+len(r.Notes)+len(r.Dynamic)+len(r.Relocs)+len(r.Sizes.Sections)+len(r.Sizes.Symbols)+len(r.Sizes.Segments) != 0 {
			t.Fatalf("more than a function changed:\n%s", text(t, r))
		}
		u := r.Content[0]
		if u.Symbol != "g" || u.Bytes.Differing != 4 || u.Bytes.First != 4 || len(u.Bytes.Ranges) != 1 || u.Bytes.Ranges[0].New != "deadbeef" {
			t.Errorf("%+v", u)
		}
		if s := r.Symbols.Changes[0]; s.Name != "g" || s.Change != Changed || *s.OldAddr != *s.NewAddr {
			t.Errorf("%+v", s)
		}
		if e := r.Sections[0]; e.Name != ".text" || e.Fields != nil || e.Bytes.Differing != 4 || e.Bytes.First != 0x24 {
			t.Errorf("%+v", e)
		}
	})
}

// TestAlias: a change of bytes with two names is one change.
func TestAlias(t *testing.T) {
	k := elftest.Kinds()[0]
	r := diff(t, image(k, nil), image(k, func(f *elftest.File) { section(f, ".text").Data[3] ^= 0xff }))
	if len(r.Symbols.Changes) != 1 || r.Symbols.Changes[0].Name != "f" || len(r.Content) != 1 {
		t.Errorf("%s", text(t, r))
	}
}

// TestBetween: bytes of no symbol are said to follow one.
func TestBetween(t *testing.T) {
	eachKind(t, func(t *testing.T, k elftest.Kind) {
		r := diff(t, image(k, nil), image(k, func(f *elftest.File) { section(f, ".text").Data[0x1c] ^= 0xff }))
		if len(r.Symbols.Counts) != 0 || len(r.Content) != 1 {
			t.Fatalf("%s", text(t, r))
		}
		if u := r.Content[0]; u.Symbol != "f" || !u.After || u.Base+u.Bytes.First != 0x1c || u.Bytes.Differing != 1 {
			t.Errorf("%+v", u)
		}
	})
}

// A change to a description, and the lines that text must have, in any order;
// no others may begin with a sign.
type change struct {
	name string
	edit func(*elftest.File)
	want []string
}

var changes = []change{
	{"entry", func(f *elftest.File) { f.EntryIn, f.Entry = "", 0x1234 }, []string{"~ e_entry "}},
	{"machine flags", func(f *elftest.File) { f.Flags = 0x40000000 }, []string{"~ e_flags "}},
	{"segment protection", func(f *elftest.File) { f.Segments[0].Flags |= elf.PF_W }, []string{"~ 0      LOAD: p_flags RE -> RWE"}},
	{"segment alignment", func(f *elftest.File) { f.Segments[1].Align = 0x2000 }, []string{"~ 1      LOAD: p_align 0x1000 -> 0x2000"}},
	{"header type", func(f *elftest.File) { f.Segments[2].Type = elf.PT_NULL }, []string{"- 2      NOTE", "+ 2      NULL"}},
	{"comment", func(f *elftest.File) { section(f, ".comment").Data[0] ^= 1 }, []string{"~ 5      .comment: 1 byte differs, the first at +0x0"}},
	{"build id", func(f *elftest.File) {
		section(f, ".note.gnu.build-id").Content = elftest.Notes{elftest.BuildID(1, 2, 3, 5)}
	},
		[]string{"~ 1      .note.gnu.build-id: 1 byte differs, the first at +0x13", "~ GNU build ID: value 01020304 -> 01020305"}},
	{"binding", func(f *elftest.File) { symbolsOf(f)[3].Bind = elf.STB_GLOBAL },
		[]string{"~ f_alias: .text, binding WEAK -> GLOBAL", ".symtab: 1 byte differs"}},
	{"symbol renamed", func(f *elftest.File) { symbolsOf(f)[1].Name = "helpfu" },
		[]string{"~ helper -> helpfu: .text", ".strtab:"}},
	{"overlay", func(f *elftest.File) { f.Overlay = []byte("something at the end") }, []string{"+ [overlay]: 20 bytes", "+ [overlay]"}},
	{"bss", func(f *elftest.File) { section(f, ".bss").Size = 0x80; symbolsOf(f)[6].Size = 0x80 },
		[]string{"LOAD: p_memsz ", "~ 4      .bss: sh_size 0x40 -> 0x80", ".symtab: 1 byte differs", "~ zeros: .bss, 64 -> 128 bytes (+64)", "~ .bss", "LOAD RW", "~ zeros in .bss"}},
}

func TestChanges(t *testing.T) {
	eachKind(t, func(t *testing.T, k elftest.Kind) {
		for _, c := range changes {
			t.Run(c.name, func(t *testing.T) {
				old, new := image(k, nil), image(k, c.edit)
				for _, way := range [][2][]byte{{old, new}, {new, old}} {
					got := text(t, diff(t, way[0], way[1]))
					if &way[0][0] != &old[0] {
						continue // the way back must only keep its promises
					}
					for line := range strings.Lines(got) {
						if !tells(line) {
							continue
						}
						found := false
						for _, w := range c.want {
							found = found || strings.Contains(line, w)
						}
						if !found {
							t.Errorf("unexpected: %s", line)
						}
					}
					for _, w := range c.want {
						if !strings.Contains(got, w) {
							t.Errorf("no line has %q:\n%s", w, got)
						}
					}
				}
			})
		}
	})
}

// tells says whether a line of text tells a change.
func tells(line string) bool {
	for _, sign := range []string{"  ~ ", "  + ", "  - ", "  > ", "| ~ ", "| + ", "| - "} {
		if strings.Contains(line, sign) {
			return true
		}
	}
	return false
}

// TestMoved: everything lies elsewhere, and nothing else happened. What has
// two names moved once.
func TestMoved(t *testing.T) {
	eachKind(t, func(t *testing.T, k elftest.Kind) {
		r := diff(t, image(k, nil), image(k, func(f *elftest.File) { f.Base = 0x800000 }))
		if len(r.Content) != 0 || r.Symbols.Counts[Moved] != 5 || len(r.Symbols.Counts) != 1 || len(r.Sizes.Symbols) != 0 {
			t.Errorf("%v\n%s", r.Symbols.Counts, text(t, r))
		}
		for _, e := range r.Segments {
			if e.Change != Changed {
				t.Errorf("%+v", e)
			}
		}
	})
}

// TestGrown: a function in the middle grew, those behind it moved.
func TestGrown(t *testing.T) {
	eachKind(t, func(t *testing.T, k elftest.Kind) {
		r := diff(t, image(k, nil), image(k, func(f *elftest.File) {
			s := section(f, ".text")
			s.Data = append(append(append([]byte{}, s.Data[:0x40]...), bytes.Repeat([]byte{0x5a}, 0x10)...), s.Data[0x40:]...)
			syms := symbolsOf(f)
			syms[1].Value, syms[4].Size = 0x50, 0x30
		}))
		if len(r.Symbols.Changes) != 1 || r.Symbols.Changes[0].Name != "g" || r.Symbols.Changes[0].Delta() != 16 || r.Symbols.Counts[Moved] == 0 {
			t.Errorf("%s", text(t, r))
		}
		if z := r.Sizes.Symbols; len(z) == 0 || z[0].Name != "g" || z[0].Memory.Delta() != 16 {
			t.Errorf("%+v", z)
		}
		if len(r.Content) != 1 || r.Content[0].Symbol != "g" {
			t.Errorf("%+v", r.Content)
		}
	})
}

// TestStripped: a symbol table that went does not take the names of what it
// named, which the other file still has.
func TestStripped(t *testing.T) {
	eachKind(t, func(t *testing.T, k elftest.Kind) {
		r := diff(t, image(k, nil), image(k, func(f *elftest.File) {
			f.Sections = f.Sections[:len(f.Sections)-1]
			section(f, ".text").Data[0x24]++
		}))
		if len(r.Symbols.Tables) != 1 || r.Symbols.Tables[0].Change != Removed || len(r.Symbols.Counts) != 1 {
			t.Errorf("%s", text(t, r))
		}
		if len(r.Content) != 1 || r.Content[0].Symbol != "g" || r.Content[0].Bytes.First != 4 {
			t.Errorf("%s", text(t, r))
		}
	})
}

func TestPlainName(t *testing.T) {
	for _, c := range []struct{ name, number, strip string }{
		{"f", "f", "f"},
		{"f.constprop.0", "f.constprop.", "f"},
		{"f.isra.0.constprop.1", "f.isra.0.constprop.", "f"},
		{"f.part.12", "f.part", "f.part"},
		{"f.cold", "f.cold", "f.cold"},
		{"f.cold.3", "f.cold", "f.cold"},
		{"f.llvm.1234567890", "f.llvm.", "f"},
		{"counter.0", "counter", "counter"},
		{"_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE", "_ZN4core3fmt5Write9write_fmtE", "_ZN4core3fmt5Write9write_fmtE"},
		{"_RNvCs1234_7mycrate3foo", "_RNvC7mycrate3foo", "_RNvC7mycrate3foo"},
		{".L1", ".L1", ".L1"},
		{"", "", ""},
	} {
		if got, changed := plainName(c.name, false); got != c.number || changed != (got != c.name) {
			t.Errorf("plainName(%q, false) = %q, %v, want %q", c.name, got, changed, c.number)
		}
		if got, _ := plainName(c.name, true); got != c.strip {
			t.Errorf("plainName(%q, true) = %q, want %q", c.name, got, c.strip)
		}
	}
}

// TestJSON: what is written is JSON, with its version, whatever the names are.
func TestJSON(t *testing.T) {
	k := elftest.Kinds()[0]
	r := diff(t, image(k, nil), image(k, func(f *elftest.File) {
		symbolsOf(f)[4].Name = "\xff\n<g>"
		section(f, ".text").Data[0x24]++
	}))
	for _, o := range []Output{{}, {Limit: 1}, {Demangle: strings.ToUpper}} {
		var b bytes.Buffer
		if err := r.WriteJSON(&b, o); err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := json.Unmarshal(b.Bytes(), &doc); err != nil || doc["version"] != float64(Version) || doc["same"] != false {
			t.Errorf("%v: %s", err, b.Bytes())
		}
		if o.Limit == 1 && doc["left_out"] == nil {
			t.Errorf("nothing was left out: %s", b.Bytes())
		}
	}
	if s := text(t, r); !utf8.ValidString(s) || strings.Contains(s, "\n<g>") {
		t.Errorf("%q", text(t, r))
	}
}

// TestHostile compares broken files with the good one, in both directions: no
// panic, totals that add up, and never an empty report.
func TestHostile(t *testing.T) {
	n := 60
	if testing.Short() {
		n = 10
	}
	seed := uint64(1)
	for name, good := range elftest.WellFormed() {
		left := n
		for how, bad := range elftest.Mutate(seed, good) {
			if left--; left < 0 {
				break
			}
			hostile(t, name+": "+how, good, bad)
		}
		seed++
	}
}

func hostile(t *testing.T, name string, good, bad []byte) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			t.Fatalf("%s: %v", name, r)
		}
	}()
	f, err := elffile.Parse("bad", bad)
	if err != nil {
		return
	}
	for range 2 {
		g := parse(t, "good", good)
		for _, pair := range [][2]*elffile.File{{f, g}, {g, f}, {f, f}} {
			r, err := Images(pair[0], pair[1])
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if before := t.Failed(); !before {
				if checkSums(t, r); t.Failed() {
					t.Fatal(name)
				}
			}
			for _, write := range []func() error{
				func() error { return r.WriteText(new(strings.Builder), Output{}) },
				func() error { return r.WriteJSON(new(strings.Builder), Output{}) },
				func() error { return r.WriteHTML(new(strings.Builder), Output{}) },
			} {
				if err := write(); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
		}
	}
}

func FuzzImages(f *testing.F) {
	var list [][]byte
	for _, b := range elftest.WellFormed() {
		list = append(list, b)
	}
	for i, b := range list {
		f.Add(b, list[(i+1)%len(list)])
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		x, err := elffile.Parse("old", a)
		if err != nil {
			return
		}
		y, err := elffile.Parse("new", b)
		if err != nil {
			return
		}
		r, err := Images(x, y)
		if err != nil {
			t.Fatal(err)
		}
		checkSums(t, r)
	})
}

func ExampleImages() {
	k := elftest.Kinds()[0]
	b := image(k, func(f *elftest.File) { section(f, ".text").Data[0x24]++ })
	old, _ := elffile.Parse("old", image(k, nil))
	new, _ := elffile.Parse("new", b)
	r, err := Images(old, new)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range r.Symbols.Changes {
		fmt.Println(s.Name, s.Change, s.Bytes)
	}
	// Output: g changed 1 byte differs, the first at +0x4
}
