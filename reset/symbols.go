package reset

import (
	"debug/elf"

	"elfwright/elffile"
)

// The symbols by which debuggers and loaders find what was added, in a program that
// has others: where to jump to, the table, and the registers of the first start.
const (
	entrySymbol = "__ew_reset"
	tableSymbol = "__ew_reset_table"
	slotSymbol  = "__ew_reset_slot"
)

// addSymbols adds them to the symbol table. A program without one gets none.
func (n *install) addSymbols() {
	f := n.now
	secs := f.Sections()
	at := -1
	for i := range secs {
		if s := &secs[i]; s.Type == elf.SHT_SYMTAB && s.Entsize == uint64(f.SymSize()) && s.Size%s.Entsize == 0 && !s.Has(elf.SHF_ALLOC) {
			at = i
		}
	}
	if at < 0 || f.SectionErr() != nil || n.opt.Phdr.Overlay != "" {
		return
	}
	syms := &secs[at]
	if int(syms.Link) >= len(secs) || secs[syms.Link].Type != elf.SHT_STRTAB || secs[syms.Link].Has(elf.SHF_ALLOC) || syms.Link == uint32(f.Header.Shstrndx) {
		return
	}
	for i := range secs { // its rows go with those of the symbols
		if secs[i].Type == elf.SHT_SYMTAB_SHNDX && secs[i].Link == uint32(at) {
			return
		}
	}
	names := &secs[syms.Link]
	var rows, strings []byte
	add := func(name, section string, kind elf.SymType, value, size uint64) {
		s := elffile.Symbol{Name: uint32(names.Size) + uint32(len(strings)), Info: byte(elf.STB_GLOBAL)<<4 | byte(kind), Other: byte(elf.STV_HIDDEN), Value: value, Size: size}
		s.Shndx = uint16(elf.SHN_ABS)
		if k := f.SectionByName(section); k >= 0 && k < elffile.ShnLoReserve {
			s.Shndx = uint16(k)
		}
		rows = append(rows, s.Encode(f.Format)...)
		strings = append(append(strings, name...), 0)
	}
	add(entrySymbol, codeSection, elf.STT_FUNC, f.Header.Entry, n.t.CodeSize)
	add(tableSymbol, codeSection, elf.STT_OBJECT, n.t.Addr, n.t.TableOff+n.t.Room)
	add(slotSymbol, slotSection, elf.STT_OBJECT, n.t.Slot, slotWords*uint64(f.AddrSize()))
	n.longer(syms, rows)
	n.longer(names, strings)
}

// longer makes a section longer. What follows it in the file moves up, if none of it
// is loaded; else the section goes to the end of the file.
func (n *install) longer(s *elffile.Section, more []byte) {
	const align = 64
	f, end := n.now, s.Off+s.Size
	step := up(uint64(len(more)), align)
	if n.loadedFrom(end) {
		at := up(uint64(f.Body.Size()), align)
		f.Body.Put(int64(at), f.Body.Window(int64(s.Off), int64(s.Size)))
		f.Body.Clear(int64(s.Off), int64(s.Size))
		s.Off, end = at, at+s.Size
	} else {
		f.Body.Insert(int64(end), int64(step))
		secs := f.Sections()
		for i := range secs {
			if i > 0 && secs[i].Off >= end && &secs[i] != s {
				secs[i].Off += step
			}
		}
		for _, off := range []*uint64{&f.Header.Phoff, &f.Header.Shoff} {
			if *off >= end {
				*off += step
			}
		}
	}
	f.Body.Put(int64(end), elffile.Buffer(more))
	s.Size += uint64(len(more))
}

// loadedFrom says whether bytes of the file from an offset on are loaded, or named
// by a program header.
func (n *install) loadedFrom(off uint64) bool {
	f := n.now
	for i := range f.Progs {
		if p := &f.Progs[i]; p.Filesz > 0 && p.Off+p.Filesz > off {
			return true
		}
	}
	return f.Header.Phoff+uint64(len(f.Progs)*f.PhdrSize()) > off
}
