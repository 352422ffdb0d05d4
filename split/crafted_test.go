package split_test

import (
	"bytes"
	"debug/elf"
	"errors"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/elftest"
	"elfwright/split"
)

// parse reads bytes, and ends the test where they are no ELF file.
func parse(t *testing.T, name string, b []byte) *elffile.File {
	t.Helper()
	f, err := elffile.Parse(name, b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// all returns a body's bytes, in memory of their own.
func all(t *testing.T, b *elffile.Body) []byte {
	t.Helper()
	var buf bytes.Buffer
	if _, err := b.WriteTo(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// splitBytes splits a program in memory.
func splitBytes(t *testing.T, b []byte, sections string) (img, syms []byte, r *split.Report) {
	t.Helper()
	s, err := split.Split(parse(t, "prog", b), split.Options{Sections: sections, Link: "prog.debug"})
	if err != nil {
		t.Fatal(err)
	}
	return all(t, s.Image), all(t, s.Symbols), s.Report
}

// TestKinds: both classes and byte orders, with bytes between sections and behind
// everything.
func TestKinds(t *testing.T) {
	for _, k := range elftest.Kinds() {
		d := elftest.ExecSections(k)
		d.Sections[4].Before = []byte("between two sections, not zero")
		d.Sections[5].Before = make([]byte, 40)
		if !roundTrip(t, k.Name, d.Bytes()) {
			t.Errorf("%s: refused", k.Name)
		}
		for name, d := range map[string]elftest.File{"exec": elftest.Exec(k), "shared": elftest.Shared(k)} {
			if !roundTrip(t, k.Name+" "+name, d.Bytes()) {
				t.Errorf("%s, %s: refused", k.Name, name)
			}
		}
		bare := elftest.ExecSections(k)
		bare.NoSectionHeaders = true
		if !roundTrip(t, k.Name+" without section headers", bare.Bytes()) {
			t.Errorf("%s: refused", k.Name)
		}
	}
}

// TestFirmware: a program header table that is loaded nowhere, segments stored
// elsewhere than they run, an allocated section that no program header loads.
func TestFirmware(t *testing.T) {
	for _, k := range elftest.Kinds() {
		d := elftest.File{
			Class: k.Class, Order: k.Order, Machine: k.Machine, Type: elf.ET_EXEC, EntryIn: ".text",
			Segments: []elftest.Segment{
				{Type: elf.PT_LOAD, Flags: elf.PF_R | elf.PF_X, Sections: []string{".text"}},
				{Type: elf.PT_LOAD, Flags: elf.PF_R | elf.PF_W, Sections: []string{".data", ".bss"}, Paddr: 0x8100},
			},
			Sections: []elftest.Section{
				{Name: ".text", Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR, Addr: 0x8000, Align: 4, Data: []byte("code....")},
				{Name: ".data", Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Addr: 0x20000000, Align: 8, Data: []byte("data....")},
				{Name: ".bss", Type: elf.SHT_NOBITS, Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Addr: 0x20000008, Align: 8, Size: 0x40},
				{Name: ".noload", Flags: elf.SHF_ALLOC, Addr: 0x30000000, Align: 4, Data: []byte("no program header has this")},
				{Name: ".symtab", Content: elftest.Symbols{{Name: "buffer", Section: ".bss", Size: 0x40, Bind: elf.STB_GLOBAL, Type: elf.STT_OBJECT}}},
			},
		}
		b := d.Bytes()
		if !roundTrip(t, k.Name, b) {
			t.Fatalf("%s: refused", k.Name)
		}
		img, syms, _ := splitBytes(t, b, split.Minimal)
		f := parse(t, "img", img)
		if i := f.SectionByName(".noload"); i >= 0 {
			t.Errorf("%s: the image has a section that is not loaded", k.Name)
		}
		s := parse(t, "syms", syms)
		if data, err := s.SectionData(s.SectionByName(".noload")); err != nil || string(data) != "no program header has this" {
			t.Errorf("%s: .noload in the symbols is %q, %v", k.Name, data, err)
		}
		for _, p := range s.Progs {
			if p.Filesz != 0 {
				t.Errorf("%s: the symbols have a program header with bytes: %+v", k.Name, p)
			}
		}
	}
}

// TestPatched: bytes of the image that were changed are in the joined program,
// and nothing else changes.
func TestPatched(t *testing.T) {
	for _, sections := range []string{split.Minimal, split.None} {
		b := whole()
		img, syms, _ := splitBytes(t, b, sections)
		at := bytes.Index(img, []byte("data...."))
		copy(img[at:], "DATA")
		j, err := split.Join(parse(t, "img", img), parse(t, "prog.debug", syms), split.JoinOptions{})
		if err != nil {
			t.Fatal(err)
		}
		want := bytes.Replace(b, []byte("data...."), []byte("DATA...."), 1)
		if got := all(t, j.Body); !bytes.Equal(got, want) || j.Report.Identical || j.Report.How != split.Exact || len(j.Report.Changes) != 1 {
			t.Errorf("sections %s: joined by %s, identical %v, %v; %d and %d bytes", sections, j.Report.How, j.Report.Identical, j.Report.Changes, len(got), len(want))
		}
	}
}

// grow gives the last PT_LOAD n more bytes of the file, filled, as a patcher does
// that sets a variable in .bss of a file without section headers.
func grow(t *testing.T, img []byte, n uint64) []byte {
	t.Helper()
	f := parse(t, "img", img)
	body := f.Body.Clone()
	p := &f.Progs[2]
	if p.Type != elf.PT_LOAD || p.Off+p.Filesz != uint64(body.Size()) {
		t.Fatalf("not what this test is made for: %+v", p)
	}
	body.Put(body.Size(), elffile.Buffer(bytes.Repeat([]byte{0xab}, int(n))))
	p.Filesz += n
	f.Body = body
	return all(t, f.Encode())
}

// TestGrown: .bss that has bytes in the image's file has them in the program, all
// or in part.
func TestGrown(t *testing.T) {
	for _, n := range []uint64{16, 0x2000} {
		img, syms, _ := splitBytes(t, whole(), split.None)
		j, err := split.Join(parse(t, "img", grow(t, img, n)), parse(t, "prog.debug", syms), split.JoinOptions{})
		if err != nil {
			t.Fatal(err)
		}
		f := parse(t, "joined", all(t, j.Body))
		name := ".bss"
		if n < 0x2000 {
			name = ".ewbss"
		}
		i := f.SectionByName(name)
		if i < 0 {
			t.Fatalf("0x%x bytes: no section %s; %v", n, name, j.Report.Changes)
		}
		s := f.Sections()[i]
		data, err := f.SectionData(i)
		if err != nil || s.Addr != 0x600008 || s.Type != elf.SHT_PROGBITS || !bytes.Equal(data, bytes.Repeat([]byte{0xab}, int(n))) {
			t.Errorf("0x%x bytes: section %s %+v, %v", n, name, s, err)
		}
		if b := f.Sections()[f.SectionByName(".bss")]; n < 0x2000 && (b.Addr != 0x600018 || b.Size != 0x2000-16 || b.Type != elf.SHT_NOBITS) {
			t.Errorf("the rest of .bss is %+v", b)
		}
		if err := f.CheckProgs(); err != nil {
			t.Error(err)
		}
		table, err := f.SymbolTable(f.SectionByType(elf.SHT_SYMTAB))
		if err != nil || table.Len() != 5 || string(table.Name(table.At(4))) != "buffer" || table.At(4).Value != 0x600008 {
			t.Errorf("the symbols are not as they were: %d, %v", table.Len(), err)
		}
		if tail := "an appended archive would be here"; !bytes.HasSuffix(all(t, j.Body), []byte(tail)) {
			t.Errorf("what ended the program does not end it any more")
		}
	}
}

// TestSymbolsChanged: a file with symbols that another tool wrote anew is joined
// section by section.
func TestSymbolsChanged(t *testing.T) {
	b := whole()
	img, syms, _ := splitBytes(t, b, split.Minimal)
	at := bytes.Index(syms, []byte("elftest\x00"))
	copy(syms[at:], "changed")
	_, err := split.Join(parse(t, "img", img), parse(t, "prog.debug", syms), split.JoinOptions{})
	if err != nil {
		t.Fatal(err)
	}
	j, err := split.Join(parse(t, "img", img), parse(t, "prog.debug", syms), split.JoinOptions{Force: true})
	if err != nil {
		t.Fatal(err)
	}
	if j.Report.How != split.Merged || len(j.Report.Warnings) == 0 || j.Report.Warnings[0].Code != "symbols-changed" {
		t.Errorf("joined by %s, %v", j.Report.How, j.Report.Warnings)
	}
	f := parse(t, "joined", all(t, j.Body))
	if data, _ := f.SectionData(f.SectionByName(".comment")); string(data) != "changed\x00" {
		t.Errorf(".comment is %q", data)
	}
	if data, _ := f.SectionData(f.SectionByName(".text")); len(data) == 0 {
		t.Error(".text has no bytes")
	}
	if f.SectionByName(".elfwright.split") >= 0 || f.SectionByName(".gnu_debuglink") >= 0 {
		t.Error("sections of the split are in the program")
	}
}

func TestRefused(t *testing.T) {
	k := elftest.Kinds()[0]
	_, syms, _ := splitBytes(t, whole(), split.None)
	noLoad := elftest.Exec(k)
	noLoad.Segments[0].Type = elf.PT_NOTE
	beyond := elftest.Exec(k)
	beyond.Segments[0].Filesz = 1 << 40
	for _, tc := range []struct {
		name string
		b    []byte
		want string
		no   bool
	}{
		{"object", elftest.Object(k).Bytes(), "a relocatable object has no program headers", true},
		{"core", elftest.Core(k).Bytes(), "a core dump has no symbols of its own", true},
		{"symbols", syms, "was split off from a program already", true},
		{"no PT_LOAD", noLoad.Bytes(), "there is no PT_LOAD", true},
		{"cut off", beyond.Bytes(), "program header 0, p_offset at 0x48: 0x0 + p_filesz 0x10000000000 is past the end of the file", false},
	} {
		_, err := split.Split(parse(t, tc.name, tc.b), split.Options{})
		_, no := errors.AsType[*split.Refusal](err)
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), tc.name) || no != tc.no {
			t.Errorf("%s: %v (a refusal: %v)", tc.name, err, no)
		}
	}
	if _, err := split.Split(parse(t, "prog", whole()), split.Options{Sections: "some"}); err == nil {
		t.Error("sections some: no error")
	}
}

// TestWarnings: the report says what is in the way of a debugger.
func TestWarnings(t *testing.T) {
	codes := func(b []byte, sections string) string {
		_, _, r := splitBytes(t, b, sections)
		var list []string
		for _, w := range r.Warnings {
			list = append(list, w.Code)
		}
		return strings.Join(list, " ")
	}
	d := elftest.ExecSections(elftest.Kinds()[0])
	noID := d
	noID.Segments = append(d.Segments[:3:3], d.Segments[4])
	noID.Sections = d.Sections[1:]
	noSymbols := d
	noSymbols.Sections = d.Sections[:5]
	for _, tc := range []struct {
		b              []byte
		sections, want string
	}{
		{d.Bytes(), split.Minimal, ""},
		{d.Bytes(), split.None, "not-found"},
		{noID.Bytes(), split.Minimal, "no-build-id"},
		{noID.Bytes(), split.None, "not-found"},
		{noSymbols.Bytes(), split.Minimal, "no-symbols"},
	} {
		if got := codes(tc.b, tc.sections); got != tc.want {
			t.Errorf("sections %s: warnings %q, want %q", tc.sections, got, tc.want)
		}
	}
}
