package image

import (
	"debug/elf"
	"fmt"
	"slices"

	"elfwright/elffile"
)

// sections appends what only tools need: the sections of the image, its symbols
// as .symtab and .strtab, and the names. Tables of an earlier file that would be
// written anew (.symtab, its strings, the section names) are left out, and the
// others are renumbered.
func (l *layout) sections(f *elffile.File) error {
	w := &sectionWriter{layout: l, file: f, renumber: []uint32{0}, names: []byte{0}}
	w.table = append(w.table, elffile.Section{})
	for i := range l.img.Sections {
		w.keep(&l.img.Sections[i], i+1)
	}
	for i := range w.table {
		w.relink(&w.table[i])
	}
	if len(l.img.Symbols) > 0 {
		if err := w.symbols(); err != nil {
			return err
		}
	}
	w.add(".shstrtab", elffile.Section{Type: elf.SHT_STRTAB, Addralign: 1}, nil)
	last := &w.table[len(w.table)-1]
	last.Off, last.Size = uint64(l.body.Size()), uint64(len(w.names))
	l.body.Put(l.body.Size(), elffile.Buffer(w.names))
	f.Header.Shoff = uint64((max(l.body.Size(), l.tableEnd()) + 7) &^ 7)
	f.SetSections(w.table)
	return f.Renumber(uint32(len(w.table) - 1))
}

type sectionWriter struct {
	*layout
	file     *elffile.File
	table    []elffile.Section
	renumber []uint32 // old index: new index, 0 for those left out
	names    []byte
}

// keep copies a section of the image, unless it will be written anew.
func (w *sectionWriter) keep(s *Section, index int) {
	if s.Type == elf.SHT_SYMTAB || s.Type == elf.SHT_SYMTAB_SHNDX || s.Type == elf.SHT_STRTAB && s.Flags&elf.SHF_ALLOC == 0 {
		w.renumber = append(w.renumber, 0)
		return
	}
	w.renumber = append(w.renumber, uint32(len(w.table)))
	w.add(s.Name, elffile.Section{
		Type: s.Type, Flags: uint64(s.Flags), Addr: uint64(s.Addr), Size: s.Size, Off: w.offset(s),
		Link: s.Link, Info: s.Info, Addralign: s.Align, Entsize: s.Entsize,
	}, s.Data)
}

// offset is where the bytes of an allocated section are: those of its segment.
func (w *sectionWriter) offset(s *Section) uint64 {
	if s.Flags&elf.SHF_ALLOC == 0 {
		return 0
	}
	for i, slot := range w.slots {
		if slot.seg >= 0 && w.img.Segments[slot.seg].Range().Contains(s.Addr) {
			return w.progs[i].Off + uint64(s.Addr) - w.progs[i].Vaddr
		}
	}
	return uint64(max(s.Off, 0))
}

// add appends a section header, and bytes of its own.
func (w *sectionWriter) add(name string, s elffile.Section, d elffile.Data) {
	s.Name = uint32(len(w.names))
	w.names = append(append(w.names, name...), 0)
	if d != nil {
		align := int64(max(s.Addralign, 1))
		at := max(w.body.Size(), w.tableEnd())
		at += (align - at%align) % align
		s.Off, s.Size = uint64(at), uint64(d.Size())
		w.body.Put(at, d)
	}
	w.table = append(w.table, s)
}

// relink renumbers the section indexes in a header.
func (w *sectionWriter) relink(s *elffile.Section) {
	at := func(i uint32) uint32 {
		if int(i) < len(w.renumber) {
			return w.renumber[i]
		}
		return 0
	}
	s.Link = at(s.Link)
	if s.Has(elf.SHF_INFO_LINK) || s.Type == elf.SHT_REL || s.Type == elf.SHT_RELA {
		s.Info = at(s.Info)
	}
}

// symbols writes .symtab and .strtab; locals come first (gABI, "Symbol Table").
func (w *sectionWriter) symbols() error {
	syms := slices.Clone(w.img.Symbols)
	slices.SortStableFunc(syms, func(a, b Symbol) int { return global(a) - global(b) })
	format := w.img.Format
	strs := []byte{0}
	tab := make([]byte, format.SymSize(), format.SymSize()*(len(syms)+1))
	locals := 1
	for i := range syms {
		s := &syms[i]
		index, err := w.sectionIndex(s)
		if err != nil {
			return err
		}
		e := elffile.Symbol{
			Info: elf.ST_INFO(s.Bind, s.Type), Other: uint8(s.Visibility), Shndx: index,
			Value: uint64(s.Value), Size: s.Size,
		}
		if s.Name != "" {
			e.Name = uint32(len(strs))
			strs = append(append(strs, s.Name...), 0)
		}
		tab = append(tab, e.Encode(format)...)
		if s.Bind == elf.STB_LOCAL {
			locals++
		}
	}
	link := uint32(len(w.table) + 1)
	w.add(".symtab", elffile.Section{
		Type: elf.SHT_SYMTAB, Link: link, Info: uint32(locals),
		Addralign: uint64(format.AddrSize()), Entsize: uint64(format.SymSize()),
	}, elffile.Buffer(tab))
	w.add(".strtab", elffile.Section{Type: elf.SHT_STRTAB, Addralign: 1}, elffile.Buffer(strs))
	return nil
}

func global(s Symbol) int {
	if s.Bind == elf.STB_LOCAL {
		return 0
	}
	return 1
}

// sectionIndex is the st_shndx of a symbol in the file that is written. A symbol
// whose section is not kept is at an absolute address all the same.
func (w *sectionWriter) sectionIndex(s *Symbol) (uint16, error) {
	i := uint32(s.Section)
	if i == 0 || i >= elffile.ShnLoReserve && i <= elffile.ShnXindex {
		return uint16(i), nil
	}
	n := uint32(0)
	if int(i) < len(w.renumber) {
		n = w.renumber[i]
	}
	if n == 0 {
		return uint16(elf.SHN_ABS), nil
	}
	if n >= elffile.ShnLoReserve {
		return 0, fmt.Errorf("%s: symbol %q is in section %d; indexes above 0x%x need SHT_SYMTAB_SHNDX, which is not written yet", w.img.Name, s.Name, n, elffile.ShnLoReserve-1)
	}
	return uint16(n), nil
}
