package elffile

import (
	"debug/elf"
	"strings"
	"testing"

	"elfwright/internal/elftest"
)

// forKinds runs a test in all four combinations of class and byte order.
func forKinds(t *testing.T, run func(t *testing.T, k elftest.Kind)) {
	for _, k := range elftest.Kinds() {
		t.Run(k.Name, func(t *testing.T) { run(t, k) })
	}
}

// parse parses what a description gives.
func parseDesc(t *testing.T, d elftest.File) *File {
	t.Helper()
	f, err := Parse(t.Name(), d.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func section(t *testing.T, f *File, name string) int {
	t.Helper()
	i := f.SectionByName(name)
	if i < 0 {
		t.Fatalf("no section %s", name)
	}
	return i
}

// wantError checks that err names all of the words.
func wantError(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error; want one with %q", words)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error without %q: %v", w, err)
		}
	}
}

func TestSymbolTable(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		f := parseDesc(t, elftest.Object(k))
		tab, err := f.SymbolTable(section(t, f, ".symtab"))
		if err != nil {
			t.Fatal(err)
		}
		data := uint32(section(t, f, ".data.bar"))
		if tab.Len() != 10 || tab.CountBy != "sh_size" {
			t.Errorf("%d symbols by %s", tab.Len(), tab.CountBy)
		}
		bar := tab.At(5)
		if string(tab.Name(bar)) != "bar" || bar.Bind() != elf.STB_GLOBAL || bar.Type() != elf.STT_OBJECT || bar.Visibility() != elf.STV_HIDDEN || bar.Size != 8 ||
			uint32(bar.Shndx) != data {
			t.Errorf("symbol 5: %+v %s", bar, tab.Name(bar))
		}
		far := tab.At(6)
		if far.Shndx != ShnXindex || tab.Section(6) != data || far.Value != 4 {
			t.Errorf("extended symbol: %+v, section %d, want %d", far, tab.Section(6), data)
		}
		if s := tab.Section(7); s != uint32(elf.SHN_COMMON) {
			t.Errorf("common symbol: section 0x%x", s)
		}
		if s := tab.At(9); string(tab.Name(s)) != "_ZN3foo3barEi" {
			t.Errorf("last symbol: %+v %s", s, tab.Name(s))
		}
		for i := range tab.Len() { // the encoder is the decoder's mirror
			off := i * f.SymSize()
			if got := string(tab.At(i).Encode(f.Format)); got != string(tab.b[off:off+f.SymSize()]) {
				t.Errorf("symbol %d encodes to %x", i, got)
			}
		}
	})
}

func TestSymbolTableFaults(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		const symtab = 6
		for _, tc := range []struct {
			name  string
			set   map[string]uint64
			n     int // symbols that are there all the same
			words []string
		}{
			{"entsize 0", map[string]uint64{"shdr[6].sh_entsize": 0}, 5, []string{"section header 6 (.symtab)", "sh_entsize", "0 is less"}},
			{"entsize odd", map[string]uint64{"shdr[6].sh_entsize": uint64(symSize(k)) + 1}, 4, []string{"sh_entsize", "is more than the size of an entry"}},
			{"entsize beyond the table", map[string]uint64{"shdr[6].sh_entsize": 1 << 30}, 5, []string{"sh_entsize"}},
			{"not whole", map[string]uint64{"shdr[6].sh_size": 3*uint64(symSize(k)) + 5}, 3, []string{"sh_size", "is not a multiple"}},
			{"past the end", map[string]uint64{"shdr[6].sh_size": 1 << 28}, -1, []string{"sh_offset", "past the end of the file"}},
			{"wraps", map[string]uint64{"shdr[6].sh_offset": ^uint64(0)}, 0, []string{"sh_offset", "past the end of the file"}},
			{"links itself", map[string]uint64{"shdr[6].sh_link": symtab}, 5, []string{"sh_link", "is the section itself"}},
			{"links nothing", map[string]uint64{"shdr[6].sh_link": 0xffffff}, 5, []string{"sh_link", "16777215 is not the index"}},
			{"links text", map[string]uint64{"shdr[6].sh_link": 2}, 5, []string{"sh_link", "section 2 is not a string table", "PROGBITS"}},
			{"strings past the end", map[string]uint64{"shdr[7].sh_offset": 1 << 30}, 5, []string{"section header 7", "past the end of the file"}},
			{"compressed", map[string]uint64{"shdr[6].sh_flags": uint64(elf.SHF_COMPRESSED)}, 0, []string{"sh_flags", "compressed SYMTAB"}},
			{"no table", map[string]uint64{"shdr[6].sh_type": uint64(elf.SHT_PROGBITS)}, 0, []string{"sh_type", "PROGBITS is not a symbol table"}},
		} {
			d := elftest.ExecSections(k)
			d.Set = tc.set
			f := parseDesc(t, d)
			tab, err := f.SymbolTable(symtab)
			t.Run(tc.name, func(t *testing.T) {
				wantError(t, err, append(tc.words, f.Name)...)
				if tc.n >= 0 && tab.Len() != tc.n {
					t.Errorf("%d symbols, want %d", tab.Len(), tc.n)
				}
				for i := range tab.Len() {
					tab.Name(tab.At(i))
					tab.Section(i)
				}
			})
		}
	})
}

func symSize(k elftest.Kind) int { return Format{Class: k.Class}.SymSize() }

func TestSymbolTableIndex(t *testing.T) {
	f := parseDesc(t, elftest.ExecSections(elftest.Kinds()[0]))
	for _, i := range []int{-1, 1 << 20} {
		tab, err := f.SymbolTable(i)
		wantError(t, err, "section ", "the file has 9 section headers")
		if tab.Len() != 0 {
			t.Errorf("section %d: %d symbols", i, tab.Len())
		}
		if _, _, _, err := f.Group(i); err == nil {
			t.Error("no error for a group")
		}
		if _, err := f.RelocTable(i); err == nil {
			t.Error("no error for relocations")
		}
		if _, err := f.SectionNotes(i); err == nil {
			t.Error("no error for notes")
		}
		if _, _, err := f.Uncompress(i, 1); err == nil {
			t.Error("no error for contents")
		}
	}
}

// TestExtendedIndices has more sections than st_shndx can tell.
func TestExtendedIndices(t *testing.T) {
	t.Parallel()
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		const n = 0xff00 + 300
		d := elftest.File{Class: k.Class, Order: k.Order, Machine: k.Machine, Type: elf.ET_REL}
		for range n {
			d.Sections = append(d.Sections, elftest.Section{Type: elf.SHT_PROGBITS})
		}
		d.Sections[n-1].Key = "last"
		d.Sections[0xfff0].Key = "abs" // its index is 0xfff1, SHN_ABS as a reserved one
		d.Sections = append(d.Sections,
			elftest.Section{Name: ".symtab", Content: elftest.Symbols{
				{Name: "a", Section: "last"}, {Name: "b", Section: "abs"}, {Name: "c", Index: elf.SHN_ABS},
			}},
			elftest.Section{Name: ".symtab_shndx", Content: elftest.SymbolIndexes{}})
		f := parseDesc(t, d)
		if f.Header.Shnum != 0 || f.Header.Shstrndx != ShnXindex || f.Shnum() < n {
			t.Fatalf("e_shnum %d, e_shstrndx %d, %d sections", f.Header.Shnum, f.Header.Shstrndx, f.Shnum())
		}
		tab, err := f.SymbolTable(section(t, f, ".symtab"))
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []uint32{0, n, 0xfff1, 0xfff1} {
			if got := tab.Section(i); got != want {
				t.Errorf("symbol %d: section 0x%x, want 0x%x", i, got, want)
			}
		}
		if tab.At(2).Shndx != ShnXindex || tab.At(3).Shndx != uint16(elf.SHN_ABS) {
			t.Error("a true index 0xfff1 and SHN_ABS are not told apart")
		}
		if err := encoded(f, d.Bytes()); err != nil {
			t.Error(err)
		}
	})
}

// TestDynamicSymbolTable finds the symbols without section headers, whatever
// tells their number.
func TestDynamicSymbolTable(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		for _, tc := range []struct {
			by   string
			drop []elf.DynTag
		}{
			{"DT_HASH", nil},
			{"DT_GNU_HASH", []elf.DynTag{elf.DT_HASH}},
			{"next table", []elf.DynTag{elf.DT_HASH, elf.DT_GNU_HASH}},
		} {
			d := elftest.Shared(k)
			d.NoSectionHeaders = true
			dropTags(&d, tc.drop...)
			f := parseDesc(t, d)
			tab, err := f.DynamicSymbolTable()
			if err != nil {
				t.Fatal(err)
			}
			if tab.Len() != 6 || tab.CountBy != tc.by || tab.Index != -1 {
				t.Errorf("%d symbols by %s; want 6 by %s", tab.Len(), tab.CountBy, tc.by)
			}
			var names []string
			for i := range tab.Len() {
				names = append(names, string(tab.Name(tab.At(i))))
			}
			if names[1] != "puts" || !strings.Contains(strings.Join(names, " "), "counter") {
				t.Errorf("%s: %q", tc.by, names)
			}
		}
	})
}

// dropTags replaces dynamic entries by ones without meaning.
func dropTags(d *elftest.File, tags ...elf.DynTag) {
	for i := range d.Sections {
		dyn, ok := d.Sections[i].Content.(elftest.Dynamic)
		for j := range dyn {
			for _, tag := range tags {
				if ok && dyn[j].Tag == tag {
					dyn[j] = elftest.Dyn{Tag: elf.DT_BIND_NOW}
				}
			}
		}
	}
}

// TestEmptyGnuHash is a program that defines nothing for others: its hash table
// tells nothing about the number of symbols.
func TestEmptyGnuHash(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		d := elftest.Shared(k)
		d.NoSectionHeaders = true
		dropTags(&d, elf.DT_HASH)
		d.Sections[4].Content = elftest.Words{1, 1, 1, 0, 0, 0, 0} // one empty bucket
		f := parseDesc(t, d)
		h, err := f.GnuHash()
		if err != nil || h.Count() != 0 {
			t.Errorf("%d symbols, %v", h.Count(), err)
		}
		tab, err := f.DynamicSymbolTable()
		if err != nil || tab.Len() != 6 || tab.CountBy != "next table" {
			t.Errorf("%d symbols by %s, %v", tab.Len(), tab.CountBy, err)
		}
	})
}

// TestMipsSymtabno: on MIPS the dynamic section tells the number of symbols.
func TestMipsSymtabno(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		d := elftest.Shared(k)
		d.Machine = elf.EM_MIPS
		dyn := d.Sections[len(d.Sections)-3].Content.(elftest.Dynamic)
		dyn[len(dyn)-1] = elftest.Dyn{Tag: dtMipsSymtabno, Val: 4}
		f := parseDesc(t, d)
		tab, err := f.DynamicSymbolTable()
		if err != nil || tab.Len() != 4 || tab.CountBy != "DT_MIPS_SYMTABNO" {
			t.Errorf("%d symbols by %s, %v", tab.Len(), tab.CountBy, err)
		}
	})
}

// TestDynamicSymbolsNowhere: DT_SYMTAB leads out of the file, and nothing else
// tells that there should be symbols.
func TestDynamicSymbolsNowhere(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		d := elftest.Shared(k)
		dropTags(&d, elf.DT_HASH, elf.DT_GNU_HASH)
		setDyn(&d, parseDesc(t, d), elf.DT_SYMTAB, 0x7fff0000)
		f := parseDesc(t, d)
		tab, err := f.DynamicSymbolTable()
		wantError(t, err, f.Name, "dynamic entry SYMTAB, d_val at", "0x7fff0000 is in the file bytes of no PT_LOAD")
		if tab.Len() != 0 {
			t.Errorf("%d symbols", tab.Len())
		}
	})
}
