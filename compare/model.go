package compare

import (
	"cmp"
	"debug/elf"
	"slices"
	"strings"

	"elfwright/elffile"
)

// areaKind says what an area is.
type areaKind uint8

const (
	inSection areaKind = iota
	elfHeader          // tables: compared by their fields, not by their bytes
	progTable          //
	sectTable          //
	inSegment          // of a PT_LOAD, and of no section
	unclaimed          // bytes that no header names
	overlay            // those behind everything that one names
)

// An area is a stretch of the file, of memory, or of both, that has one name.
type area struct {
	kind  areaKind
	index int // of the section or the program header
	after int // the area before it in the file; none at the start

	addr   uint64
	alloc  bool // it has addresses
	off    uint64
	size   uint64 // of data, or of the memory of an area without bytes
	data   []byte // nil: no bytes in the file
	meta   bool   // said by other parts of the report
	mem    uint64 // bytes of memory that count for it
	file   uint64 // bytes of the file that count for it
	pieces []piece
	ptr    bool // writable or read-only data, not code
}

// A model is one file cut into areas.
type model struct {
	f     *elffile.File
	areas []area
	spots []int32 // areas with addresses, by address
	rel   bool    // ET_REL: addresses are offsets in sections

	table    string // where the symbols come from
	syms     []symbol
	named    int      // how many of them the table has; the others are made
	sources  []string // STT_FILE
	pieceOf  []place  // of each symbol, its own bytes
	gapOf    []place  // of each symbol, the bytes after it
	memory   uint64   // of all areas
	bySect   []int32  // area of each section, or none
	lastSpot int32
	rels     map[int32][]rel  // of an object, by area; read when asked for
	names    []string         // of the sections; see rawName
	loose    map[uint64]int32 // see sameLoose
	lazy     []string         // the symbols of DT_JMPREL, in order
	places   map[uint64]struct{}
	got      uint64 // DT_PLTGOT
	budget   uint64 // see spend
}

// A place is a piece of an area.
type place struct{ area, piece int32 }

// newModel cuts a file into areas. What cannot be read is left out: the faults
// are told by the views that are compared.
func newModel(f *elffile.File) *model {
	m := &model{f: f, rel: f.Header.Type == elf.ET_REL}
	m.budget = 16*m.fileSize() + 1<<16
	m.addSections()
	m.addTables()
	m.claimFile()
	m.claimMemory()
	m.index()
	if d, _ := f.Dynamic(); d != nil {
		m.got, _ = d.Value(elf.DT_PLTGOT)
	}
	return m
}

func (m *model) fileSize() uint64 { return uint64(m.f.Body.Size()) }

// bytes returns what the file has of [off, off+n).
func (m *model) bytes(off, n uint64) []byte {
	b, _ := m.f.Body.Bytes(off, n)
	return b
}

func (m *model) addSections() {
	sections := m.f.Sections()
	m.bySect = make([]int32, len(sections))
	for i := range sections {
		m.bySect[i] = none
		s := &sections[i]
		if s.Type == elf.SHT_NULL {
			continue
		}
		a := area{kind: inSection, index: i, addr: s.Addr, alloc: s.Has(elf.SHF_ALLOC), off: s.Off, size: s.Size, meta: isMeta(s.Type)}
		a.ptr = !s.Has(elf.SHF_EXECINSTR)
		if s.HasBytes() && s.Off < m.fileSize() && m.spend(min(s.Size, m.fileSize())) {
			a.data = m.bytes(s.Off, s.Size)
			a.size = uint64(len(a.data))
		} else if s.Type != elf.SHT_NOBITS {
			a.size = 0
		}
		if a.alloc && a.addr+a.size < a.addr {
			a.alloc = false
		}
		m.bySect[i] = int32(len(m.areas))
		m.areas = append(m.areas, a)
	}
}

// spend takes n bytes from what may be read of a file in all: its tables may
// name the same bytes any number of times, and a file of a few megabytes would
// else take hours.
func (m *model) spend(n uint64) bool {
	if n > m.budget {
		m.budget = 0
		return false
	}
	m.budget -= n
	return true
}

// isMeta says whether a section's bytes are a table that other parts of the
// report tell about.
func isMeta(t elf.SectionType) bool {
	switch t {
	case elf.SHT_SYMTAB, elf.SHT_DYNSYM, elf.SHT_STRTAB, elf.SHT_HASH, elf.SHT_GNU_HASH, elf.SHT_DYNAMIC, elf.SHT_NOTE, elf.SHT_SYMTAB_SHNDX,
		elf.SHT_GNU_VERSYM, elf.SHT_GNU_VERDEF, elf.SHT_GNU_VERNEED, elf.SHT_GROUP:
		return true
	}
	return elffile.IsRelocSection(t)
}

// addTables adds the ELF header and the tables of headers.
func (m *model) addTables() {
	h := &m.f.Header
	add := func(kind areaKind, off, n, entsize uint64) {
		if size := n * entsize; n > 0 && size/n == entsize && off < m.fileSize() {
			size = min(size, m.fileSize()-off)
			m.areas = append(m.areas, area{kind: kind, index: none, off: off, size: size, meta: true})
		}
	}
	add(elfHeader, 0, 1, uint64(m.f.EhdrSize()))
	add(progTable, h.Phoff, uint64(len(m.f.Progs)), uint64(h.Phentsize))
	add(sectTable, h.Shoff, uint64(len(m.f.Sections())), uint64(h.Shentsize))
}

// index sorts the areas with addresses.
func (m *model) index() {
	if m.rel {
		return
	}
	for i := range m.areas {
		if a := &m.areas[i]; a.alloc && a.size > 0 && !m.isTBSS(a) {
			m.spots = append(m.spots, int32(i))
		}
	}
	slices.SortStableFunc(m.spots, func(x, y int32) int { return cmp.Compare(m.areas[x].addr, m.areas[y].addr) })
}

// locate finds the area that has an address.
func (m *model) locate(addr uint64) (at int32, off uint64, ok bool) {
	if int(m.lastSpot) < len(m.areas) {
		if a := &m.areas[m.lastSpot]; a.alloc && addr-a.addr < a.size && !m.rel {
			return m.lastSpot, addr - a.addr, true
		}
	}
	i, found := slices.BinarySearchFunc(m.spots, addr, func(x int32, addr uint64) int { return cmp.Compare(m.areas[x].addr, addr) })
	if !found {
		i--
	}
	if i < 0 {
		return 0, 0, false
	}
	a := &m.areas[m.spots[i]]
	if addr-a.addr >= a.size {
		return 0, 0, false
	}
	m.lastSpot = m.spots[i]
	return m.spots[i], addr - a.addr, true
}

// areaName is what the report calls an area.
func (m *model) areaName(a *area) string {
	switch a.kind {
	case inSection:
		return m.sectionName(a.index)
	case elfHeader:
		return "[ELF header]"
	case progTable:
		return "[program headers]"
	case sectTable:
		return "[section headers]"
	case inSegment:
		return "[segment " + flagLetters(m.f.Progs[a.index].Flags) + "]"
	case overlay:
		return "[overlay]"
	}
	if isPadding(a.data) {
		return "[padding]"
	}
	return "[no header]"
}

// maxNames bounds the bytes of all section names together; they may overlap.
const maxNames = 64 << 20

// rawName is a section's name; "" where there is none.
func (m *model) rawName(i int) string {
	if m.names == nil {
		m.names = make([]string, len(m.bySect))
		total := 0
		for k := range m.names {
			name := m.f.SectionName(k)
			if total += len(name); total > maxNames {
				break
			}
			m.names[k] = strings.Clone(name[:min(len(name), maxName)])
		}
	}
	return m.names[i]
}

func (m *model) sectionName(i int) string {
	if name := m.rawName(i); name != "" {
		return name
	}
	return "[section " + num(uint64(i)).String() + "]"
}
