package elffile

import (
	"debug/elf"
	"slices"
	"testing"

	"elfwright/internal/elftest"
)

func collect(t *RelocTable) []Reloc { return slices.Collect(t.All()) }

func TestRelocTable(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		f := parseDesc(t, elftest.Object(k))
		i := f.SectionByType(elf.SHT_RELA)
		if i < 0 {
			i = f.SectionByType(elf.SHT_REL)
		}
		tab, err := f.RelocTable(i)
		if err != nil {
			t.Fatal(err)
		}
		syms, _ := f.SymbolTable(int(tab.Symbols))
		if f.SectionName(int(tab.Target)) != ".text.foo" || tab.Index != i || tab.HasAddend != f.Is64() || tab.Name != f.SectionName(i) {
			t.Errorf("table %+v", tab)
		}
		second := tab.At(1)
		if tab.Len() != 2 || second.Off != 8 || string(syms.Name(syms.At(int(second.Sym)))) != "bar" || f.Is64() && second.Addend != -4 {
			t.Errorf("%d relocations, the second %+v", tab.Len(), second)
		}
		if all := collect(tab); all[0] != tab.At(0) || all[1] != second {
			t.Errorf("All gives %+v", all)
		}
	})
}

func TestDynamicRelocTables(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		d := elftest.Shared(k)
		d.NoSectionHeaders = true
		f := parseDesc(t, d)
		tables, err := f.DynamicRelocTables()
		if err != nil {
			t.Fatal(err)
		}
		want := map[bool][]string{true: {"RELA", "RELR"}, false: {"REL", "RELR"}}[f.Is64()]
		var names []string
		for _, x := range tables {
			names = append(names, x.Name)
		}
		if !slices.Equal(names, want) {
			t.Fatalf("tables %q, want %q", names, want)
		}
		w := uint64(f.AddrSize())
		plain, packed := collect(tables[0]), collect(tables[1])
		data := plain[0].Off // the first relocation is for the start of .data
		if len(plain) != 2 || plain[1].Off != data+w || plain[1].Sym == 0 {
			t.Errorf("%s: %+v", names[0], plain)
		}
		var offs []uint64
		for i, r := range packed {
			offs = append(offs, (r.Off-data)/w)
			if r.Type != plain[0].Type || r != tables[1].At(i) {
				t.Errorf("relative relocation %d: %+v", i, r)
			}
		}
		if !slices.Equal(offs, []uint64{2, 3, 5, 40}) {
			t.Errorf("RELR: words %d", offs)
		}
		if b, err := f.BytesAt(tables[1].Addr, 1); err != nil || len(b) != 1 {
			t.Errorf("RELR at 0x%x: %v", tables[1].Addr, err)
		}
	})
}

// oddDynamic puts a table and the tags that name it into a shared library.
func oddDynamic(k elftest.Kind, content []byte, tags ...elftest.Dyn) elftest.File {
	d := elftest.Shared(k)
	for i := range d.Sections {
		if dyn, ok := d.Sections[i].Content.(elftest.Dynamic); ok {
			d.Sections[i].Content = append(dyn, tags...)
		}
	}
	last := len(d.Sections) - 1 // before .bss
	d.Sections = slices.Insert(d.Sections, last, elftest.Section{Name: ".odd", Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC, Align: 8, Data: content})
	return d
}

func TestJmprel(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		for _, tc := range []struct {
			form elf.DynTag
			kind string
		}{{elf.DT_RELA, "RELA"}, {elf.DT_REL, "REL"}} {
			d := oddDynamic(k, make([]byte, 48), elftest.Dyn{Tag: elf.DT_JMPREL, Addr: ".odd"}, elftest.Dyn{Tag: elf.DT_PLTRELSZ, Val: 48},
				elftest.Dyn{Tag: elf.DT_PLTREL, Val: uint64(tc.form)})
			f := parseDesc(t, d)
			tables, err := f.DynamicRelocTables()
			if err != nil {
				t.Fatal(err)
			}
			j := tables[len(tables)-1]
			size := map[string]int{"RELA": f.RelaSize(), "REL": f.RelSize()}[tc.kind]
			if j.Name != "JMPREL" || j.Kind != tc.kind || j.Len() != 48/size || j.HasAddend != (tc.form == elf.DT_RELA) {
				t.Errorf("%s %s: %d", j.Name, j.Kind, j.Len())
			}
		}
		for _, tc := range []struct {
			tags  []elftest.Dyn
			words []string
		}{
			{nil, []string{"JMPREL", "there is no DT_PLTREL"}},
			{[]elftest.Dyn{{Tag: elf.DT_PLTREL, Val: 5}}, []string{"PLTREL", "5 is neither DT_REL (17) nor DT_RELA (7)"}},
			{[]elftest.Dyn{{Tag: elf.DT_PLTREL, Val: 7}}, []string{"JMPREL", "there is no PLTRELSZ"}},
			{[]elftest.Dyn{{Tag: elf.DT_PLTREL, Val: 7}, {Tag: elf.DT_PLTRELSZ, Val: 1 << 24}}, []string{"JMPREL", "0x1000000 bytes"}},
			{[]elftest.Dyn{{Tag: elf.DT_PLTREL, Val: 7}, {Tag: elf.DT_PLTRELSZ, Val: 25}}, []string{"PLTRELSZ", "0x19 is not a multiple"}},
		} {
			f := parseDesc(t, oddDynamic(k, make([]byte, 48), append(tc.tags, elftest.Dyn{Tag: elf.DT_JMPREL, Addr: ".odd"})...))
			_, err := f.DynamicRelocTables()
			wantError(t, err, tc.words...)
		}
	})
}

// TestMips64 has the five fields of r_info in both byte orders.
func TestMips64(t *testing.T) {
	for _, order := range []elf.Data{elf.ELFDATA2LSB, elf.ELFDATA2MSB} {
		f := &File{Format: Format{elf.ELFCLASS64, order}}
		f.Header.Machine = elf.EM_MIPS
		b := make([]byte, 24)
		f.PutU64(b, 0x1234)
		f.PutU32(b[8:], 77)
		copy(b[12:], []byte{1, 2, 3, 4}) // r_ssym, r_type3, r_type2, r_type
		f.PutU64(b[16:], ^uint64(4))
		tab := &RelocTable{format: f.Format}
		if err := tab.set(f, formRela, b, 24, 1, nil); err != nil {
			t.Fatal(err)
		}
		if r := tab.At(0); r != (Reloc{Off: 0x1234, Sym: 77, Type: 4 | 3<<8 | 2<<16, Ssym: 1, Addend: -5}) {
			t.Errorf("%v: %+v", order, r)
		}
	}
}

// TestRelr compares the decoder with one that marks bits in a plain way.
func TestRelr(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		f := parseDesc(t, elftest.Shared(k))
		w := uint64(f.AddrSize())
		words := []uint64{0x1000, 1, 3, ^uint64(0), 0x100000, 0xaaaaaaaaaaaaaaab, 5, 0x200000, 0x300000, 1<<(8*w-1) | 1}
		b := make([]byte, len(words)*int(w))
		var want []uint64
		next := uint64(0)
		for i, v := range words {
			if v &= f.MaxAddr(); v&1 == 0 {
				want, next = append(want, v), v+w
			} else {
				for bit := uint64(1); bit < 8*w; bit++ {
					if v>>bit&1 != 0 {
						want = append(want, next+(bit-1)*w)
					}
				}
				next += (8*w - 1) * w
			}
			f.PutAddr(b[i*int(w):], v)
		}
		tab := &RelocTable{format: f.Format}
		if err := tab.set(f, formRelr, b, int(w), len(words), nil); err != nil {
			t.Fatal(err)
		}
		for i, r := range collect(tab) {
			if i >= len(want) || r.Off != want[i] || tab.At(i) != r {
				t.Fatalf("relocation %d: %+v, At %+v", i, r, tab.At(i))
			}
		}
		if tab.Len() != len(want) || tab.HasAddend {
			t.Errorf("%d relocations, want %d", tab.Len(), len(want))
		}
	})
}
