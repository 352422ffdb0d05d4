package elffile

import "debug/elf"

// span is a range of the file in which a table lies, cut to what the file has,
// so that a table whose size is not known can be read step by step without
// leaving it.
type span struct {
	body   *Body
	off, n uint64
}

// spanOf returns the part of [off, off+n) that the file has.
func (f *File) spanOf(off, n uint64) span {
	size := uint64(f.Body.Size())
	if off > size {
		off, n = size, 0
	}
	return span{f.Body, off, min(n, size-off)}
}

// spanAt returns what the file has from a virtual address to the end of the
// PT_LOAD that holds it.
func (f *File) spanAt(vaddr uint64) (span, bool) {
	off, n, ok := f.OffsetOf(vaddr)
	if !ok {
		return span{body: f.Body}, false
	}
	return f.spanOf(off, n), true
}

// at returns n bytes at pos, or false if they are not all in the span.
func (s span) at(pos, n uint64) ([]byte, bool) {
	if pos > s.n || n > s.n-pos {
		return nil, false
	}
	b, err := s.body.Bytes(s.off+pos, n)
	return b, err == nil
}

// upTo returns n bytes at pos, or as many as there are.
func (s span) upTo(pos, n uint64) []byte {
	if pos >= s.n {
		return nil
	}
	b, _ := s.body.Bytes(s.off+pos, min(n, s.n-pos))
	return b
}

// checkSection returns an error unless i is the index of a section header.
func (f *File) checkSection(i int) error {
	if n := len(f.Sections()); i < 0 || i >= n {
		return f.fault("", "", -1, "section %d: the file has %d section headers", i, n)
	}
	return nil
}

// sectionEntries returns the bytes of a section that is a table, the distance
// between entries, and how many whole entries of size bytes the file has. The
// distance is sh_entsize, unless that is too small to be one.
func (f *File) sectionEntries(i, size int) (b []byte, stride, n int, err error) {
	var c Faults
	s := &f.sections[i]
	if s.Has(elf.SHF_COMPRESSED) {
		return nil, size, 0, f.SectionError(i, "sh_flags", "a compressed %s is not read", SectionTypeName(f.Header.Machine, s.Type))
	}
	stride = size
	switch {
	case s.Entsize < uint64(size):
		c.Add(f.SectionError(i, "sh_entsize", "%d is less than the size of an entry (%d)", s.Entsize, size))
	case s.Entsize > uint64(size):
		c.Add(f.SectionError(i, "sh_entsize", "%d is more than the size of an entry (%d)", s.Entsize, size))
		if s.Entsize <= s.Size { // else it is no distance between entries of this table
			stride = int(s.Entsize)
		}
	}
	b, err = f.SectionData(i)
	c.Add(err)
	n, whole := entryCount(len(b), stride, size)
	if !whole && err == nil {
		c.Add(f.SectionError(i, "sh_size", "0x%x is not a multiple of the size of an entry (%d)", s.Size, stride))
	}
	return b, stride, n, c.Err()
}

// entryCount is how many entries of size bytes at a distance of stride are in n
// bytes, and whether nothing is left over.
func entryCount(n, stride, size int) (count int, whole bool) {
	count = n / stride
	rest := n - count*stride
	if rest >= size { // the last entry needs its size, not its stride
		return count + 1, true
	}
	return count, rest == 0
}

// linkedStrings returns the string table that sh_link of section i names.
func (f *File) linkedStrings(i int) ([]byte, error) {
	s := f.Sections()
	x := s[i].Link
	switch {
	case x == 0 || uint64(x) >= uint64(len(s)):
		return nil, f.SectionError(i, "sh_link", "%d is not the index of a string table; the file has %d section headers", x, len(s))
	case int(x) == i:
		return nil, f.SectionError(i, "sh_link", "%d is the section itself, not a string table", x)
	case s[x].Type != elf.SHT_STRTAB:
		return nil, f.SectionError(i, "sh_link", "section %d is not a string table (SHT_STRTAB) but %s", x, SectionTypeName(f.Header.Machine, s[x].Type))
	case s[x].Has(elf.SHF_COMPRESSED):
		return nil, f.SectionError(i, "sh_link", "section %d is a compressed string table, which is not read", x)
	}
	return f.SectionData(int(x))
}

// dynError makes an error about a dynamic entry.
func (f *File) dynError(d Dyn, format string, args ...any) *Error {
	return f.fault("dynamic entry "+DynTagName(f.Header.Machine, d.Tag), "d_val", d.Off+int64(f.AddrSize()), format, args...)
}

// tableAt returns n bytes of a table at the address that a dynamic entry holds,
// cut to what the file has there, and an error if it was cut.
func (f *File) tableAt(d Dyn, n uint64) ([]byte, int64, error) {
	if n == 0 {
		return nil, -1, nil
	}
	s, ok := f.spanAt(d.Val)
	if !ok {
		return nil, -1, f.dynError(d, "address 0x%x is in the file bytes of no PT_LOAD", d.Val)
	}
	b, err := f.Body.Bytes(s.off, min(n, s.n))
	if err != nil {
		return b, int64(s.off), f.dynError(d, "0x%x bytes at address 0x%x", n, d.Val).because(err)
	}
	if uint64(len(b)) < n {
		return b, int64(s.off), f.dynError(d, "0x%x bytes at address 0x%x: only 0x%x are in the file", n, d.Val, len(b))
	}
	return b, int64(s.off), nil
}
