package compare

import (
	"cmp"
	"debug/elf"
	"slices"
	"strings"

	"elfwright/elffile"
)

// maxName bounds what is read of a symbol's name: names may overlap in the
// string table, and a file of a few megabytes could else hold gigabytes of them.
const maxName = 4096

// A symbol as far as it is compared.
type symbol struct {
	name   string
	source string // of a local symbol: the STT_FILE before it
	area   int32  // none: undefined, absolute, common, or nowhere
	off    uint64 // in the area; else the value
	size   uint64
	canon  int32 // the symbol whose piece has its bytes: itself, an alias, one around it
	shndx  uint16
	info   uint8
	other  uint8
	label  bool // it has no size, or none that counts
	made   bool // a name of ours, see addLinkage
}

func (s *symbol) typ() elf.SymType  { return elf.SymType(s.info & 0xf) }
func (s *symbol) bind() elf.SymBind { return elf.SymBind(s.info >> 4) }

// A piece is a part of an area: the bytes of a symbol, or those that follow one
// up to the next. Pieces are sorted, disjoint, and cover the area.
type piece struct {
	from, to uint64 // offsets in the area
	sym      int32  // none: what comes before the first symbol
	gap      bool   // not the symbol's own bytes
}

func (p *piece) size() uint64 { return p.to - p.from }

// readSymbols takes the symbols of a table: by its section, or, with index -1,
// as PT_DYNAMIC names it.
func (m *model) readSymbols(t *elffile.SymbolTable, table string) {
	m.table = table
	m.syms = make([]symbol, 0, t.Len())
	strs := string(t.Strings) // one copy; every name is a part of it
	source := ""
	_, tls := m.tlsBase()
	for i := 1; i < t.Len(); i++ {
		s := t.At(i)
		if s.Type() == elf.STT_FILE {
			source = nameIn(strs, s.Name)
			m.sources = append(m.sources, source)
			continue
		}
		if s.Type() == elf.STT_SECTION || s.Name == 0 {
			continue
		}
		x := symbol{name: nameIn(strs, s.Name), off: s.Value, size: s.Size, shndx: s.Shndx, info: s.Info, other: s.Other, area: none, canon: none}
		if x.name == "" || isMappingSymbol(m.f.Header.Machine, x.name) {
			continue
		}
		if s.Bind() == elf.STB_LOCAL {
			x.source = source
		}
		m.place(&x, t.Section(i), tls)
		m.syms = append(m.syms, x)
	}
	m.named = len(m.syms)
	m.addLinkage()
	m.cut()
}

// nameIn is the string at an offset of a string table.
func nameIn(strs string, off uint32) string {
	if uint64(off) >= uint64(len(strs)) {
		return ""
	}
	s := strs[off:min(len(strs), int(off)+maxName)]
	if end := strings.IndexByte(s, 0); end >= 0 {
		s = s[:end]
	}
	return s
}

// isMappingSymbol: $a, $d, $t, $x, with or without a suffix, mark code and data
// (ELF for the Arm Architecture, "Mapping symbols"; RISC-V psABI, likewise).
func isMappingSymbol(m elf.Machine, name string) bool {
	if m != elf.EM_ARM && m != elf.EM_AARCH64 && m != elf.EM_RISCV || len(name) < 2 || name[0] != '$' {
		return false
	}
	switch name[1] {
	case 'a', 'd', 't', 'x':
		return len(name) == 2 || name[2] == '.' || name[1] == 'x'
	}
	return false
}

func (m *model) tlsBase() (index int, addr uint64) {
	for i := range m.f.Progs {
		if m.f.Progs[i].Type == elf.PT_TLS {
			return i, m.f.Progs[i].Vaddr
		}
	}
	return none, 0
}

// place finds the area of a symbol.
func (m *model) place(s *symbol, section uint32, tls uint64) {
	// An index beyond 0xff00 that came from SHT_SYMTAB_SHNDX is a true one.
	if s.shndx == uint16(elf.SHN_UNDEF) || s.shndx >= elffile.ShnLoReserve && s.shndx != elffile.ShnXindex {
		return
	}
	in := int32(none)
	if uint64(section) < uint64(len(m.bySect)) {
		in = m.bySect[section]
	}
	if m.rel {
		if in != none && s.off <= m.areas[in].size {
			s.area = in
		}
		return
	}
	addr := s.off
	switch {
	case s.typ() == elf.STT_TLS:
		addr += tls
	case s.typ() == elf.STT_FUNC && m.f.Header.Machine == elf.EM_ARM, s.typ() == elf.STT_FUNC && m.f.Header.Machine == elf.EM_MIPS:
		addr &^= 1 // the bit says which instruction set
	}
	if in != none {
		if a := &m.areas[in]; a.alloc && addr-a.addr <= a.size {
			s.area, s.off = in, addr-a.addr
			return
		}
	}
	if s.typ() != elf.STT_TLS {
		if at, off, ok := m.locate(addr); ok {
			s.area, s.off = at, off
		}
	}
}

// addr is a symbol's address, or its value where it has none.
func (m *model) addr(s *symbol) uint64 {
	if s.area == none || m.rel {
		return s.off
	}
	return m.areas[s.area].addr + s.off
}

// cut makes the pieces of every area. Of symbols that share bytes one gets
// them: the one that begins first, then the largest, then by rank; so two files
// with the same symbols are cut at the same ones.
func (m *model) cut() {
	order := make([]int32, 0, len(m.syms))
	for i := range m.syms {
		s := &m.syms[i]
		s.canon = int32(i)
		if s.area == none {
			continue
		}
		s.label = s.size == 0
		order = append(order, int32(i))
	}
	slices.SortFunc(order, func(i, j int32) int { return m.bySpot(i, j) })
	m.pieceOf = nowhere(len(m.syms))
	m.gapOf = nowhere(len(m.syms))
	for from := 0; from < len(order); {
		in := m.syms[order[from]].area
		to := from
		for to < len(order) && m.syms[order[to]].area == in {
			to++
		}
		m.cutArea(in, order[from:to])
		from = to
	}
}

func nowhere(n int) []place {
	list := make([]place, n)
	for i := range list {
		list[i] = place{none, none}
	}
	return list
}

func (m *model) bySpot(i, j int32) int {
	x, y := &m.syms[i], &m.syms[j]
	return cmp.Or(cmp.Compare(x.area, y.area), cmp.Compare(x.off, y.off), cmp.Compare(y.size, x.size),
		cmp.Compare(x.rank(), y.rank()), strings.Compare(x.name, y.name), strings.Compare(x.source, y.source), cmp.Compare(i, j))
}

// rank is lower for the name that people know.
func (s *symbol) rank() int {
	r := 0
	switch s.typ() {
	case elf.STT_FUNC, elf.STT_OBJECT, elf.STT_TLS, elf.STT_GNU_IFUNC:
	default:
		r = 4
	}
	switch s.bind() {
	case elf.STB_LOCAL:
		return r + 2
	case elf.STB_WEAK:
		return r + 1
	}
	return r
}

// A cutter walks over an area from symbol to symbol.
type cutter struct {
	m     *model
	in    int32
	pos   uint64 // everything before is cut
	owner int32  // whose bytes, or what follows whose, come next
}

// cutArea cuts an area at its symbols, which are sorted.
func (m *model) cutArea(in int32, list []int32) {
	a := &m.areas[in]
	a.pieces = make([]piece, 0, 2*len(list)+1)
	c := cutter{m, in, 0, none}
	for _, i := range list {
		s := &m.syms[i]
		switch {
		case s.off < c.pos: // inside another one
			s.canon = c.owner
			if !s.label && s.off+s.size > c.pos {
				c.own(i, c.pos) // it reaches beyond: the rest is its own
			}
		case s.label && c.owner != none && m.syms[c.owner].label && m.syms[c.owner].off == s.off:
			s.canon = c.owner
		default:
			c.follow(s.off)
			c.own(i, s.off)
		}
	}
	c.follow(a.size)
}

// follow gives the bytes up to to to what follows the owner.
func (c *cutter) follow(to uint64) {
	if to <= c.pos {
		return
	}
	a := &c.m.areas[c.in]
	if c.owner != none {
		c.m.gapOf[c.owner] = place{c.in, int32(len(a.pieces))}
	}
	a.pieces = append(a.pieces, piece{c.pos, to, c.owner, true})
	c.pos = to
}

// own gives symbol i its bytes from a place on, as far as the area reaches.
func (c *cutter) own(i int32, from uint64) {
	a, s := &c.m.areas[c.in], &c.m.syms[i]
	if to := s.off + min(s.size, a.size-s.off); to > from {
		c.m.pieceOf[i] = place{c.in, int32(len(a.pieces))}
		a.pieces = append(a.pieces, piece{from, to, i, false})
		c.pos = to
	}
	c.owner = i
}

// pieceAt finds the piece of an area that has an offset; nil if the area was
// not cut.
func (a *area) pieceAt(off uint64) *piece {
	lo, hi := 0, len(a.pieces)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if a.pieces[mid].to <= off {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == len(a.pieces) {
		return nil
	}
	return &a.pieces[lo]
}
