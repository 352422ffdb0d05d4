package elffile

import (
	"debug/elf"
	"fmt"
)

// Section is a section header (gABI, "Section Header Table"), each field as
// stored.
type Section struct {
	Name      uint32 // offset in the section name string table
	Type      elf.SectionType
	Flags     uint64 // wider than elf.SectionFlag, so that no bit of a file is lost
	Addr      uint64
	Off       uint64
	Size      uint64
	Link      uint32
	Info      uint32
	Addralign uint64
	Entsize   uint64
}

// Has says whether all bits of flag are set.
func (s *Section) Has(flag elf.SectionFlag) bool { return s.Flags&uint64(flag) == uint64(flag) }

// HasBytes says whether the section has bytes in the file.
func (s *Section) HasBytes() bool {
	return s.Type != elf.SHT_NULL && s.Type != elf.SHT_NOBITS && s.Size != 0
}

func decodeSection(f Format, b []byte) Section {
	d := decoder{f, b}
	var s Section
	s.Name = d.u32()
	s.Type = elf.SectionType(d.u32())
	s.Flags = d.addr()
	s.Addr = d.addr()
	s.Off = d.addr()
	s.Size = d.addr()
	s.Link = d.u32()
	s.Info = d.u32()
	s.Addralign = d.addr()
	s.Entsize = d.addr()
	return s
}

// Encode returns the header's bytes in format f.
func (s *Section) Encode(f Format) []byte {
	b := make([]byte, f.ShdrSize())
	e := encoder{f, b}
	e.u32(s.Name)
	e.u32(uint32(s.Type))
	e.addr(s.Flags)
	e.addr(s.Addr)
	e.addr(s.Off)
	e.addr(s.Size)
	e.u32(s.Link)
	e.u32(s.Info)
	e.addr(s.Addralign)
	e.addr(s.Entsize)
	return b
}

// sectionField gives a section header field's offset within its entry.
func sectionField(f Format, field string) int {
	a := f.AddrSize()
	switch field {
	case "sh_type":
		return 4
	case "sh_flags":
		return 8
	case "sh_addr":
		return 8 + a
	case "sh_offset":
		return 8 + 2*a
	case "sh_size":
		return 8 + 3*a
	case "sh_link":
		return 8 + 4*a
	case "sh_info":
		return 12 + 4*a
	case "sh_addralign":
		return 16 + 4*a
	case "sh_entsize":
		return 16 + 5*a
	}
	return 0
}

// SectionError makes an error about a field of section header i.
func (f *File) SectionError(i int, field, format string, args ...any) *Error {
	off := int64(f.Header.Shoff) + int64(i)*int64(f.Header.Shentsize) + int64(sectionField(f.Format, field))
	return f.fault(f.sectionLabel(i), field, off, format, args...)
}

func (f *File) sectionLabel(i int) string {
	if name := f.SectionName(i); name != "" {
		return fmt.Sprintf("section header %d (%s)", i, name)
	}
	return fmt.Sprintf("section header %d", i)
}

// section0 reads section header 0 alone, where extended numbering keeps its
// counts.
func (f *File) section0() (Section, error) {
	if f.sectionsRead && len(f.sections) > 0 {
		return f.sections[0], nil
	}
	if f.Header.Shoff == 0 {
		return Section{}, f.fault("ELF header", "e_shoff", f.fieldOff("e_shoff"), "is 0: there is no section header 0")
	}
	b, err := f.Body.Bytes(f.Header.Shoff, uint64(f.ShdrSize()))
	if err != nil {
		return Section{}, f.fault("ELF header", "e_shoff", f.fieldOff("e_shoff"), "0x%x + 0x%x is past the end of the file (0x%x)", f.Header.Shoff, f.ShdrSize(), f.Body.Size()).because(err)
	}
	return decodeSection(f.Format, b), nil
}

// Phnum is the number of program headers the file claims, with PN_XNUM looked
// up in section header 0.
func (f *File) Phnum() uint32 {
	if f.Header.Phnum == PnXnum {
		if s, err := f.section0(); err == nil {
			return s.Info
		}
		return 0
	}
	return uint32(f.Header.Phnum)
}

// Shnum is the number of section headers the file claims, with e_shnum 0 looked
// up in section header 0.
func (f *File) Shnum() uint64 {
	if f.Header.Shnum == 0 && f.Header.Shoff != 0 {
		if s, err := f.section0(); err == nil {
			return s.Size
		}
	}
	return uint64(f.Header.Shnum)
}

// Shstrndx is the index of the section name string table, with SHN_XINDEX
// looked up in section header 0.
func (f *File) Shstrndx() uint32 {
	if f.Header.Shstrndx == ShnXindex {
		if s, err := f.section0(); err == nil {
			return s.Link
		}
	}
	return uint32(f.Header.Shstrndx)
}

// Sections returns the section headers; they are read at the first call. What
// is wrong with the table is told by [File.SectionErr], and the entries that
// are in the file are returned all the same.
func (f *File) Sections() []Section {
	if !f.sectionsRead {
		f.readSections()
	}
	return f.sections
}

// SectionErr returns what is wrong with the section header table, or nil.
func (f *File) SectionErr() error {
	f.Sections()
	return f.sectionErr
}

// readSections keeps its result only when it is whole: the file may shrink in
// between, see [Mapping.Guard].
func (f *File) readSections() {
	sections, err := f.decodeSections()
	f.sections, f.sectionErr, f.sectionsRead = sections, err, true
}

func (f *File) decodeSections() ([]Section, error) {
	if f.Header.Shoff == 0 {
		if f.Header.Shnum != 0 {
			return nil, f.HeaderError("e_shnum", "%d, but e_shoff is 0", f.Header.Shnum)
		}
		return nil, nil
	}
	n := uint64(f.Header.Shnum)
	if n == 0 {
		s0, err := f.section0()
		if err != nil {
			return nil, err
		}
		if n = s0.Size; n == 0 {
			return nil, nil
		}
	}
	tab, have, err := f.table("section header table", "e_sh", f.Header.Shoff, n, f.Header.Shentsize, f.ShdrSize())
	sections := make([]Section, have)
	for i := range sections {
		sections[i] = decodeSection(f.Format, tab[i*int(f.Header.Shentsize):])
	}
	return sections, err
}

// SetSections replaces the section header table; see [File.Renumber].
func (f *File) SetSections(s []Section) {
	f.sectionsRead, f.sections, f.sectionErr = true, s, nil
	f.shstrtab = nil
}

// SectionName returns a section's name, "" where there is none to be had.
func (f *File) SectionName(i int) string { return string(f.sectionName(i)) }

func (f *File) sectionName(i int) []byte {
	s := f.Sections()
	if i < 0 || i >= len(s) {
		return nil
	}
	if f.shstrtab == nil {
		f.shstrtab = []byte{}
		if x := f.Shstrndx(); x != 0 && uint64(x) < uint64(len(s)) && s[x].HasBytes() {
			f.shstrtab, _ = f.Body.Bytes(s[x].Off, s[x].Size)
		}
	}
	name, _ := cstring(f.shstrtab, uint64(s[i].Name))
	return name
}

// SectionData returns a section's bytes as the file holds them (compressed, if
// they are): a window, cut off where the file ends, and an error if that
// happened. A section without bytes gives nil.
func (f *File) SectionData(i int) ([]byte, error) {
	s := &f.Sections()[i]
	if !s.HasBytes() {
		return nil, nil
	}
	b, err := f.Body.Bytes(s.Off, s.Size)
	if err != nil {
		return b, f.SectionError(i, "sh_offset", "0x%x + sh_size 0x%x is past the end of the file (0x%x)", s.Off, s.Size, f.Body.Size()).because(err)
	}
	return b, nil
}

// SectionByName returns the index of the first section of that name, or -1.
func (f *File) SectionByName(name string) int {
	for i := range f.Sections() {
		if i > 0 && string(f.sectionName(i)) == name {
			return i
		}
	}
	return -1
}

// SectionByType returns the index of the first section of that type, or -1.
func (f *File) SectionByType(t elf.SectionType) int {
	for i := range f.Sections() {
		if i > 0 && f.sections[i].Type == t {
			return i
		}
	}
	return -1
}
