package page

import (
	"debug/elf"
	"fmt"

	"elfwright/elffile"
	"elfwright/show"
)

// maxRows bounds the rows of one table that are looked at.
const maxRows = 4 << 20

// symbolRows are the columns of the symbols while they are collected.
type symbolRows struct {
	value, size                 []uint64
	name, nice, section, source []uint32
	info, other, table          []uint8
	names                       names
	total                       int
}

// symbols adds the symbols of every table: .symtab and .dynsym or, without
// section headers, those that the dynamic section leads to.
func (b *builder) symbols() {
	b.symBase = make(map[int]int)
	rows := new(symbolRows)
	for i := range b.sections {
		if t := b.sections[i].Type; t == elf.SHT_SYMTAB || t == elf.SHT_DYNSYM {
			tab, err := b.File.SymbolTable(i)
			b.fault(err)
			b.addSymbols(rows, tab, b.File.SectionName(i))
		}
	}
	if rows.total == 0 {
		tab, err := b.File.DynamicSymbolTable()
		b.fault(err)
		b.addSymbols(rows, tab, "DT_SYMTAB")
	}
	n := len(rows.value)
	if n == 0 {
		return
	}
	rows.source = b.sources(rows)
	b.demangle(rows)
	cols := []column{
		wide("value", rows.value), wide("size", rows.size),
		word("name", rows.name), word("nice", rows.nice), word("section", rows.section), word("source", rows.source),
		narrow("info", rows.info), narrow("other", rows.other), narrow("table", rows.table),
	}
	t := b.table(cols, n, rows.total, rows.name, rows.names.blob)
	b.short("symbols", t)
	b.out.Symbols = &t
}

// short notes that a table was cut.
func (b *builder) short(what string, t table) {
	if t.Rows < t.Of {
		b.note(fmt.Sprintf("there was room for %d of %d %s", t.Rows, t.Of, what))
	}
}

func (b *builder) addSymbols(r *symbolRows, tab *elffile.SymbolTable, name string) {
	if tab.Len() == 0 || len(b.out.Names.SymbolTabs) == 255 {
		return
	}
	b.symBase[tab.Index] = len(r.value)
	number := uint8(len(b.out.Names.SymbolTabs))
	b.out.Names.SymbolTabs = append(b.out.Names.SymbolTabs, text(name))
	r.total += tab.Len()
	m := b.File.Header.Machine
	for i := range min(tab.Len(), max(maxRows-len(r.value), 0)) {
		s := tab.At(i)
		r.value, r.size = append(r.value, s.Value), append(r.size, s.Size)
		r.name = append(r.name, r.names.add(b.symbolName(tab, s)))
		r.section = append(r.section, tab.Section(i))
		r.info, r.other, r.table = append(r.info, s.Info), append(r.other, s.Other), append(r.table, number)
		if t := s.Info & 15; b.out.Names.SymbolType[t] == "" {
			b.out.Names.SymbolType[t] = elffile.SymTypeName(m, elf.SymType(t))
		}
		if t := s.Info >> 4; b.out.Names.Bind[t] == "" {
			b.out.Names.Bind[t] = elffile.SymBindName(elf.SymBind(t))
		}
		if v := s.Other & 3; b.out.Names.Visibility[v] == "" {
			b.out.Names.Visibility[v] = elffile.VisibilityName(elf.SymVis(v))
		}
	}
}

// symbolName is a symbol's own name or, for a section's, the section's.
func (b *builder) symbolName(tab *elffile.SymbolTable, s elffile.Symbol) []byte {
	if s.Type() == elf.STT_SECTION && s.Name == 0 && int(s.Shndx) < len(b.sections) {
		return []byte(b.File.SectionName(int(s.Shndx)))
	}
	return tab.Name(s)
}

// demangle adds the names as in the source, for names that have one: their
// offsets are in the column nice, 0 where there is none. They follow each
// symbol's own name, so that a table that is cut has both.
func (b *builder) demangle(r *symbolRows) {
	var out names
	r.nice = make([]uint32, len(r.name))
	at := make([]uint32, len(r.name))
	for i, off := range r.name {
		name, _ := elffile.CString(r.names.blob, uint64(off))
		if i > 0 && off == r.name[i-1] {
			at[i], r.nice[i] = at[i-1], r.nice[i-1]
			continue
		}
		at[i] = out.add(name)
		if len(name) > 2 && (name[0] == '_' && (name[1] == 'Z' || name[1] == 'R') || name[0] == '_' && name[1] == '_') {
			if nice := show.Demangle(string(name)); nice != string(name) {
				r.nice[i] = out.add([]byte(nice))
			}
		}
	}
	r.name, r.names = at, out
}
