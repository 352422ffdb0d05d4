package elffile

import (
	"debug/elf"
	"testing"

	"elfwright/internal/elftest"
)

func TestDynamic(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		for _, bare := range []bool{false, true} {
			d := elftest.Shared(k)
			d.NoSectionHeaders = bare
			f := parseDesc(t, d)
			dyn, err := f.Dynamic()
			if err != nil {
				t.Fatal(err)
			}
			if dyn.Prog != 2 || dyn.Section != -1 {
				t.Errorf("read by program header %d, section %d", dyn.Prog, dyn.Section)
			}
			if last := dyn.Entries[len(dyn.Entries)-1]; last.Tag != elf.DT_NULL {
				t.Errorf("the last entry is %v", last)
			}
			soname, ok := dyn.Value(elf.DT_SONAME)
			if got := string(dyn.String(soname)); !ok || got != "libelftest.so.1" {
				t.Errorf("DT_SONAME %q, %v", got, ok)
			}
			if v, ok := dyn.Value(elf.DT_PLTGOT); ok || v != 0 {
				t.Errorf("DT_PLTGOT: 0x%x, %v", v, ok)
			}
			for i, e := range dyn.Entries { // each offset is where the entry stands
				b, err := f.Body.Bytes(uint64(e.Off), uint64(f.DynSize()))
				if err != nil || f.Addr(b) != uint64(e.Tag) || f.Addr(b[f.AddrSize():]) != e.Val {
					t.Errorf("entry %d: %+v is not at its offset", i, e)
				}
			}
		}
	})
}

// TestDynamicBySection reads a file without program headers.
func TestDynamicBySection(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		d := elftest.Shared(k)
		d.Set = map[string]uint64{"e_phnum": 0}
		f := parseDesc(t, d)
		dyn, err := f.Dynamic()
		if err != nil {
			t.Fatal(err)
		}
		if soname, _ := dyn.Value(elf.DT_SONAME); dyn.Prog != -1 || dyn.Section < 0 || string(dyn.String(soname)) != "libelftest.so.1" {
			t.Errorf("program header %d, section %d, %q", dyn.Prog, dyn.Section, dyn.String(soname))
		}
		v, err := f.Versions()
		if err != nil || len(v.Defs) != 3 || len(v.Needs) != 1 || v.Len() != 6 {
			t.Errorf("versions by section: %d, %d, %d, %v", len(v.Defs), len(v.Needs), v.Len(), err)
		}
		for _, hash := range []func() (bool, error){
			func() (bool, error) { h, err := f.SysvHash(); return h != nil && h.Count() == 6, err },
			func() (bool, error) { h, err := f.GnuHash(); return h != nil && h.Count() == 6, err },
		} {
			if ok, err := hash(); !ok || err != nil {
				t.Errorf("hash table by section: %v", err)
			}
		}
	})
}

func TestDynamicNone(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		f := parseDesc(t, elftest.ExecSections(k))
		d, err := f.Dynamic()
		if err != nil || len(d.Entries) != 0 || d.String(0) != nil {
			t.Errorf("%d entries, %v", len(d.Entries), err)
		}
		tab, err := f.DynamicSymbolTable()
		if err != nil || tab.Len() != 0 {
			t.Errorf("%d symbols, %v", tab.Len(), err)
		}
		tables, err := f.DynamicRelocTables()
		if err != nil || len(tables) != 0 {
			t.Errorf("%d relocation tables, %v", len(tables), err)
		}
		v, err := f.Versions()
		if err != nil || v.Len() != 0 || v.Name(2) != nil {
			t.Errorf("%d versions, %v", v.Len(), err)
		}
		if h, err := f.SysvHash(); h != nil || err != nil {
			t.Errorf("DT_HASH %v, %v", h, err)
		}
		if h, err := f.GnuHash(); h != nil || err != nil {
			t.Errorf("DT_GNU_HASH %v, %v", h, err)
		}
	})
}

func TestDynamicFaults(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		for _, tc := range []struct {
			name  string
			edit  func(d *elftest.File, f *File)
			words []string
		}{
			{"past the end", func(d *elftest.File, f *File) { d.Set = map[string]uint64{"phdr[2].p_offset": 1 << 30} },
				[]string{"program header 2", "p_offset", "past the end of the file"}},
			{"no end", func(d *elftest.File, f *File) {
				d.Set = map[string]uint64{"phdr[2].p_filesz": f.Progs[2].Filesz - uint64(f.DynSize())}
			}, []string{"dynamic section", "no DT_NULL ends its"}},
			{"odd size", func(d *elftest.File, f *File) { d.Set = map[string]uint64{"phdr[2].p_filesz": 13} }, []string{"no DT_NULL"}},
			{"strings nowhere", func(d *elftest.File, f *File) { setDyn(d, f, elf.DT_STRTAB, 0x7fff0000) },
				[]string{"dynamic entry STRTAB", "d_val", "0x7fff0000 is in the file bytes of no PT_LOAD"}},
			{"strings cut", func(d *elftest.File, f *File) { setDyn(d, f, elf.DT_STRSZ, 0x7fffff) },
				[]string{"dynamic entry STRTAB", "0x7fffff bytes"}},
			{"symbol size", func(d *elftest.File, f *File) { setDyn(d, f, elf.DT_SYMENT, 7) },
				[]string{"dynamic entry SYMENT", "7 is not the size of a symbol"}},
		} {
			d := elftest.Shared(k)
			tc.edit(&d, parseDesc(t, d))
			f := parseDesc(t, d)
			_, err := f.Dynamic()
			if err == nil {
				_, err = f.DynamicSymbolTable()
			}
			t.Run(tc.name, func(t *testing.T) { wantError(t, err, tc.words...) })
		}
	})
}

// setDyn patches the value of a dynamic entry.
func setDyn(d *elftest.File, f *File, tag elf.DynTag, v uint64) {
	dyn, _ := f.Dynamic()
	e, _ := dyn.Entry(tag)
	b := make([]byte, f.AddrSize())
	f.PutAddr(b, v)
	d.Patch = append(d.Patch, elftest.Patch{Off: uint64(e.Off) + uint64(f.AddrSize()), Bytes: b})
}

// TestDynamicLastWins: of two entries with one tag, dynamic linkers use the last.
func TestDynamicLastWins(t *testing.T) {
	d := elftest.Shared(elftest.Kinds()[0])
	for i := range d.Sections {
		if dyn, ok := d.Sections[i].Content.(elftest.Dynamic); ok {
			d.Sections[i].Content = append(dyn, elftest.Dyn{Tag: elf.DT_FLAGS_1, Val: 7})
		}
	}
	dyn, err := parseDesc(t, d).Dynamic()
	if v, _ := dyn.Value(elf.DT_FLAGS_1); v != 7 || err != nil {
		t.Errorf("0x%x, %v", v, err)
	}
}
