package ldcase

import (
	"crypto/sha256"
	"debug/elf"
	"fmt"
	"slices"
	"sort"
	"strings"

	"elfwright/elffile"
)

// Summary is what a file says, without what linkers are free in: file offsets,
// the order of symbols, string tables.
type Summary struct {
	Head     string
	Entry    uint64
	Sections []Section
	Segments []Segment
	Symbols  []string // "NAME WHERE TYPE BIND VISIBILITY size=N", sorted
	Relocs   []string // "SECTION OFFSET TYPE SYMBOL+ADDEND", sorted

	places map[string]string // of symbols
}

// Section is an output section.
type Section struct {
	Name       string
	Type       string
	Flags      string
	Addr, LMA  uint64
	Size       uint64
	Align      uint64
	Entsize    uint64
	Link, Info string // sections by name; Info is a number else
	Hash       string // of the bytes
	HasLMA     bool
	alloc      bool
	bytes      []byte
}

// Segment is a program header.
type Segment struct {
	Type, Flags  string
	Vaddr, Paddr uint64
	Filesz       uint64
	Memsz        uint64
	Align        uint64
	Sections     []string
	Headers      bool // it begins at file offset 0
}

// Summarise reads a linked file. What is no ELF file is one section of bytes.
func Summarise(data []byte) (*Summary, error) {
	if !elffile.IsELF(data) {
		return &Summary{Head: "bytes", Sections: []Section{{Name: "(file)", Size: uint64(len(data)), Hash: hash(data), bytes: data}}}, nil
	}
	f, err := elffile.Parse("output", data)
	if err != nil {
		return nil, err
	}
	for _, err := range []error{f.HeaderErr, f.ProgErr} { // sections of strange types are made by strange scripts
		if err != nil {
			return nil, err
		}
	}
	s := &Summary{
		Head:  fmt.Sprintf("%s %s flags=%#x", elffile.TypeName(f.Header.Type), elffile.MachineName(f.Header.Machine), f.Header.Flags),
		Entry: f.Header.Entry, places: map[string]string{},
	}
	if err := s.readSections(f); err != nil {
		return nil, err
	}
	if err := s.readSegments(f); err != nil {
		return nil, err
	}
	return s, s.readTables(f)
}

func hash(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b))[:12] }

// free are sections whose bytes and sizes are the linker's own affair; only
// that they are there counts.
func free(name string) bool { return name == ".symtab" || name == ".strtab" || name == ".shstrtab" }

func (s *Summary) readSections(f *elffile.File) error {
	m := f.Header.Machine
	for i, h := range f.Sections() {
		if i == 0 {
			continue
		}
		x := Section{
			Name: f.SectionName(i), Type: elffile.SectionTypeName(m, h.Type), Flags: elffile.SectionFlagLetters(m, h.Flags),
			Addr: h.Addr, Size: h.Size, Align: h.Addralign, Entsize: h.Entsize, alloc: h.Has(elf.SHF_ALLOC),
		}
		if m == elf.EM_ARM && h.Has(elf.SHF_EXECINSTR) {
			x.Align = max(x.Align, 4) // of GNU ld's sections for glue, which are empty
		}
		if free(x.Name) || x.Name == ".ARM.attributes" { // what it says of processors is merged differently
			x.Size, x.Align = 0, 0
		} else {
			x.Link, x.Info = sectionName(f, h.Link), infoOf(f, &h)
			if h.HasBytes() {
				b, err := f.SectionData(i)
				if err != nil {
					return err
				}
				x.bytes = b
				if !elffile.IsRelocSection(h.Type) { // they are read apart
					x.Hash = hash(b)
				}
			}
		}
		s.Sections = append(s.Sections, x)
	}
	return nil
}

func sectionName(f *elffile.File, i uint32) string {
	if i == 0 || uint64(i) >= f.Shnum() {
		return ""
	}
	return f.SectionName(int(i))
}

func infoOf(f *elffile.File, h *elffile.Section) string {
	switch {
	case h.Has(elf.SHF_INFO_LINK), elffile.IsRelocSection(h.Type):
		return sectionName(f, h.Info)
	case h.Type == elf.SHT_DYNSYM, h.Info == 0:
		return ""
	}
	return fmt.Sprint(h.Info)
}

func (s *Summary) readSegments(f *elffile.File) error {
	for i, p := range f.Progs {
		if p.Type == elf.PT_LOAD && p.Memsz > 0 && p.Align > 1 && (p.Off-p.Vaddr)%p.Align != 0 {
			return fmt.Errorf("program header %d: p_offset %#x and p_vaddr %#x differ modulo p_align %#x", i, p.Off, p.Vaddr, p.Align)
		}
		g := Segment{
			Type: elffile.ProgTypeName(f.Header.Machine, p.Type), Flags: strings.ReplaceAll(elffile.ProgFlagLetters(p.Flags), " ", "-"),
			Vaddr: p.Vaddr, Paddr: p.Paddr, Filesz: p.Filesz, Memsz: p.Memsz, Align: p.Align, Headers: p.Off == 0 && p.Filesz > 0,
		}
		if p.Type == elf.PT_LOAD && f.Header.Machine == elf.EM_ARM && p.Flags&elf.PF_X != 0 {
			g.Align = max(g.Align, 4) // of sections for glue, as in readSections
		}
		for j, h := range f.Sections()[min(1, len(f.Sections())):] {
			if inSegment(&h, &p) {
				x := &s.Sections[j]
				g.Sections = append(g.Sections, x.Name)
				if p.Type == elf.PT_LOAD && !x.HasLMA {
					x.HasLMA, x.LMA = true, h.Addr-p.Vaddr+p.Paddr
				}
			}
		}
		s.Segments = append(s.Segments, g)
	}
	return nil
}

// inSegment: gABI and readelf: by file offset if the section has bytes, by
// address if it is ALLOC; .tbss takes room in PT_TLS alone.
func inSegment(h *elffile.Section, p *elffile.Prog) bool {
	tbss := h.Has(elf.SHF_TLS) && h.Type == elf.SHT_NOBITS
	switch {
	case h.Size == 0, tbss && p.Type != elf.PT_TLS, p.Type == elf.PT_TLS && !h.Has(elf.SHF_TLS):
		return false
	case h.HasBytes() && (h.Off < p.Off || h.Off-p.Off > p.Filesz || h.Size > p.Filesz-(h.Off-p.Off)):
		return false
	case h.Has(elf.SHF_ALLOC):
		return h.Addr >= p.Vaddr && h.Addr-p.Vaddr <= p.Memsz && h.Size <= p.Memsz-(h.Addr-p.Vaddr)
	}
	return h.HasBytes() && p.Type != elf.PT_LOAD
}

// readTables reads symbols, dynamic ones too, and relocations.
func (s *Summary) readTables(f *elffile.File) error {
	for i, h := range f.Sections() {
		switch {
		case h.Type == elf.SHT_SYMTAB || h.Type == elf.SHT_DYNSYM:
			t, err := f.SymbolTable(i)
			if err != nil {
				return err
			}
			s.readSymbols(f, t, h.Type == elf.SHT_DYNSYM)
		case elffile.IsRelocSection(h.Type):
			t, err := f.RelocTable(i)
			if err != nil {
				return err
			}
			s.readRelocs(f, t, f.SectionName(i))
		}
	}
	sort.Strings(s.Symbols)
	sort.Strings(s.Relocs)
	return nil
}

func (s *Summary) readSymbols(f *elffile.File, t *elffile.SymbolTable, dynamic bool) {
	for i := 1; i < t.Len(); i++ {
		y := t.At(i)
		if y.Type() == elf.STT_FILE || y.Type() == elf.STT_SECTION {
			continue
		}
		name, place := string(t.Name(y)), placeOf(f, t, i)
		if f.Header.Machine == elf.EM_ARM && isMapping(name) {
			continue // GNU ld adds one to every section that has none
		}
		if dynamic {
			name = "dynamic:" + name
		}
		if _, ok := s.places[name]; !ok || y.Bind() != elf.STB_LOCAL {
			s.places[name] = place
		}
		s.Symbols = append(s.Symbols, fmt.Sprintf("%s %s %s %s %s size=%d", name, place,
			elffile.SymTypeName(f.Header.Machine, y.Type()), elffile.SymBindName(y.Bind()), elffile.VisibilityName(y.Visibility()), y.Size))
	}
}

// isMapping says whether a symbol tells code from data (AAELF32, "Mapping
// symbols").
func isMapping(name string) bool { return name == "$a" || name == "$t" || name == "$d" }

func placeOf(f *elffile.File, t *elffile.SymbolTable, i int) string {
	y := t.At(i)
	switch elf.SectionIndex(y.Shndx) {
	case elf.SHN_UNDEF:
		return "undefined"
	case elf.SHN_ABS:
		return fmt.Sprintf("abs:%#x", y.Value)
	case elf.SHN_COMMON:
		return fmt.Sprintf("common:%#x", y.Value)
	}
	return fmt.Sprintf("%s:%#x", sectionName(f, t.Section(i)), y.Value)
}

func (s *Summary) readRelocs(f *elffile.File, t *elffile.RelocTable, section string) {
	symbols, _ := f.SymbolTable(int(t.Symbols))
	for r := range t.All() {
		name := ""
		if symbols != nil && int(r.Sym) < symbols.Len() && r.Sym != 0 {
			y := symbols.At(int(r.Sym))
			name = string(symbols.Name(y))
			if y.Type() == elf.STT_SECTION {
				name = sectionName(f, symbols.Section(int(r.Sym)))
			}
		}
		s.Relocs = append(s.Relocs, fmt.Sprintf("%s %#x type=%d %s%+d", section, r.Off, r.Type, name, r.Addend))
	}
}

// Lines is the summary as text, a fact a line: what is compared.
func (s *Summary) Lines() []string {
	lines := []string{fmt.Sprintf("file %s entry=%#x", s.Head, s.Entry)}
	var loose []string
	for i := range s.Sections {
		if x := &s.Sections[i]; x.alloc {
			lines = append(lines, x.line())
		} else {
			loose = append(loose, x.line())
		}
	}
	slices.Sort(loose) // no address tells their order
	lines = append(lines, loose...)
	for i, g := range s.Segments {
		lines = append(lines, fmt.Sprintf("segment %d %s", i, g.line()))
	}
	for _, y := range s.Symbols {
		lines = append(lines, "symbol "+y)
	}
	for _, r := range s.Relocs {
		lines = append(lines, "reloc "+r)
	}
	return lines
}

func (x *Section) line() string {
	var b strings.Builder
	fmt.Fprintf(&b, "section %s %s %s addr=%#x", x.Name, x.Type, x.Flags, x.Addr)
	if x.HasLMA {
		fmt.Fprintf(&b, " lma=%#x", x.LMA)
	}
	fmt.Fprintf(&b, " size=%#x align=%d", x.Size, x.Align)
	if x.Entsize != 0 {
		fmt.Fprintf(&b, " entsize=%d", x.Entsize)
	}
	if x.Link+x.Info != "" {
		fmt.Fprintf(&b, " link=%s info=%s", x.Link, x.Info)
	}
	switch {
	case x.Hash == "":
	case len(x.bytes) <= 32:
		fmt.Fprintf(&b, " bytes=%x", x.bytes)
	default:
		fmt.Fprintf(&b, " hash=%s", x.Hash)
	}
	return b.String()
}

func (g *Segment) line() string {
	s := fmt.Sprintf("%s %s vaddr=%#x paddr=%#x filesz=%#x memsz=%#x align=%#x", g.Type, g.Flags, g.Vaddr, g.Paddr, g.Filesz, g.Memsz, g.Align)
	if g.Headers {
		s += " headers"
	}
	return s + " [" + strings.Join(g.Sections, " ") + "]"
}
