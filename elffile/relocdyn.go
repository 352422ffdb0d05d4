package elffile

import "debug/elf"

// dynReloc is how the dynamic section describes a relocation table.
type dynReloc struct {
	name            string
	addr, size, ent elf.DynTag // ent 0: there is none
	form            relocForm
}

var dynRelocs = []dynReloc{
	{"REL", elf.DT_REL, elf.DT_RELSZ, elf.DT_RELENT, formRel},
	{"RELA", elf.DT_RELA, elf.DT_RELASZ, elf.DT_RELAENT, formRela},
	{"RELR", dtRelr, dtRelrsz, dtRelrent, formRelr},
	{"CREL", dtCrel, 0, 0, formCrel},
	{"ANDROID_REL", dtAndroidRel, dtAndroidRelsz, 0, formAndroidRel},
	{"ANDROID_RELA", dtAndroidRela, dtAndroidRelasz, 0, formAndroidRela},
	{"ANDROID_RELR", dtAndroidRelr, dtAndroidRelrsz, dtAndroidRelrent, formRelr},
	{"JMPREL", elf.DT_JMPREL, elf.DT_PLTRELSZ, 0, formRel}, // or formRela, by DT_PLTREL
}

// DynamicRelocTables returns the relocation tables that the dynamic section
// names, by PT_DYNAMIC alone: REL, RELA, RELR, CREL, Android's packed ones, and
// JMPREL, in this order, as far as there are any.
func (f *File) DynamicRelocTables() ([]*RelocTable, error) {
	d, err := f.Dynamic()
	var c Faults
	c.Add(err)
	t, err := f.relocTables(d)
	c.Add(err)
	return t, c.Err()
}

func (f *File) relocTables(d *Dynamic) ([]*RelocTable, error) {
	if d.Prog < 0 {
		return nil, nil
	}
	var c Faults
	var tables []*RelocTable
	for _, r := range dynRelocs {
		e, ok := d.Entry(r.addr)
		if !ok {
			continue
		}
		t, err := f.dynamicRelocs(d, e, r)
		c.Add(err)
		if t != nil {
			tables = append(tables, t)
		}
	}
	return tables, c.Err()
}

func (f *File) dynamicRelocs(d *Dynamic, e Dyn, r dynReloc) (*RelocTable, error) {
	var c Faults
	t := &RelocTable{Name: r.name, Index: -1, Addr: e.Val, format: f.Format}
	form := r.form
	if r.name == "JMPREL" {
		switch v, ok := d.Entry(elf.DT_PLTREL); {
		case !ok:
			return nil, f.dynError(e, "there is no DT_PLTREL to tell whether its relocations have addends")
		case v.Val == uint64(elf.DT_RELA):
			form = formRela
		case v.Val != uint64(elf.DT_REL):
			return nil, f.dynError(v, "%d is neither DT_REL (%d) nor DT_RELA (%d)", v.Val, elf.DT_REL, elf.DT_RELA)
		}
	}
	size, ok := d.Value(r.size)
	switch {
	case form == formCrel: // it has its number of entries inside
		s, _ := f.spanAt(e.Val)
		size = max(s.n, 1)
	case !ok:
		return nil, f.dynError(e, "there is no %s to give the table's size", DynTagName(f.Header.Machine, r.size))
	}
	b, off, err := f.tableAt(e, size)
	c.Add(err)
	t.Offset = off
	stride, n, err := f.dynRelocStride(d, r, form, len(b))
	c.Add(err)
	c.Add(t.set(f, form, b, stride, n, func(format string, args ...any) *Error { return f.dynError(e, format, args...) }))
	return t, c.Err()
}

// dynRelocStride is the distance of entries and how many whole ones are in n
// bytes.
func (f *File) dynRelocStride(d *Dynamic, r dynReloc, form relocForm, n int) (stride, count int, err error) {
	size := f.relocSize(form)
	if size == 0 {
		return 1, 0, nil
	}
	var c Faults
	stride = size
	if e, ok := d.Entry(r.ent); ok && r.ent != 0 && e.Val != uint64(size) {
		c.Add(f.dynError(e, "%d is not the size of an entry (%d)", e.Val, size))
		if e.Val > uint64(size) && e.Val < 1<<16 {
			stride = int(e.Val)
		}
	}
	count, whole := entryCount(n, stride, size)
	if e, ok := d.Entry(r.size); ok && !whole {
		c.Add(f.dynError(e, "0x%x is not a multiple of the size of an entry (%d)", e.Val, stride))
	}
	return stride, count, c.Err()
}
