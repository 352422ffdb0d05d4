package show

import (
	"debug/elf"

	"elfwright/elffile"
)

// versionNames are the names of a file's symbol versions by index, so that a
// symbol's version is found without a search.
type versionNames struct {
	*elffile.Versions
	defs  []definedVersion
	needs [][]byte
}

type definedVersion struct {
	name []byte
	base bool // the version of the file itself: its symbols have none
}

// versionNames returns the file's versions; they are read once.
func (p *printer) versionNames() *versionNames {
	if p.versions != nil {
		return p.versions
	}
	v, err := p.f.Versions()
	p.warn(err)
	n := &versionNames{Versions: v}
	p.versions = n
	for i := range v.Defs {
		d := &v.Defs[i]
		x := int(d.Index &^ elffile.VerHidden)
		for len(n.defs) <= x {
			n.defs = append(n.defs, definedVersion{})
		}
		n.defs[x] = definedVersion{p.cut(d.Name()), x == 1 && d.Flags == elffile.VerFlagBase}
	}
	for i := range v.Needs {
		for _, a := range v.Needs[i].Aux {
			for len(n.needs) <= int(a.Index) {
				n.needs = append(n.needs, nil)
			}
			n.needs[a.Index] = p.cut(a.Name)
		}
	}
	return n
}

// symbolVersion is the version of one symbol.
type symbolVersion struct {
	name   []byte // nil if it has none
	index  uint16
	hidden bool // not the default version: name@VERSION
	needed bool // from another file
}

// of returns the version of symbol i. One that is defined here may have a
// version of this file or, where it is a copy of another file's variable, a
// needed one; one that is not defined here only the latter.
func (v *versionNames) of(i int, shndx uint16) symbolVersion {
	if v.Len() == 0 {
		return symbolVersion{}
	}
	index, hidden := v.Symbol(i)
	if index == 0 && !hidden {
		return symbolVersion{}
	}
	s := symbolVersion{index: index, hidden: hidden}
	if shndx != 0 && !(index == 1 && hidden) && int(index) < len(v.defs) && v.defs[index].name != nil {
		if !v.defs[index].base {
			s.name = v.defs[index].name
		}
		return s
	}
	if raw := int(index); hidden {
		index |= elffile.VerHidden
	} else if raw < len(v.needs) {
		s.name = v.needs[raw]
	}
	if hidden && int(index) < len(v.needs) {
		s.name = v.needs[index]
	}
	s.needed = s.name != nil
	return s
}

// text appends the version the way readelf does: @@ for the default version of
// a definition, @ for others, and the index of a needed one.
func (v *symbolVersion) text(t *text) {
	v.suffix(t)
	if v.needed {
		t.str(" (")
		t.dec(uint64(v.index), 0)
		t.str(")")
	}
}

func (v *symbolVersion) suffix(t *text) {
	switch {
	case v.name == nil:
		return
	case v.needed || v.hidden:
		t.str("@")
	default:
		t.str("@@")
	}
	t.name(v.name)
}

func (v *symbolVersion) json(o *object) {
	if v.name == nil && v.index == 0 {
		return
	}
	o.num("version_index", uint64(v.index))
	if v.name != nil {
		o.name("version", v.name)
	}
	o.bool("version_hidden", v.hidden)
	o.bool("version_needed", v.needed)
}

// showVersions prints the three tables of symbol versions.
func showVersions(p *printer) {
	v := p.versionNames()
	if v.SymbolsOff < 0 && v.NeedsOff < 0 && v.DefsOff < 0 {
		p.remark("No version information found in this file.")
		return
	}
	if v.SymbolsOff >= 0 {
		p.showVersionSymbols(v)
	}
	if v.DefsOff >= 0 {
		p.showVersionDefs(v)
	}
	if v.NeedsOff >= 0 {
		p.showVersionNeeds(v)
	}
	p.warn(v.Check())
}

// versionsHead is the head of one of the tables.
type versionsHead struct {
	p      *printer
	kind   string // "symbols", "definitions", "needs"
	words  string
	typ    elf.SectionType
	offset int64
	n      int
}

func (h *versionsHead) section() int {
	if i := h.p.f.SectionByType(h.typ); i >= 0 && int64(h.p.f.Sections()[i].Off) == h.offset {
		return i
	}
	return -1
}

func (h *versionsHead) text(t *text) {
	i := h.section()
	if i >= 0 {
		t.title(h.words+" section '", h.p.sectionName(i))
		t.title("'", "")
	} else {
		t.title(h.words+" table of the dynamic section", "")
	}
	t.str(" contains ")
	t.count(h.n, "entry", "entries")
	t.str(":")
	t.nl()
	t.str(" ")
	if i >= 0 {
		s := &h.p.f.Sections()[i]
		t.str("Addr: 0x")
		t.hex(s.Addr, h.p.addrDigits())
		t.str("  Offset: 0x")
		t.hex(uint64(h.offset), 8)
		t.str("  Link: ")
		t.dec(uint64(s.Link), 0)
		t.str(" (")
		t.names(h.p.sectionName(int(s.Link)))
		t.str(")")
	} else {
		t.str("Offset: 0x")
		t.hex(uint64(h.offset), 8)
	}
	t.nl()
}

func (h *versionsHead) json(o *object) {
	o.str("kind", h.kind)
	i := h.section()
	o.tableName(h.p.sectionName(i), i)
	o.offset(h.offset)
	if i >= 0 {
		o.hex("addr", h.p.f.Sections()[i].Addr)
		o.num("link", uint64(h.p.f.Sections()[i].Link))
	}
	o.num("count", uint64(h.n))
}

// versymRow is the versions of four symbols, a line of readelf's; in JSON it is
// one symbol.
type versymRow struct {
	p     *printer
	v     *versionNames
	first int
	n     int
}

func (p *printer) showVersionSymbols(v *versionNames) {
	p.table(&versionsHead{p, "symbols", "Version symbols", elf.SHT_GNU_VERSYM, v.SymbolsOff, v.Len()})
	r := &versymRow{p: p, v: v, n: 4}
	if p.o != nil {
		r.n = 1
	}
	for r.first = 0; r.first < v.Len(); r.first += r.n {
		p.row(r)
	}
	p.end()
}

// versionName names an index; two of them have meanings of their own (gABI of
// Solaris: VER_NDX_LOCAL, VER_NDX_GLOBAL).
func (v *versionNames) versionName(index uint16) []byte {
	switch index {
	case 0:
		return []byte("*local*")
	case 1:
		return []byte("*global*")
	}
	if int(index) < len(v.defs) && v.defs[index].name != nil {
		return v.defs[index].name
	}
	if int(index) < len(v.needs) {
		return v.needs[index]
	}
	return nil
}

func (r *versymRow) text(t *text) {
	t.str("  ")
	t.hex(uint64(r.first), 3)
	t.str(":")
	for i := r.first; i < min(r.first+r.n, r.v.Len()); i++ {
		index, hidden := r.v.Symbol(i)
		at := len(t.b)
		digits := 1
		for x := index; x > 15; x >>= 4 {
			digits++
		}
		t.space(4 - digits)
		t.hex(uint64(index), 1)
		if hidden {
			t.str("h")
		} else {
			t.str(" ")
		}
		t.str("(")
		t.name(r.p.cut(r.v.versionName(index)))
		t.str(")")
		if i < min(r.first+r.n, r.v.Len())-1 {
			t.space(18 - (len(t.b) - at))
		}
	}
	t.nl()
}

func (r *versymRow) json(o *object) {
	index, hidden := r.v.Symbol(r.first)
	o.num("symbol", uint64(r.first))
	o.num("index", uint64(index))
	o.bool("hidden", hidden)
	o.name("name", r.p.cut(r.v.versionName(index)))
}
