package elffile

import "debug/elf"

// GroupComdat is GRP_COMDAT, the flag of a group of which a linker keeps one with
// the same signature (gABI, "Section Groups").
const GroupComdat = 1

// Group reads section group i: its flags, its signature, and the indices of its
// members. The signature is a symbol's name, or, for a nameless section symbol,
// the section's name.
func (f *File) Group(i int) (flags uint32, signature string, members []uint32, err error) {
	if err := f.checkSection(i); err != nil {
		return 0, "", nil, err
	}
	var c Faults
	s := &f.sections[i]
	if s.Type != elf.SHT_GROUP {
		return 0, "", nil, f.SectionError(i, "sh_type", "%s is not a section group", SectionTypeName(f.Header.Machine, s.Type))
	}
	b, err := f.SectionData(i)
	c.Add(err)
	if len(b)%4 != 0 || len(b) == 0 {
		c.Add(f.SectionError(i, "sh_size", "0x%x is not one or more words", s.Size))
	}
	signature, err = f.groupSignature(i)
	c.Add(err)
	if len(b) < 4 {
		return 0, signature, nil, c.Err()
	}
	flags = f.U32(b)
	members = make([]uint32, 0, len(b)/4-1)
	for b = b[4:]; len(b) >= 4; b = b[4:] {
		x := f.U32(b)
		if (x == 0 || uint64(x) >= uint64(len(f.sections)) || int(x) == i) && !c.Full() {
			c.Add(f.SectionError(i, "", "member %d is section %d, which can not be one; the file has %d section headers", len(members), x, len(f.sections)))
		}
		members = append(members, x)
	}
	return flags, signature, members, c.Err()
}

// groupSignature finds the symbol that sh_link and sh_info name. It reads the
// one symbol, not the table: an object file may have a group for each function.
func (f *File) groupSignature(i int) (string, error) {
	s := f.sections[i]
	if uint64(s.Link) >= uint64(len(f.sections)) || f.sections[s.Link].Type != elf.SHT_SYMTAB {
		return "", f.SectionError(i, "sh_link", "%d is not the index of a symbol table", s.Link)
	}
	t, err := f.symbolEntries(int(s.Link))
	if uint64(s.Info) >= uint64(t.Len()) {
		return "", f.SectionError(i, "sh_info", "%d is not the index of a symbol; section %d has %d", s.Info, s.Link, t.Len())
	}
	sym := t.At(int(s.Info))
	if sym.Type() != elf.STT_SECTION || sym.Name != 0 {
		return string(t.Name(sym)), err
	}
	if sym.Shndx == ShnXindex {
		t.shndx, err = f.extendedIndices(int(s.Link), t.n)
	}
	return f.SectionName(int(t.Section(int(s.Info)))), err
}
