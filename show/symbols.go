package show

import (
	"bytes"
	"debug/elf"

	"elfwright/elffile"
)

// symbolTable is a symbol table with what is needed to print its symbols
// without a search for each of them.
type symbolTable struct {
	*elffile.SymbolTable
	p        *printer
	name     string // of its section
	versions *versionNames
}

// symbolTables returns the symbol tables of the file, dynamic ones only or all:
// by the section headers, and where these name no dynamic one, by PT_DYNAMIC.
func (p *printer) symbolTables(dynamicOnly bool) []*symbolTable {
	var list []*symbolTable
	dynamic := false
	for i := range p.f.Sections() {
		switch p.f.Sections()[i].Type {
		case elf.SHT_DYNSYM:
			dynamic = true
		case elf.SHT_SYMTAB:
			if dynamicOnly {
				continue
			}
		default:
			continue
		}
		list = append(list, p.symbolTable(i))
	}
	if !dynamic {
		if t := p.dynamicSymbols(); t.Len() > 0 {
			list = append([]*symbolTable{t}, list...)
		}
	}
	return list
}

// symbolTable returns the symbol table that is section i; its faults are noted
// the first time.
func (p *printer) symbolTable(i int) *symbolTable {
	if t := p.symbolTabs[i]; t != nil {
		return t
	}
	st, err := p.f.SymbolTable(i)
	p.warn(err)
	t := &symbolTable{SymbolTable: st, p: p, name: p.sectionName(i)}
	if i < len(p.f.Sections()) && p.f.Sections()[i].Type == elf.SHT_DYNSYM {
		t.versions = p.versionNames()
	}
	p.keepTable(i, t)
	return t
}

// dynamicSymbols returns the symbol table that PT_DYNAMIC leads to.
func (p *printer) dynamicSymbols() *symbolTable {
	if t := p.symbolTabs[-1]; t != nil {
		return t
	}
	st, err := p.f.DynamicSymbolTable()
	p.warn(err)
	t := &symbolTable{SymbolTable: st, p: p, versions: p.versionNames()}
	p.keepTable(-1, t)
	return t
}

func (p *printer) keepTable(i int, t *symbolTable) {
	if p.symbolTabs == nil {
		p.symbolTabs = make(map[int]*symbolTable)
	}
	p.symbolTabs[i] = t
}

func showSymbols(p *printer) { p.showSymbolTables(false) }

func showDynSyms(p *printer) {
	if p.opt.views()&Symbols == 0 || p.o != nil { // else they are among all symbols
		p.showSymbolTables(true)
	}
}

func (p *printer) showSymbolTables(dynamicOnly bool) {
	tables := p.symbolTables(dynamicOnly)
	if len(tables) == 0 {
		if dynamicOnly {
			p.remark("There are no dynamic symbols in this file.")
		} else {
			p.remark("There are no symbols in this file.")
		}
	}
	for _, t := range tables {
		if !p.spend(uint64(t.Len() * p.f.SymSize())) {
			break
		}
		p.table(&symbolsHead{t, p.f.Is64()})
		r := newSymbolRow(t)
		for i := range t.Len() {
			r.read(i)
			p.row(r)
		}
		p.end()
		p.checkSymbols(t)
	}
}

// checkSymbols notes symbols in sections that are not there.
func (p *printer) checkSymbols(t *symbolTable) {
	n := uint32(len(p.f.Sections()))
	if n == 0 {
		return // a file that lost its section headers
	}
	for i := range t.Len() {
		s := t.At(i).Shndx
		if s < elffile.ShnLoReserve && uint32(s) < n {
			continue
		}
		x := t.Section(i)
		switch {
		case x < n || s >= elffile.ShnLoReserve && s != elffile.ShnXindex:
		case p.full():
			p.viewFaults++ // without the cost of a message for each of a million
		default:
			p.warnf(t.label(), "st_shndx", -1, "symbol %d is in section %d, but there are %d section headers", i, x, n)
		}
	}
}

// label is how errors call the table.
func (t *symbolTable) label() string {
	if t.Index < 0 {
		return "dynamic symbol table"
	}
	return t.p.sectionLabel(t.Index)
}

type symbolsHead struct {
	*symbolTable
	wide bool
}

func (h *symbolsHead) text(t *text) {
	if h.Index >= 0 {
		t.title("Symbol table '", h.name)
		t.title("'", "")
	} else {
		t.title("Symbol table of the dynamic section, counted by "+h.CountBy+",", "")
	}
	t.title(" contains ", "")
	t.count(h.Len(), "entry", "entries")
	t.str(":")
	t.nl()
	if h.wide {
		t.heads("   Num:    Value          Size Type    Bind   Vis      Ndx Name")
	} else {
		t.heads("   Num:    Value  Size Type    Bind   Vis      Ndx Name")
	}
}

func (h *symbolsHead) json(o *object) {
	o.tableName(h.name, h.Index)
	o.offset(h.Offset)
	o.hex("addr", h.Addr)
	o.str("counted_by", h.CountBy)
	o.num("count", uint64(h.Len()))
}

// symbolRow is one symbol.
type symbolRow struct {
	elffile.Symbol
	table   *symbolTable
	num     int
	section uint32
	name    []byte
	version symbolVersion

	wide  int // digits of an address
	types *[16]symbolWord
	binds *[16]symbolWord
	other string
}

// A symbolWord is the name of a type or binding, padded to its column.
type symbolWord struct{ name, cell string }

func newSymbolRow(t *symbolTable) *symbolRow {
	r := &symbolRow{table: t, wide: t.p.addrDigits(), types: new([16]symbolWord), binds: new([16]symbolWord)}
	h := &t.p.f.Header
	for i := range 16 {
		typ, bind := elffile.SymTypeName(h.Machine, elf.SymType(i)), elffile.SymBindName(elf.SymBind(i))
		r.types[i] = symbolWord{typ, " " + padded(typ, 7)}
		r.binds[i] = symbolWord{bind, " " + padded(bind, 6)}
	}
	return r
}

// visCells are the visibilities in their column.
var visCells = [4]string{" DEFAULT", " INTERNAL", " HIDDEN ", " PROTECTED"}

// read decodes symbol i.
func (r *symbolRow) read(i int) {
	t := r.table
	r.num, r.Symbol = i, t.At(i)
	r.section = uint32(r.Shndx)
	if r.Shndx == elffile.ShnXindex {
		r.section = t.Section(i)
	}
	r.name = t.symbolName(r.Symbol, r.section)
	r.version = symbolVersion{}
	if t.versions != nil {
		r.version = t.versions.of(i, r.Shndx)
		if r.Shndx == uint16(elf.SHN_ABS) && bytes.Equal(r.version.name, r.name) {
			r.version.name = nil // the symbol that stands for the version itself
		}
	}
	r.other = ""
	if r.Other&^3 != 0 {
		r.other = symbolOther(t.p.f.Header.Machine, r.Other&^3)
	}
}

// symbolName is a symbol's name, and for a nameless section symbol that of its
// section.
func (t *symbolTable) symbolName(s elffile.Symbol, section uint32) []byte {
	if s.Name == 0 && s.Type() == elf.STT_SECTION && section < uint32(len(t.p.f.Sections())) {
		return []byte(t.p.sectionName(int(section)))
	}
	return t.p.cstring(t.Strings, uint64(s.Name))
}

// reserved says whether st_shndx is not the index of a section.
func (r *symbolRow) reserved() bool {
	return r.Shndx >= elffile.ShnLoReserve && r.Shndx != elffile.ShnXindex || r.Shndx == 0
}

func (r *symbolRow) text(t *text) {
	t.dec(uint64(r.num), 6)
	t.str(": ")
	t.hex(r.Value, r.wide)
	t.str(" ")
	t.dec(r.Size, 5)
	t.str(r.types[r.Info&15].cell)
	t.str(r.binds[r.Info>>4].cell)
	t.str(visCells[r.Other&3])
	if r.other != "" {
		t.str(" [")
		t.str(r.other)
		t.str("]")
	}
	t.str(" ")
	if r.reserved() {
		t.right(elffile.SectionIndexName(r.table.p.f.Header.Machine, r.Shndx), 4)
	} else {
		t.dec(uint64(r.section), 4)
	}
	t.str(" ")
	r.table.p.symbolText(t, r.name)
	r.version.text(t)
	t.nl()
}

func (r *symbolRow) json(o *object) {
	o.num("index", uint64(r.num))
	o.hex("value", r.Value)
	o.num("size", r.Size)
	o.num("type", uint64(r.Info&15))
	o.str("type_name", r.types[r.Info&15].name)
	o.num("bind", uint64(r.Info>>4))
	o.str("bind_name", r.binds[r.Info>>4].name)
	o.str("visibility", elffile.VisibilityName(r.Visibility()))
	o.num("other", uint64(r.Other))
	if r.other != "" {
		o.str("other_name", r.other)
	}
	o.num("section", uint64(r.section))
	if r.reserved() {
		o.str("section_name", elffile.SectionIndexName(r.table.p.f.Header.Machine, r.Shndx))
	} else {
		o.names("section_name", r.table.p.sectionName(int(r.section)))
	}
	r.table.p.symbolJSON(o, "name", r.name)
	r.version.json(o)
}

// symbolText appends a symbol's name, demangled if that was asked for.
func (p *printer) symbolText(t *text, name []byte) {
	if p.opt.Demangle && len(name) > 2 {
		t.names(Demangle(string(name)))
		return
	}
	t.name(name)
}

// symbolJSON appends a symbol's name as a field, and, if that was asked for and
// it has one, its name in the source as another.
func (p *printer) symbolJSON(o *object, key string, name []byte) {
	o.name(key, name)
	if p.opt.Demangle && len(name) > 2 {
		if d := Demangle(string(name)); d != string(name) {
			o.names(key+"_demangled", d)
		}
	}
}

// Bits of st_other beside the visibility, by the machines' psABIs.
const (
	stoVariantPCS     = 0x80 // AArch64, RISC-V: another calling convention
	stoPPC64Local     = 0xe0 // PowerPC64 ELFv2: distance of the local entry
	stoAlphaNoPV      = 0x80
	stoAlphaStdGPLoad = 0x88
)

// symbolOther names the bits of st_other that are not the visibility.
func symbolOther(m elf.Machine, other uint8) string {
	switch m {
	case elf.EM_AARCH64, elf.EM_RISCV:
		if other == stoVariantPCS {
			return "VARIANT_PCS"
		}
	case elf.EM_PPC64:
		if other&^stoPPC64Local == 0 {
			// ELFv2 ABI, section 3.4.1: the logarithm of the distance in bytes.
			if n := other >> 5; n >= 2 && n < 7 {
				return "<localentry>: " + decString(1<<n)
			}
			return "<localentry>: " + decString(uint64(other>>5))
		}
	case elf.Machine(0x9026): // Alpha
		switch other {
		case stoAlphaNoPV:
			return "NOPV"
		case stoAlphaStdGPLoad:
			return "STD GPLOAD"
		}
	case elf.EM_MIPS:
		if name := mipsOther(other); name != "" {
			return name
		}
	}
	return "<other>: " + hexString(uint64(other))
}

// mipsOther are the MIPS bits of st_other (binutils, include/elf/mips.h).
func mipsOther(other uint8) string {
	if other&0xf0 == 0xf0 {
		return "MIPS16"
	}
	if other&0xc0 == 0x80 {
		if other&0x20 != 0 {
			return "MICROMIPS, MIPS PIC"
		}
		return "MICROMIPS"
	}
	switch other {
	case 0x04:
		return "OPTIONAL"
	case 0x08:
		return "MIPS PLT"
	case 0x20:
		return "MIPS PIC"
	}
	return ""
}
