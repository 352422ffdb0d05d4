package image

import (
	"debug/elf"

	"elfwright/elffile"
)

// Symbol is a name for a place in the image.
type Symbol struct {
	Name       string
	Value      Addr // an address; the offset in the TLS block for STT_TLS
	Size       uint64
	Type       elf.SymType
	Bind       elf.SymBind
	Visibility elf.SymVis
	Section    elf.SectionIndex // SHN_UNDEF, SHN_ABS, or the index of the file it came from
}

// Symbol returns the first defined symbol of a name, or nil.
func (img *Image) Symbol(name string) *Symbol {
	for i := range img.Symbols {
		if s := &img.Symbols[i]; s.Name == name && s.Section != elf.SHN_UNDEF {
			return s
		}
	}
	return nil
}

// Section is a named part of the image: a view for people and debuggers that
// the program does not need.
type Section struct {
	Name  string
	Type  elf.SectionType
	Flags elf.SectionFlag
	Addr  Addr
	Size  uint64
	Off   int64
	Align uint64
}

// Range is where the section lies in memory.
func (s *Section) Range() Range { return Range{s.Addr, s.Size} }

// ReadSections sets the sections to a file's section headers. The error says
// what is wrong with the table; what is there is set all the same.
func (img *Image) ReadSections(f *elffile.File) error {
	img.Sections = nil
	for i, s := range f.Sections() {
		if i == 0 {
			continue
		}
		img.Sections = append(img.Sections, Section{
			Name: f.SectionName(i), Type: s.Type, Flags: elf.SectionFlag(s.Flags),
			Addr: Addr(s.Addr), Size: s.Size, Off: int64(s.Off), Align: s.Addralign,
		})
	}
	return f.SectionErr()
}
