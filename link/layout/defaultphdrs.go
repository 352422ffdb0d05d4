package layout

import (
	"debug/elf"
	"fmt"
	"sort"
	"strings"
)

// byLoadAddress are the allocated sections as segments take them: ascending by
// load address, then address; those without bytes behind those with.
func (s *Script) byLoadAddress() []*section {
	apart := s.apart()
	var list []*section
	for _, o := range s.order {
		if !o.removed && o.traits&alloc != 0 && !apart[o] {
			list = append(list, o)
		}
	}
	sortByLoad(list)
	return list
}

func sortByLoad(list []*section) {
	toEnd := func(o *section) bool { return o.traits&(load|tls) == 0 && o.out.Size != 0 }
	size := func(o *section) uint64 {
		if o.traits&load == 0 {
			return 0
		}
		return o.out.Size
	}
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i], list[j]
		switch {
		case a.out.LMA != b.out.LMA:
			return a.out.LMA < b.out.LMA
		case a.out.Addr != b.out.Addr:
			return a.out.Addr < b.out.Addr
		case toEnd(a) != toEnd(b):
			return toEnd(b)
		}
		return size(a) < size(b)
	})
}

// defaultSegments is GNU ld's map of sections to segments.
func (s *Script) defaultSegments() []*segment {
	var segs []*segment
	interp := s.interp()
	if interp != nil {
		segs = append(segs,
			&segment{typ: elf.PT_PHDR, flags: elf.PF_R, flagsSet: true, phdrs: true},
			&segment{typ: elf.PT_INTERP, sections: []*section{interp}})
	}
	loads := s.loads(interp != nil)
	segs = append(segs, loads...)
	if o := s.kept(".dynamic"); o != nil && o.traits&load != 0 {
		segs = append(segs, &segment{typ: elf.PT_DYNAMIC, sections: []*section{o}})
	}
	segs = append(segs, s.notes()...)
	segs = append(segs, s.tlsSegment()...)
	if o := s.kept(gnuPropertyName); o != nil && o.out.Size != 0 {
		segs = append(segs, &segment{typ: ptGNUProperty, flags: elf.PF_R, flagsSet: true, sections: []*section{o}})
	}
	if o := s.ehFrameHdr(); o != nil {
		segs = append(segs, &segment{typ: elf.PT_GNU_EH_FRAME, sections: []*section{o}})
	}
	segs = append(segs, s.stackSegment()...)
	return append(segs, s.relroSegment(loads)...)
}

func (s *Script) stackSegment() []*segment {
	f := s.stackFlags()
	if f == 0 {
		return nil
	}
	g := &segment{typ: elf.PT_GNU_STACK, flags: f, flagsSet: true, align: stackAlign}
	if n := s.opt.StackSize; n != nil {
		g.memsz = *n
	}
	return []*segment{g}
}

// headersFirst says whether the file's headers are in the first PT_LOAD: the
// script asks for their size, or there is an interpreter, or there is room for
// them before the first section in its page.
func (s *Script) headersFirst(list []*section, interp bool) bool {
	if !s.paged() || len(list) == 0 {
		return false
	}
	page := s.maxPage
	size := s.ehdrSize() + uint64(s.headers)*s.phdrSize()
	return s.cmds.UsesSizeofHeaders || interp || list[0].out.LMA&(page-1) >= size&(page-1)
}

// loads makes the PT_LOAD segments.
func (s *Script) loads(interp bool) []*segment {
	list := s.byLoadAddress()
	if len(list) == 0 {
		return nil
	}
	var segs []*segment
	headers := s.headersFirst(list, interp) && !s.flatOutput()
	if headers {
		var alone *segment
		if headers, alone = s.roomForHeaders(list); alone != nil {
			segs = append(segs, alone)
			headers = false
		}
	}
	from := 0
	state := loadState{s: s}
	apart := s.apart()
	for i, o := range list {
		if i > 0 && (state.splits(list[i-1], o) || between(apart, list[i-1], o)) {
			segs = append(segs, loadSegment(list[from:i], headers))
			headers, from = false, i
			state.writable, state.executable = false, false
		}
		state.take(o)
	}
	if last := list[from:]; len(last) != 1 || !last[0].traits.tbss() {
		segs = append(segs, loadSegment(last, headers))
	}
	return segs
}

// flatOutput says whether the output is a format without headers.
func (s *Script) flatOutput() bool {
	f := s.opt.OFormat
	return f != "" && !strings.HasPrefix(f, "elf")
}

// between says whether a section that has a PT_LOAD of its own lies between two.
func between(apart map[*section]bool, a, b *section) bool {
	for o := range apart {
		if o.out.LMA >= a.out.LMA && o.out.LMA < b.out.LMA {
			return true
		}
	}
	return false
}

func loadSegment(list []*section, headers bool) *segment {
	return &segment{typ: elf.PT_LOAD, sections: append([]*section(nil), list...), filehdr: headers, phdrs: headers}
}

// roomForHeaders says whether the headers can be loaded before the first section.
// With -z separate-code, if that is code, they get a segment of their own.
func (s *Script) roomForHeaders(list []*section) (ok bool, alone *segment) {
	page := s.maxPage
	size := s.ehdrSize() + uint64(s.headers)*s.phdrSize()
	first := list[0].out
	at := (first.LMA - size) & -page & s.addrMask()
	separate := false
	if s.separateCode() && list[0].traits&code != 0 {
		separate = true
		if (at+size-1)&-page&s.addrMask() == first.LMA&-page {
			if at >= page {
				at -= page
			} else {
				separate = false
			}
		}
	}
	switch {
	case first.LMA < at, first.LMA < size, at < s.wrapped(list):
		return false, nil
	case !separate:
		return true, nil
	}
	g := &segment{typ: elf.PT_LOAD, filehdr: true, phdrs: true, paddr: &at}
	v := (first.Addr - size) & -page & s.addrMask()
	g.vaddr = &v
	return true, g
}

func (s *Script) addrMask() uint64 {
	if s.class == 32 {
		return 0xffffffff
	}
	return ^uint64(0)
}

// wrapped is the end of a section that goes beyond the end of the address space,
// and would lie on the headers.
func (s *Script) wrapped(list []*section) uint64 {
	var to uint64
	for _, o := range list {
		if end := (o.out.LMA + o.out.Size) & s.addrMask(); end < o.out.LMA {
			to = end
		}
	}
	return to
}

// loadState is what of a PT_LOAD decides whether a section still goes into it.
type loadState struct {
	s                    *Script
	writable, executable bool
}

func (l *loadState) take(o *section) {
	l.writable = l.writable || o.traits&readonly == 0
	l.executable = l.executable || o.traits&code != 0
}

// splits says whether a new PT_LOAD begins between two sections: the first rule
// that applies. Sections of different memory regions never share one.
func (l *loadState) splits(last, o *section) bool {
	return l.rule(last, o) || l.s.vmaRegion(o) != l.s.vmaRegion(last)
}

func (l *loadState) rule(last, o *section) bool {
	s := l.s
	page := s.maxPage
	size := last.out.Size
	if last.traits.tbss() {
		size = 0
	}
	end := last.out.LMA + size
	next := alignUp(end, page) + page
	switch {
	case last.out.LMA-last.out.Addr != o.out.LMA-o.out.Addr:
		return true
	case o.out.LMA < end || end < last.out.LMA:
		return true
	case s.paged() && (end-1)&-page == o.out.LMA&-page:
		return false // one page of memory cannot be of two in the file
	case next > last.out.LMA && next <= o.out.LMA:
		return true // a page would be left out
	case last.traits&(load|tls) == 0 && o.traits&(load|tls) != 0:
		return true // else what has no bytes would need some
	case !s.paged():
		return false
	case s.separateCode() && l.executable != (o.traits&code != 0):
		return true
	}
	return !l.writable && o.traits&readonly == 0
}

// vmaRegion is the region that counts for segments.
func (s *Script) vmaRegion(o *section) *region { return o.cursorRegion(s) }

// noteRuns groups loaded notes that are neighbours and of one alignment.
func (s *Script) noteRuns(list []*section, adjacent func(a, b *section) bool) [][]*section {
	var runs [][]*section
	for i := 0; i < len(list); i++ {
		if !s.loadedNote(list[i]) {
			continue
		}
		from := i
		for i+1 < len(list) && s.loadedNote(list[i+1]) && list[i+1].align1() == list[i].align1() && adjacent(list[i], list[i+1]) {
			i++
		}
		runs = append(runs, list[from:i+1])
	}
	return runs
}

// notes makes a PT_NOTE for each run of notes that follow one another.
func (s *Script) notes() []*segment {
	var list []*section
	for _, o := range s.order {
		if !o.removed {
			list = append(list, o)
		}
	}
	var segs []*segment
	for _, run := range s.noteRuns(list, func(a, b *section) bool {
		return alignUp(a.out.LMA+a.out.Size, a.align1()) == b.out.LMA
	}) {
		segs = append(segs, &segment{typ: elf.PT_NOTE, sections: run})
	}
	return segs
}

// tlsSegment makes PT_TLS over the thread-local sections, which must follow one
// another.
func (s *Script) tlsSegment() []*segment {
	var list []*section
	apart := false
	open := false
	for _, o := range s.order {
		if o.removed {
			continue
		}
		if o.traits&tls == 0 {
			open = false
			continue
		}
		apart = apart || len(list) > 0 && !open
		open = true
		list = append(list, o)
	}
	if len(list) == 0 {
		return nil
	}
	if apart {
		s.fails(fmt.Errorf("thread-local (TLS) sections are not next to one another: %s", sectionNames(list)))
	}
	return []*segment{{typ: elf.PT_TLS, flags: elf.PF_R, flagsSet: true, sections: list}}
}

func sectionNames(list []*section) string {
	text := ""
	for i, o := range list {
		if i > 0 {
			text += ", "
		}
		text += o.name
	}
	return text
}

// relroSegment makes PT_GNU_RELRO if a PT_LOAD begins in what is to be protected
// and has bytes.
func (s *Script) relroSegment(loads []*segment) []*segment {
	d := &s.seg
	if !d.relro || d.relroEnd == 0 || d.relroBase == 0 {
		return nil
	}
	for _, l := range loads {
		if len(l.sections) == 0 || l.sections[0].out.Addr < d.relroBase || l.sections[0].out.Addr >= d.relroEnd {
			continue
		}
		for _, o := range l.sections {
			if o.out.Size > 0 && o.traits&load != 0 && o.traits&contents != 0 {
				return []*segment{{typ: elf.PT_GNU_RELRO, flags: elf.PF_R, flagsSet: true, align: 1}}
			}
		}
	}
	return nil
}
