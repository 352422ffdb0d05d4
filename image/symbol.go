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

	Link, Info uint32 // indexes of the file's table, where section 0 is the empty one
	Entsize    uint64

	Data elffile.Data // the bytes of a section that is in no segment, else nil
}

// Range is where the section lies in memory.
func (s *Section) Range() Range { return Range{s.Addr, s.Size} }

// ReadSections sets the sections to a file's section headers. The error says
// what is wrong with the table; what is there is set all the same.
func (img *Image) ReadSections(f *elffile.File) error {
	img.Sections = nil
	for i, s := range f.Sections() {
		if i == 0 {
			continue // the empty one
		}
		x := Section{
			Name: f.SectionName(i), Type: s.Type, Flags: elf.SectionFlag(s.Flags),
			Addr: Addr(s.Addr), Size: s.Size, Off: int64(s.Off), Align: s.Addralign,
			Link: s.Link, Info: s.Info, Entsize: s.Entsize,
		}
		if !s.Has(elf.SHF_ALLOC) && s.HasBytes() {
			b, err := f.SectionData(i)
			if err != nil {
				return err
			}
			x.Data = elffile.Buffer(b)
		}
		img.Sections = append(img.Sections, x)
	}
	return f.SectionErr()
}

// ReadSymbols appends the symbols of a file, which may be another than the one
// the segments came from: a split image keeps them apart. It takes .symtab, or
// the dynamic symbols where there is none.
func (img *Image) ReadSymbols(f *elffile.File) error {
	t, err := symbolTable(f)
	if t == nil {
		return err
	}
	for i := 1; i < t.Len(); i++ {
		s := t.At(i)
		img.Symbols = append(img.Symbols, Symbol{
			Name: string(t.Name(s)), Value: Addr(s.Value), Size: s.Size,
			Type: s.Type(), Bind: s.Bind(), Visibility: s.Visibility(),
			Section: elf.SectionIndex(t.Section(i)),
		})
	}
	return err
}

func symbolTable(f *elffile.File) (*elffile.SymbolTable, error) {
	for _, t := range []elf.SectionType{elf.SHT_SYMTAB, elf.SHT_DYNSYM} {
		if i := f.SectionByType(t); i >= 0 {
			return f.SymbolTable(i)
		}
	}
	return f.DynamicSymbolTable()
}
