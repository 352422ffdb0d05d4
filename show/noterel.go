package show

import (
	"debug/elf"
	"errors"

	"elfwright/elffile"
	"elfwright/machine"
)

// sectionNotes reads the notes of a section. In a relocatable file the addresses
// in them (probes have three) are still relocations: they are applied with the
// values that the symbols have so far, which are offsets in their sections.
func (p *printer) sectionNotes(i int, relocs map[uint32][]int) (notes []elffile.Note, relocated bool, err error) {
	tables := p.noteRelocs(relocs[uint32(i)])
	s := &p.f.Sections()[i]
	if len(tables) == 0 || s.Has(elf.SHF_COMPRESSED) {
		notes, err = p.f.SectionNotes(i)
		return notes, false, err
	}
	b, err := p.f.SectionData(i)
	b = append([]byte(nil), b...)
	for _, t := range tables {
		for rel := range t.All() {
			p.applyNote(b, t, rel)
		}
	}
	notes, nerr := elffile.ParseNotes(p.f.Format, b, int64(s.Off), s.Addralign)
	if e, ok := errors.AsType[*elffile.Error](nerr); ok {
		e.File, e.Struct = p.f.Name, p.sectionLabel(i)+", "+e.Struct
		nerr = e
	}
	return notes, true, errors.Join(err, nerr)
}

// relocSections gives, for each section of a relocatable file, the sections with
// its relocations.
func (p *printer) relocSections() map[uint32][]int {
	if p.f.Header.Type != elf.ET_REL || p.m == nil || p.m.Relocs == nil {
		return nil
	}
	of := map[uint32][]int{}
	for i := range p.f.Sections() {
		if s := &p.f.Sections()[i]; elffile.IsRelocSection(s.Type) {
			of[s.Info] = append(of[s.Info], i)
		}
	}
	return of
}

// noteRelocs opens relocation tables.
func (p *printer) noteRelocs(sections []int) []*relocTable {
	var list []*relocTable
	for _, i := range sections {
		if !p.spend(p.f.Sections()[i].Size) {
			break
		}
		// What is wrong with a table, the view of relocations tells.
		if rt, err := p.f.RelocTable(i); err == nil {
			list = append(list, &relocTable{RelocTable: rt, p: p, symbols: p.relocSymbols(rt)})
		}
	}
	return list
}

// applyNote applies one relocation. One that cannot be applied leaves the bytes
// as they are.
func (p *printer) applyNote(b []byte, t *relocTable, rel elffile.Reloc) {
	row := p.m.Relocs.Lookup(rel.Type)
	if row == nil || !row.Static() || rel.Off >= uint64(len(b)) {
		return
	}
	v := machine.Values{A: rel.Addend, P: rel.Off}
	if rel.Sym != 0 {
		if t.symbols == nil || uint64(rel.Sym) >= uint64(t.symbols.Len()) {
			return
		}
		v.S = t.symbols.At(int(rel.Sym)).Value
	}
	if !t.HasAddend {
		var err error
		if v.A, err = row.Addend(b[rel.Off:], p.f.Order()); err != nil {
			return
		}
	}
	// A value that does not fit is the linker's to report.
	_ = row.Apply(b[rel.Off:], p.f.Order(), &v)
}
