package compare

import (
	"cmp"
	"debug/elf"
	"slices"
	"strings"

	"elfwright/elffile"
)

// symbolChanges says what happened to each symbol.
func (c *comparison) symbolChanges() {
	c.Symbols.Counts = make(map[Change]int)
	if len(c.a.syms)+len(c.b.syms) == 0 {
		return
	}
	c.Symbols.Table = c.a.table
	c.Symbols.Old, c.Symbols.New = Size(c.a.named), Size(c.b.named)
	c.sources()
	for i, j := range c.syms.toNew {
		if j == none {
			s := &c.a.syms[i]
			c.symbolChange(Symbol{Change: Removed, OldAddr: ptr(Hex(c.a.addr(s))), OldSize: Size(s.size)}, c.a, s)
		}
	}
	for j, i := range c.syms.toOld {
		t := &c.b.syms[j]
		if i == none {
			c.symbolChange(Symbol{Change: Added, NewAddr: ptr(Hex(c.b.addr(t))), NewSize: Size(t.size)}, c.b, t)
			continue
		}
		c.symbolPair(i, int32(j))
	}
	slices.SortStableFunc(c.Symbols.Changes, func(x, y Symbol) int {
		return cmp.Or(cmp.Compare(x.Change.rank(), y.Change.rank()), -cmp.Compare(abs(x.Delta()), abs(y.Delta())), strings.Compare(x.Name, y.Name))
	})
}

// sources compares the names of source files. A local symbol is not changed by
// another name of the file that it comes from.
func (c *comparison) sources() {
	x, y := c.a.sources, c.b.sources
	p := newPairing(len(x), len(y))
	passOf(p, x, y, func(s *string) (string, bool) { return *s, true })
	c.Symbols.Sources = c.entries(p, nil,
		func(i int) (string, []Value) { return x[i], nil },
		func(i int) (string, []Value) { return y[i], nil }, false)
	for i := range c.Symbols.Sources {
		c.Symbols.Sources[i].Old, c.Symbols.Sources[i].New = nil, nil
	}
}

func abs(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// rank orders changes as they are listed.
func (c Change) rank() int {
	return slices.Index([]Change{Added, Removed, Resized, Changed, Relocated, Attributes, Renamed, References, Moved}, c)
}

func (c *comparison) symbolChange(r Symbol, m *model, s *symbol) {
	if s.made && r.Bytes == nil { // relocations and sizes tell
		return
	}
	r.Name, r.Source = s.name, s.source
	r.Section = m.symbolSection(s)
	if s.shndx == uint16(elf.SHN_UNDEF) {
		r.OldAddr, r.NewAddr = nil, nil
	}
	c.Symbols.Counts[r.Change]++
	if r.Change != Moved && r.Change != References {
		c.Symbols.Changes = append(c.Symbols.Changes, r)
	}
}

// symbolSection says where a symbol is.
func (m *model) symbolSection(s *symbol) string {
	if s.area != none {
		return m.areaName(&m.areas[s.area])
	}
	switch elf.SectionIndex(s.shndx) {
	case elf.SHN_UNDEF:
		return "[undefined]"
	case elf.SHN_ABS:
		return "[absolute]"
	case elf.SHN_COMMON:
		return "[common]"
	}
	return "[elsewhere]"
}

// symbolPair says what happened to a symbol that both files have.
func (c *comparison) symbolPair(i, j int32) {
	s, t := &c.a.syms[i], &c.b.syms[j]
	r := Symbol{OldSize: Size(s.size), NewSize: Size(t.size), OldAddr: ptr(Hex(c.a.addr(s))), NewAddr: ptr(Hex(c.b.addr(t)))}
	r.Fields = c.symbolFields(s, t)
	// What happened to the bytes is said once, of the name that has them.
	alias := s.canon != i && t.canon != j && c.syms.toNew[s.canon] == t.canon
	sameSpot := alias && s.off-c.a.syms[s.canon].off == t.off-c.b.syms[t.canon].off
	if s.name != t.name {
		r.OldName = s.name
	}
	if !alias {
		r.Bytes = c.compareSymbol(i, j)
	}
	relocated := !alias && c.relocated(s, t)
	moved := s.area == none && s.off != t.off || s.area != none && !sameSpot && *r.OldAddr != *r.NewAddr
	if s.area == none && moved && s.shndx == uint16(elf.SHN_ABS) && !c.samePlace(s.off, t.off, false) {
		r.Fields = append(r.Fields, Field{"st_value", hex(s.off).ptr(), hex(t.off).ptr()})
	}
	switch {
	case s.size != t.size && !(alias && sameSpot && c.a.syms[s.canon].size == s.size && c.b.syms[t.canon].size == t.size):
		r.Change = Resized
	case r.Bytes != nil && (len(r.Bytes.Ranges) > 0 || r.Bytes.OldSize != r.Bytes.NewSize):
		r.Change = Changed
	case relocated:
		r.Change = Relocated
	case len(r.Fields) > 0:
		r.Change = Attributes
	case r.OldName != "":
		r.Change = Renamed
	case r.Bytes != nil:
		r.Change = References
	case moved:
		r.Change = Moved
	default:
		return
	}
	c.symbolChange(r, c.b, t)
}

// symbolFields are what a symbol's entry says besides its place and size.
func (c *comparison) symbolFields(s, t *symbol) []Field {
	var l fields
	if s.info != t.info || s.other != t.other {
		m := c.b.f.Header.Machine
		l.differ("type", word(elffile.SymTypeName(m, s.typ())), word(elffile.SymTypeName(m, t.typ())))
		l.differ("binding", word(elffile.SymBindName(s.bind())), word(elffile.SymBindName(t.bind())))
		l.differ("visibility", word(elffile.VisibilityName(elf.SymVis(s.other&3))), word(elffile.VisibilityName(elf.SymVis(t.other&3))))
		l.differ("st_other", hex(uint64(s.other&^3)), hex(uint64(t.other&^3)))
	}
	if s.area != c.oldArea(t.area) || s.area == none && s.shndx != t.shndx {
		// Where neither has a name of its own the difference is in the segments.
		l.differ("section", word(c.a.symbolSection(s)), word(c.b.symbolSection(t)))
	}
	return l
}

// An export is a dynamic symbol with its version: "@V", "@@V" or nothing.
type export struct {
	name, version string
	sym           elffile.Symbol
}

// exports compares the dynamic symbols by name and version, where the symbols
// compared are others: what a file offers to others and wants of them. Addresses
// do not count.
func (c *comparison) exports() {
	if c.a.table == ".dynsym" || c.oldDyn == nil || c.newDyn == nil {
		return
	}
	x, y := c.readExports(c.a.f, c.oldDyn), c.readExports(c.b.f, c.newDyn)
	p := newPairing(len(x), len(y))
	passOf(p, x, y, func(e *export) ([2]string, bool) { return [2]string{e.name, e.version}, true })
	m, n := c.a.f.Header.Machine, c.b.f.Header.Machine
	c.Exports = c.entries(p, []string{"type", "binding", "visibility", "defined", "size"},
		func(i int) (string, []Value) { return x[i].name + x[i].version, x[i].values(m) },
		func(i int) (string, []Value) { return y[i].name + y[i].version, y[i].values(n) }, false)
	for i := range c.Exports { // the index in the table says nothing
		c.Exports[i].Old, c.Exports[i].New = nil, nil
	}
}

func (c *comparison) readExports(f *elffile.File, t *elffile.SymbolTable) []export {
	strs := string(t.Strings)
	ver, err := f.Versions()
	c.warn(f, err)
	names := make(map[uint16]string)
	version := func(x uint16) string {
		s, ok := names[x]
		if !ok {
			s = shortName(ver.Name(x))
			names[x] = s
		}
		return s
	}
	var list []export
	for i := 1; i < t.Len(); i++ {
		e := export{sym: t.At(i)}
		e.name = nameIn(strs, e.sym.Name)
		if e.name == "" || e.sym.Type() == elf.STT_SECTION || e.sym.Bind() == elf.STB_LOCAL {
			continue
		}
		if x, hidden := ver.Symbol(i); x > 1 {
			e.version = "@" + version(x)
			if !hidden && e.sym.Shndx != uint16(elf.SHN_UNDEF) {
				e.version = "@" + e.version
			}
		}
		list = append(list, e)
	}
	return list
}

func (e *export) values(m elf.Machine) []Value {
	s := &e.sym
	defined, size := "yes", uint64(0)
	if s.Shndx == uint16(elf.SHN_UNDEF) {
		defined = "no"
	} else if s.Type() != elf.STT_FUNC && s.Type() != elf.STT_GNU_IFUNC {
		size = s.Size // a copy relocation copies so much
	}
	return []Value{word(elffile.SymTypeName(m, s.Type())), word(elffile.SymBindName(s.Bind())), word(elffile.VisibilityName(s.Visibility())), word(defined), num(size)}
}
