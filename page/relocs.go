package page

import (
	"debug/elf"
	"fmt"

	"elfwright/elffile"
	"elfwright/machine"
	"elfwright/machine/all"
)

// noSymbol is the symbol of a relocation without one.
const noSymbol = ^uint32(0)

type relocRows struct {
	off, addend []uint64
	sym, typ    []uint32
	table       []uint8
	total       int
	types       *machine.Table
}

// relocs adds the relocations of every table, by the section headers or, where
// these show none, by the dynamic section.
func (b *builder) relocs() {
	r := new(relocRows)
	if m := all.Lookup(b.File.Header.Machine, b.File.Class); m != nil {
		r.types = m.Relocs
	}
	for i := range b.sections {
		if elffile.IsRelocSection(b.sections[i].Type) {
			t, err := b.File.RelocTable(i)
			b.fault(err)
			b.addRelocs(r, t, b.File.SectionName(i))
		}
	}
	if r.total == 0 {
		tables, err := b.File.DynamicRelocTables()
		b.fault(err)
		for _, t := range tables {
			b.addRelocs(r, t, "DT_"+t.Name)
		}
	}
	if len(r.off) == 0 {
		return
	}
	cols := []column{wide("off", r.off), wide("addend", r.addend), word("sym", r.sym), word("type", r.typ), narrow("table", r.table)}
	t := b.table(cols, len(r.off), r.total, nil, nil)
	b.short("relocations", t)
	b.out.Relocs = &t
}

func (b *builder) addRelocs(r *relocRows, t *elffile.RelocTable, name string) {
	n := &b.out.Names
	if t.Len() == 0 {
		return
	}
	r.total += t.Len()
	if len(n.RelocTabs) == 255 { // objects have a table for each section; the last number is for all others
		n.RelocTabs, n.RelocTarget = append(n.RelocTabs, "more tables"), append(n.RelocTarget, -1)
	}
	number := uint8(min(len(n.RelocTabs), 255))
	if number < 255 {
		target := -1
		if b.File.Header.Type == elf.ET_REL {
			target = int(t.Target)
		}
		n.RelocTabs, n.RelocTarget = append(n.RelocTabs, text(name)), append(n.RelocTarget, target)
	}
	base, known := b.symBase[int(t.Symbols)]
	if t.Symbols == 0 {
		base, known = b.symBase[-1]
	}
	for x := range t.All() {
		if len(r.off) == maxRows {
			return
		}
		sym := noSymbol
		if x.Sym != 0 && known {
			sym = uint32(base) + x.Sym
		}
		r.off, r.addend = append(r.off, x.Off), append(r.addend, uint64(x.Addend))
		r.sym, r.typ, r.table = append(r.sym, sym), append(r.typ, x.Type), append(r.table, number)
		if _, ok := n.Reloc[x.Type]; !ok && len(n.Reloc) < maxTypes {
			n.Reloc[x.Type] = r.name(x.Type)
		}
	}
}

// maxTypes bounds the names of types: a broken table has a new one in each row.
const maxTypes = 1000

func (r *relocRows) name(typ uint32) string {
	if r.types != nil {
		if row := r.types.Lookup(typ); row != nil {
			return row.Name + "|" + row.Formula.String()
		}
	}
	return fmt.Sprintf("0x%x", typ)
}
