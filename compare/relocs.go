package compare

import (
	"cmp"
	"debug/elf"
	"fmt"
	"slices"

	"elfwright/elffile"
	"elfwright/machine/all"
)

// relocations counts the relocations by table and type; of an object's tables
// it also keeps where they apply.
func (c *comparison) relocations() {
	old, new := c.countRelocs(c.a), c.countRelocs(c.b)
	names := make(map[string]bool)
	for n := range old {
		names[n] = true
	}
	for n := range new {
		names[n] = true
	}
	for n := range names {
		if old[n] != new[n] {
			c.Relocs = append(c.Relocs, Count{n, old[n], new[n]})
		}
	}
	slices.SortFunc(c.Relocs, func(x, y Count) int { return cmp.Compare(x.Name, y.Name) })
}

// relocTables returns the tables to look at: those that a loader sees, or else
// those of the sections.
func (c *comparison) relocTables(m *model) []*elffile.RelocTable {
	tables, err := m.f.DynamicRelocTables()
	c.warn(m.f, err)
	if len(tables) > 0 {
		return tables
	}
	for i, s := range m.f.Sections() {
		if elffile.IsRelocSection(s.Type) && c.afford(m, s.Size) {
			t, err := m.f.RelocTable(i)
			c.warn(m.f, err)
			tables = append(tables, t)
		}
	}
	return tables
}

func (c *comparison) countRelocs(m *model) map[string]Size {
	counts := make(map[string]Size)
	mach := all.Lookup(m.f.Header.Machine, m.f.Class)
	for _, t := range c.relocTables(m) {
		types := make(map[uint32]Size)
		last, n := uint32(0), Size(0)
		for r := range t.All() {
			if r.Type != last {
				types[last] += n
				last, n = r.Type, 0
			}
			n++
		}
		types[last] += n
		for typ, n := range types {
			name := fmt.Sprintf("type %d", typ)
			if mach != nil && mach.Relocs.Lookup(typ) != nil {
				name = mach.Relocs.Name(typ)
			}
			if n > 0 {
				counts[t.Name+" "+name] += n
			}
		}
	}
	return counts
}

// A rel is a relocation of an object, by what it means.
type rel struct {
	off    uint64 // in the section
	typ    uint32
	sym    string
	to     int32 // of a nameless symbol: the area of its section
	addend int64
}

// relocated says whether the relocations in a symbol of an object differ.
func (c *comparison) relocated(s, t *symbol) bool {
	if !c.a.rel || !c.b.rel || s.area == none || t.area == none || s.size != t.size || s.size == 0 {
		return false
	}
	x, y := c.relsIn(c.a, s), c.relsIn(c.b, t)
	if len(x) != len(y) {
		return true
	}
	for k := range x {
		if p, q := &x[k], &y[k]; p.off-s.off != q.off-t.off || p.typ != q.typ || !c.sameTarget(p, q) {
			return true
		}
	}
	return false
}

// sameTarget says whether two relocations lead to the same place. A section's
// symbol with an addend, which may be off by the size of the field and of what
// follows it in the instruction, means what is at that place of the section.
func (c *comparison) sameTarget(p, q *rel) bool {
	if p.sym != "" || q.sym != "" {
		return p.sym == q.sym && p.addend == q.addend
	}
	if p.to == none || q.to == none {
		return p.to == q.to && p.addend == q.addend
	}
	for _, bias := range []int64{0, 4, 5, 6, 8} {
		at, off, ok := c.leads(p.to, uint64(p.addend+bias))
		if ok && at == q.to && off == uint64(q.addend+bias) {
			return true
		}
	}
	return false
}

// relsIn returns the relocations within a symbol of an object.
func (c *comparison) relsIn(m *model, s *symbol) []rel {
	if m.rels == nil {
		c.readRels(m)
	}
	list := m.rels[s.area]
	at := func(off uint64) int {
		i, _ := slices.BinarySearchFunc(list, off, func(r rel, off uint64) int { return cmp.Compare(r.off, off) })
		return i
	}
	return list[at(s.off):at(s.off+s.size)]
}

// readRels reads where the relocations of an object apply and what they mean.
func (c *comparison) readRels(m *model) {
	m.rels = make(map[int32][]rel)
	symtabs := make(map[uint32]*elffile.SymbolTable)
	strings := make(map[uint32]string)
	for _, t := range c.relocTables(m) {
		area := m.areaOf(t.Target)
		if area == none {
			continue
		}
		syms := symtabs[t.Symbols]
		if syms == nil {
			syms, _ = m.f.SymbolTable(int(t.Symbols)) // its faults were told
			symtabs[t.Symbols] = syms
			strings[t.Symbols] = string(syms.Strings)
		}
		for r := range t.All() {
			x := rel{off: r.Off, typ: r.Type, addend: r.Addend, to: none}
			if uint64(r.Sym) < uint64(syms.Len()) {
				s := syms.At(int(r.Sym))
				x.sym = nameIn(strings[t.Symbols], s.Name)
				if x.sym == "" || s.Type() == elf.STT_SECTION {
					x.sym, x.to = "", m.areaOf(syms.Section(int(r.Sym)))
				}
			}
			m.rels[area] = append(m.rels[area], x)
		}
	}
	for _, list := range m.rels {
		slices.SortStableFunc(list, func(x, y rel) int { return cmp.Compare(x.off, y.off) })
	}
}

// areaOf is the area of a section, or none.
func (m *model) areaOf(section uint32) int32 {
	if uint64(section) < uint64(len(m.bySect)) {
		return m.bySect[section]
	}
	return none
}
