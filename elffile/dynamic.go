package elffile

import "debug/elf"

// Dyn is an entry of the dynamic section (gABI, "Dynamic Section").
type Dyn struct {
	Tag elf.DynTag
	Val uint64 // d_val or d_ptr
	Off int64  // of the entry in the file
}

// Dynamic is a file's dynamic section.
type Dynamic struct {
	Entries []Dyn  // up to DT_NULL and with it
	Prog    int    // index of the PT_DYNAMIC it was read by, or -1
	Section int    // index of the SHT_DYNAMIC it was read by, or -1
	Strings []byte // the string table of DT_STRTAB and DT_STRSZ

	f *File
}

// Dynamic reads the dynamic section: by PT_DYNAMIC, which is what a dynamic
// linker goes by, and by SHT_DYNAMIC where there is none. The result is never
// nil; a file without dynamic section gives one without entries and no error.
func (f *File) Dynamic() (*Dynamic, error) {
	d := &Dynamic{Prog: -1, Section: -1, f: f}
	var c Faults
	b, off, err := f.dynamicBytes(d)
	c.Add(err)
	size := f.DynSize()
	ended := len(b) == 0
	for i := 0; i+size <= len(b) && !ended; i += size {
		e := Dyn{elf.DynTag(f.Addr(b[i:])), f.Addr(b[i+f.AddrSize():]), off + int64(i)}
		d.Entries = append(d.Entries, e)
		ended = e.Tag == elf.DT_NULL
	}
	if !ended && err == nil {
		c.Add(f.fault("dynamic section", "", off, "no DT_NULL ends its %d entries", len(d.Entries)))
	}
	c.Add(d.readStrings())
	return d, c.Err()
}

// dynamicBytes finds the dynamic section and notes in d what named it.
func (f *File) dynamicBytes(d *Dynamic) ([]byte, int64, error) {
	for i := range f.Progs {
		if f.Progs[i].Type == elf.PT_DYNAMIC {
			d.Prog = i
			b, err := f.ProgData(i)
			return b, int64(f.Progs[i].Off), err
		}
	}
	if i := f.SectionByType(elf.SHT_DYNAMIC); i >= 0 {
		d.Section = i
		b, err := f.SectionData(i)
		return b, int64(f.sections[i].Off), err
	}
	return nil, 0, nil
}

// readStrings finds the string table: by its address, or, in a file without
// program headers, by the section header's link.
func (d *Dynamic) readStrings() error {
	strtab, ok := d.Entry(elf.DT_STRTAB)
	if !ok {
		return nil
	}
	if d.Prog < 0 {
		var err error
		d.Strings, err = d.f.linkedStrings(d.Section)
		return err
	}
	size, ok := d.Value(elf.DT_STRSZ)
	if !ok {
		// The dynamic linker does not need it; a reader takes what is there.
		s, _ := d.f.spanAt(strtab.Val)
		d.Strings = s.upTo(0, s.n)
		return d.f.dynError(strtab, "there is no DT_STRSZ to give the string table's size")
	}
	var err error
	d.Strings, _, err = d.f.tableAt(strtab, size)
	return err
}

// Entry returns the last entry with a tag: glibc and musl fill a table indexed
// by tag, where the last one stays (elf_get_dynamic_info, decode_vec).
func (d *Dynamic) Entry(tag elf.DynTag) (Dyn, bool) {
	for i := len(d.Entries) - 1; i >= 0; i-- {
		if d.Entries[i].Tag == tag {
			return d.Entries[i], true
		}
	}
	return Dyn{}, false
}

// Value returns the value of the last entry with a tag; see [Dynamic.Entry].
func (d *Dynamic) Value(tag elf.DynTag) (uint64, bool) {
	e, ok := d.Entry(tag)
	return e.Val, ok
}

// String returns the string at an offset of the string table: a window, without
// the NUL; nil where the offset is beyond the table.
func (d *Dynamic) String(off uint64) []byte {
	s, _ := cstring(d.Strings, off)
	return s
}
