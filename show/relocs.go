package show

import (
	"debug/elf"
	"strings"

	"elfwright/elffile"
)

// relocTable is a table of relocations with what is needed to print them.
type relocTable struct {
	*elffile.RelocTable
	p       *printer
	symbols *symbolTable // nil if it has none
	types   *relocTypes
}

// showRelocs prints the relocation tables: by the section headers, and what the
// dynamic section names besides.
func showRelocs(p *printer) {
	tables := p.relocTables()
	if len(tables) == 0 {
		p.remark("There are no relocations in this file.")
	}
	types := p.relocTypes()
	for _, rt := range tables {
		if !p.spend(rt.Size) {
			break
		}
		t := &relocTable{RelocTable: rt, p: p, types: types}
		t.symbols = p.relocSymbols(rt)
		p.table(&relocsHead{t})
		r := newRelocRow(t)
		for rel := range rt.All() {
			r.read(rel)
			p.row(r)
		}
		p.end()
		if r.bad > 0 {
			p.warnf(t.label(), "", rt.Offset, "%d of its relocations name symbols that are not in their table of %d", r.bad, t.symbolCount())
		}
	}
}

// relocTables returns the tables of the section headers in their order, then
// those of the dynamic section that none of them covers.
func (p *printer) relocTables() []*elffile.RelocTable {
	var list []*elffile.RelocTable
	sections := p.f.Sections()
	for i := range sections {
		if elffile.IsRelocSection(sections[i].Type) {
			t, err := p.f.RelocTable(i)
			p.warn(err)
			list = append(list, t)
		}
	}
	dynamic, err := p.f.DynamicRelocTables()
	p.warn(err)
	n := len(list)
	for _, t := range dynamic {
		covered := t.Len() == 0
		for _, s := range list[:n] {
			covered = covered || t.Offset >= s.Offset && t.Offset-s.Offset < int64(s.Size)
		}
		if !covered {
			list = append(list, t)
		}
	}
	return list
}

// relocSymbols returns the symbol table of a relocation table.
func (p *printer) relocSymbols(t *elffile.RelocTable) *symbolTable {
	if t.Index < 0 {
		return p.dynamicSymbols()
	}
	if sections := p.f.Sections(); t.Symbols != 0 && uint64(t.Symbols) < uint64(len(sections)) {
		switch sections[t.Symbols].Type {
		case elf.SHT_SYMTAB, elf.SHT_DYNSYM:
			return p.symbolTable(int(t.Symbols))
		}
		p.warnf(p.sectionLabel(t.Index), "sh_link", -1, "section %d is not a symbol table", t.Symbols)
	}
	return nil
}

func (t *relocTable) symbolCount() int {
	if t.symbols == nil {
		return 0
	}
	return t.symbols.Len()
}

func (t *relocTable) label() string {
	if t.Index < 0 {
		return "relocations of DT_" + t.Name
	}
	return t.p.sectionLabel(t.Index)
}

// relr says whether the table is of places alone.
func (t *relocTable) relr() bool { return t.Kind == "RELR" }

type relocsHead struct{ *relocTable }

func (h *relocsHead) text(t *text) {
	if h.Index >= 0 {
		t.title("Relocation section '", h.Name)
		t.title("'", "")
	} else {
		t.title("Relocations of DT_"+h.Name, "")
	}
	t.str(" at offset ")
	t.zx(uint64(h.Offset))
	t.str(" contains ")
	t.count(h.Len(), "entry", "entries")
	t.str(":")
	t.nl()
	t.heads(h.columns())
}

// columns are the heads of the table's columns.
func (h *relocsHead) columns() string {
	offset, info, value := padded("    Offset", 18), padded("      Info", 17), padded("Symbol's Value", 17)
	if !h.p.f.Is64() {
		offset, info, value = padded(" Offset", 10), padded("  Info", 9), padded(" Value", 9)
	}
	typ := padded("Type", 22)
	if h.types.rows != nil {
		typ += " " + padded("Formula", h.types.formulaWidth) + " "
	}
	switch {
	case h.relr():
		return offset + strings.TrimRight(typ, " ")
	case h.HasAddend:
		return offset + info + typ + " " + value + "Symbol's Name + Addend"
	}
	return offset + info + typ + " " + value + "Symbol's Name"
}

func (h *relocsHead) json(o *object) {
	o.tableName(h.Name, h.Index)
	o.str("kind", h.Kind)
	o.offset(h.Offset)
	o.hex("addr", h.Addr)
	o.num("size", h.Size)
	o.num("count", uint64(h.Len()))
	if h.Index >= 0 {
		o.num("symbols", uint64(h.Symbols))
		o.num("target", uint64(h.Target))
		if h.Target != 0 {
			o.names("target_name", h.p.sectionName(int(h.Target)))
		}
	}
}

// relocRow is one relocation.
type relocRow struct {
	elffile.Reloc
	table *relocTable
	typ   *relocType
	named bool // whether it names a symbol
	known bool // and that is in the table
	sym   elffile.Symbol
	name  []byte
	ver   symbolVersion

	wide int // digits of an address
	bad  int // how many rows named a symbol that is not there
}

func newRelocRow(t *relocTable) *relocRow {
	return &relocRow{table: t, wide: t.p.addrDigits()}
}

// read takes a relocation and looks up its symbol.
func (r *relocRow) read(rel elffile.Reloc) {
	r.Reloc = rel
	r.typ = r.table.types.of(rel.Type)
	r.named, r.known = rel.Sym != 0, false
	if !r.named {
		return
	}
	st := r.table.symbols
	if st == nil || uint64(rel.Sym) >= uint64(st.Len()) {
		r.bad++
		return
	}
	i := int(rel.Sym)
	r.known, r.sym = true, st.At(i)
	section := uint32(r.sym.Shndx)
	if r.sym.Shndx == elffile.ShnXindex {
		section = st.Section(i)
	}
	r.name = st.symbolName(r.sym, section)
	r.ver = symbolVersion{}
	if st.versions != nil {
		r.ver = st.versions.of(i, r.sym.Shndx)
	}
}

// info is r_info as the file has it.
func (r *relocRow) info() uint64 {
	switch {
	case r.wide == 8:
		return uint64(r.Sym)<<8 | uint64(r.Type&0xff)
	case r.table.types.mips64:
		// 64-bit ELF Object File Specification (MIPS), section 2.9.
		return uint64(r.Sym)<<32 | uint64(r.Ssym)<<24 | uint64(r.Type&0xff0000) | uint64(r.Type&0xff00) | uint64(r.Type&0xff)
	}
	return uint64(r.Sym)<<32 | uint64(r.Type)
}

func (r *relocRow) text(t *text) {
	t.hex(r.Off, r.wide)
	t.str("  ")
	if r.table.relr() {
		t.str(strings.TrimRight(r.typ.cell, " "))
		t.nl()
		return
	}
	t.hex(r.info(), r.wide)
	t.str(" ")
	t.str(r.typ.cell)
	switch {
	case r.known:
		r.symbolText(t)
	case r.named:
		t.str(" bad symbol index: ")
		t.hex(uint64(r.Sym), 8)
		r.addend(t)
	case r.table.HasAddend:
		t.space(r.wide + 2)
		if r.Addend < 0 {
			t.str("-")
		}
		t.hex(magnitude(r.Addend), 1)
	}
	t.nl()
	if r.table.types.mips64 {
		r.mipsText(t)
	}
}

// symbolText prints the symbol's value and name, and the addend.
func (r *relocRow) symbolText(t *text) {
	t.str(" ")
	t.hex(r.sym.Value, r.wide)
	t.str(" ")
	switch {
	case len(r.name) != 0:
		r.table.p.symbolText(t, r.name)
		r.ver.suffix(t)
	case r.sym.Shndx == uint16(elf.SHN_ABS):
		t.str("ABS")
	case r.sym.Shndx == uint16(elf.SHN_COMMON):
		t.str("COMMON")
	default:
		t.str("<null>")
	}
	r.addend(t)
}

func (r *relocRow) addend(t *text) {
	if !r.table.HasAddend {
		return
	}
	if r.Addend < 0 {
		t.str(" - ")
	} else {
		t.str(" + ")
	}
	t.hex(magnitude(r.Addend), 1)
}

func (r *relocRow) json(o *object) {
	o.hex("offset", r.Off)
	if !r.table.relr() {
		o.hex("info", r.info())
	}
	o.num("type", uint64(r.Type))
	if r.typ.name != "" {
		o.str("type_name", r.typ.name)
	}
	if r.typ.formula != "" {
		o.str("formula", r.typ.formula)
	}
	if r.table.types.mips64 {
		r.mipsJSON(o)
	}
	if !r.table.relr() {
		o.num("symbol", uint64(r.Sym))
	}
	if r.known {
		o.hex("symbol_value", r.sym.Value)
		r.table.p.symbolJSON(o, "symbol_name", r.name)
		if r.ver.name != nil {
			o.name("symbol_version", r.ver.name)
			o.bool("symbol_version_hidden", r.ver.hidden)
			o.bool("symbol_version_needed", r.ver.needed)
		}
	}
	if r.table.HasAddend {
		o.shex("addend", r.Addend)
	}
}

// mipsText prints the second and third type of a 64-bit MIPS relocation.
func (r *relocRow) mipsText(t *text) {
	types := r.table.types
	t.str("                    Type2: ")
	t.str(types.mipsName(r.Type >> 8 & 0xff))
	t.nl()
	t.str("                    Type3: ")
	t.str(types.mipsName(r.Type >> 16 & 0xff))
	t.nl()
}

func (r *relocRow) mipsJSON(o *object) {
	types := r.table.types
	for i, key := range []string{"type1", "type2", "type3"} {
		n := r.Type >> (8 * i) & 0xff
		o.num(key, uint64(n))
		o.str(key+"_name", types.mipsName(n))
	}
	o.num("special_symbol", uint64(r.Ssym))
}
