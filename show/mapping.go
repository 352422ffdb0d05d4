package show

import (
	"debug/elf"

	"elfwright/elffile"
)

// maxMapping bounds the comparisons of the section to segment mapping: both
// counts come from the file.
const maxMapping = 500_000_000

// canMap says whether the sections in each segment can be told.
func (p *printer) canMap() bool {
	sections := p.f.Sections()
	if len(sections) == 0 {
		return false
	}
	if n := uint64(len(sections)) * uint64(len(p.f.Progs)); n > maxMapping {
		p.warnf("section header table", "", int64(p.f.Header.Shoff),
			"%d sections in %d segments are too many to tell which lies in which", len(sections), len(p.f.Progs))
		return false
	}
	return true
}

// showMapping prints the sections of each segment.
func showMapping(p *printer) {
	p.heading(func(t *text) {
		t.title(" Section to Segment mapping:", "")
		t.nl()
		t.heads("  Segment Sections...")
	})
	r := &mappingRow{p: p}
	for i := range p.f.Progs {
		r.index, r.sections = i, appendSectionsIn(r.sections[:0], p.f, &p.f.Progs[i])
		if !p.spend(uint64(8 * len(r.sections))) {
			break
		}
		p.row(r)
	}
}

// mappingRow is one segment's sections. It is printed as text only: in JSON
// they are in the segment's own row.
type mappingRow struct {
	p        *printer
	index    int
	sections []int
}

func (r *mappingRow) text(t *text) {
	t.str("   ")
	if r.index < 10 {
		t.str("0")
	}
	t.dec(uint64(r.index), 0)
	t.str("     ")
	for _, i := range r.sections {
		t.names(r.p.sectionName(i))
		t.str(" ")
	}
	t.nl()
}

func (r *mappingRow) json(*object) {}

// appendSectionsIn appends the indices of the sections that lie in a segment.
func appendSectionsIn(list []int, f *elffile.File, seg *elffile.Prog) []int {
	sections := f.Sections()
	for i := 1; i < len(sections); i++ {
		if inSegment(&sections[i], seg) {
			list = append(list, i)
		}
	}
	return list
}

// inSegment says whether a section lies in a segment, by the rules of
// ELF_SECTION_IN_SEGMENT_STRICT in binutils' include/elf/internal.h: by its
// flags it may, its bytes are in the segment's file bytes, and its addresses in
// the segment's memory.
func inSegment(s *elffile.Section, seg *elffile.Prog) bool {
	if !mayLieIn(s, seg) {
		return false
	}
	alloc := s.Has(elf.SHF_ALLOC)
	inFile := s.Type == elf.SHT_NOBITS || within(s.Off, s.Size, seg.Off, seg.Filesz)
	inMemory := !alloc || within(s.Addr, s.Size, seg.Vaddr, seg.Memsz)
	if !inFile || !inMemory {
		return false
	}
	// An empty section at the border of a PT_DYNAMIC or PT_NOTE is its
	// neighbour's.
	if (seg.Type == elf.PT_DYNAMIC || seg.Type == elf.PT_NOTE) && s.Size == 0 && seg.Memsz != 0 {
		inside := func(at, start, size uint64) bool { return at > start && at-start < size }
		return (s.Type == elf.SHT_NOBITS || inside(s.Off, seg.Off, seg.Filesz)) &&
			(!alloc || inside(s.Addr, seg.Vaddr, seg.Memsz))
	}
	return true
}

// mayLieIn says whether sections with these flags belong into such a segment.
func mayLieIn(s *elffile.Section, seg *elffile.Prog) bool {
	if s.Has(elf.SHF_TLS) {
		switch {
		case s.Type == elf.SHT_NOBITS && seg.Type != elf.PT_TLS:
			return false // .tbss takes no room but in the TLS template
		case seg.Type != elf.PT_TLS && seg.Type != elf.PT_GNU_RELRO && seg.Type != elf.PT_LOAD:
			return false
		}
	} else if seg.Type == elf.PT_TLS || seg.Type == elf.PT_PHDR {
		return false
	}
	if s.Has(elf.SHF_ALLOC) {
		return true
	}
	switch seg.Type {
	case elf.PT_LOAD, elf.PT_DYNAMIC, elf.PT_GNU_EH_FRAME, elf.PT_GNU_STACK, elf.PT_GNU_RELRO:
		return false
	}
	return seg.Type < elf.PT_GNU_MBIND_LO || seg.Type > elf.PT_GNU_MBIND_HI
}

// within says whether size bytes at start lie in [from, from+room): the start
// itself must be inside, unless there is no room at all and nothing to put.
func within(start, size, from, room uint64) bool {
	if start < from || start-from > room-1 {
		return false
	}
	return start-from+size >= size && start-from+size <= room
}
