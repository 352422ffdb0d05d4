package show

import (
	"debug/elf"
	"slices"
	"strings"

	"elfwright/elffile"
)

// codeSymbols finds names for addresses. In a relocatable file an address is an
// offset in a section, so that the section is part of every key.
type codeSymbols struct {
	p     *printer
	list  []codeSymbol // by section (relocatable files only), address, rank
	maps  []mapSymbol  // likewise
	spans []codeSpan   // by address
}

type codeSymbol struct {
	section int
	addr    uint64
	name    []byte
	rank    uint8 // the best one at an address is printed
	thumb   bool
}

// mapSymbol says what begins at an address: code or data (AAELF32 and AAELF64,
// section "Mapping symbols"; RISC-V psABI, the same).
type mapSymbol struct {
	section int
	addr    uint64
	kind    byte // 'a', 't', 'x' or 'd'
}

func newCodeSymbols(p *printer, types *relocTypes) *codeSymbols {
	c := &codeSymbols{p: p, spans: codeSpans(p.f.Sections())}
	for _, t := range p.symbolTables(false) {
		for i := range t.Len() {
			c.add(t, i)
		}
	}
	c.pltNames(types)
	slices.SortFunc(c.list, func(a, b codeSymbol) int {
		switch {
		case a.section != b.section:
			return a.section - b.section
		case a.addr != b.addr:
			return compare(a.addr, b.addr)
		case a.rank != b.rank:
			return int(b.rank) - int(a.rank)
		}
		return strings.Compare(string(a.name), string(b.name))
	})
	slices.SortStableFunc(c.maps, func(a, b mapSymbol) int {
		if a.section != b.section {
			return a.section - b.section
		}
		return compare(a.addr, b.addr)
	})
	return c
}

func compare(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// hasMapping says whether a machine's files have mapping symbols.
func hasMapping(m elf.Machine) bool {
	return m == elf.EM_ARM || m == elf.EM_AARCH64 || m == elf.EM_RISCV
}

// add takes a symbol that can name a place.
func (c *codeSymbols) add(t *symbolTable, i int) {
	s := t.At(i)
	section := int(t.Section(i))
	if s.Shndx == uint16(elf.SHN_UNDEF) || s.Shndx >= elffile.ShnLoReserve && s.Shndx != elffile.ShnXindex {
		return
	}
	if c.p.f.Header.Type != elf.ET_REL {
		section = -1
	}
	switch s.Type() {
	case elf.STT_SECTION, elf.STT_FILE, elf.STT_TLS:
		return
	}
	name := c.p.cstring(t.Strings, uint64(s.Name))
	if len(name) == 0 {
		return
	}
	if kind := mappingKind(name); kind != 0 && hasMapping(c.p.f.Header.Machine) {
		c.maps = append(c.maps, mapSymbol{section, s.Value, kind})
		return
	}
	addr, thumb := c.code(s)
	rank := uint8(0)
	switch s.Bind() {
	case elf.STB_GLOBAL:
		rank = 2
	case elf.STB_WEAK:
		rank = 1
	}
	switch s.Type() {
	case elf.STT_FUNC, elf.STT_GNU_IFUNC:
		rank += 6
	case elf.STT_OBJECT:
		rank += 3
	}
	c.list = append(c.list, codeSymbol{section, addr, name, rank, thumb})
}

// mappingKind is the kind of a mapping symbol: $a, $t, $x or $d, alone, with a
// dot and anything, or on RISC-V with the instruction set ($xrv64i2p1…). It is 0
// for any other name.
func mappingKind(name []byte) byte {
	if len(name) < 2 || name[0] != '$' || strings.IndexByte("atxd", name[1]) < 0 {
		return 0
	}
	if len(name) == 2 || name[2] == '.' || strings.HasPrefix(string(name), "$xrv") {
		return name[1]
	}
	return 0
}

// code is where a symbol's code is. On Arm the lowest bit of a function's value
// says that it is Thumb (AAELF32, "Symbol Values"); everywhere else it is a
// part of the address.
func (c *codeSymbols) code(s elffile.Symbol) (addr uint64, thumb bool) {
	if c.p.f.Header.Machine == elf.EM_ARM && s.Value&1 != 0 && (s.Type() == elf.STT_FUNC || s.Type() == elf.STT_GNU_IFUNC) {
		return s.Value &^ 1, true
	}
	return s.Value, false
}

// key is the section of an address as the lists have it.
func (c *codeSymbols) key(section int) int {
	if c.p.f.Header.Type != elf.ET_REL {
		return -1
	}
	return section
}

// search gives the index of the first symbol above an address.
func (c *codeSymbols) search(section int, addr uint64) int {
	i, _ := slices.BinarySearchFunc(c.list, addr, func(s codeSymbol, addr uint64) int {
		if s.section != section {
			return s.section - section
		}
		if s.addr <= addr {
			return -1
		}
		return 1
	})
	return i
}

// next is the address of the first symbol above addr, or limit.
func (c *codeSymbols) next(section int, addr, limit uint64) uint64 {
	section = c.key(section)
	if i := c.search(section, addr); i < len(c.list) && c.list[i].section == section {
		return min(limit, c.list[i].addr)
	}
	return limit
}

// at is the best symbol of exactly this address, nil if there is none.
func (c *codeSymbols) at(section int, addr uint64) *codeSymbol {
	s, off := c.nearest(section, addr)
	if s == nil || off != 0 {
		return nil
	}
	return s
}

// nearest is the best symbol at or below an address, and the distance to it.
func (c *codeSymbols) nearest(section int, addr uint64) (*codeSymbol, uint64) {
	section = c.key(section)
	i := c.search(section, addr) - 1
	if i < 0 || c.list[i].section != section {
		return nil, 0
	}
	// The first one of those at the same address is the best.
	at := c.list[i].addr
	if at == 0 {
		i, _ = slices.BinarySearchFunc(c.list, section, func(s codeSymbol, section int) int { return s.section - section })
	} else {
		i = c.search(section, at-1)
	}
	return &c.list[i], addr - at
}

// kind is what the mapping symbols say of an address, and where the next one
// says something else: 0 where none speaks of it. One speaks for its own section
// only, which begins at low.
func (c *codeSymbols) kind(section int, addr, low, limit uint64) (kind byte, until uint64) {
	section = c.key(section)
	i, _ := slices.BinarySearchFunc(c.maps, addr, func(m mapSymbol, addr uint64) int {
		if m.section != section {
			return m.section - section
		}
		if m.addr <= addr {
			return -1
		}
		return 1
	})
	until = limit
	if i < len(c.maps) && c.maps[i].section == section {
		until = min(limit, c.maps[i].addr)
	}
	if i == 0 || c.maps[i-1].section != section {
		return 0, until
	}
	if c.maps[i-1].addr < low {
		return 0, until
	}
	return c.maps[i-1].kind, until
}

// section is the allocated section at an address of a linked file, -1 if there
// is none.
func (c *codeSymbols) section(addr uint64) int {
	i, _ := slices.BinarySearchFunc(c.spans, addr, func(s codeSpan, addr uint64) int {
		if s.start <= addr {
			return -1
		}
		return 1
	})
	if i == 0 || addr >= c.spans[i-1].end {
		return -1
	}
	return c.spans[i-1].index
}

// codeSpan is where an allocated section is.
type codeSpan struct {
	start, end uint64
	index      int
}

func codeSpans(sections []elffile.Section) []codeSpan {
	var list []codeSpan
	for i := range sections {
		if s := &sections[i]; s.Has(elf.SHF_ALLOC) && !isTbss(s) && s.Size > 0 {
			list = append(list, codeSpan{s.Addr, s.Addr + s.Size, i})
		}
	}
	slices.SortStableFunc(list, func(a, b codeSpan) int { return compare(a.start, b.start) })
	return list
}
