package layout

import "debug/elf"

// lldSegments is lld's map of sections to segments: a new PT_LOAD wherever flags,
// the memory region or the load region change, at AT(…), and behind what RELRO
// protects.
func (s *Script) lldSegments() []*segment {
	var segs []*segment
	interp := s.interp()
	if interp != nil {
		segs = append(segs, &segment{typ: elf.PT_PHDR, flags: elf.PF_R, flagsSet: true, phdrs: true},
			&segment{typ: elf.PT_INTERP, sections: []*section{interp}})
	}
	loads := s.lldLoads()
	segs = append(segs, loads...)
	segs = append(segs, s.tlsSegment()...)
	if o := s.kept(".dynamic"); o != nil {
		segs = append(segs, &segment{typ: elf.PT_DYNAMIC, sections: []*section{o}})
	}
	segs = append(segs, s.relroSegment(loads)...)
	if o := s.ehFrameHdr(); o != nil {
		segs = append(segs, &segment{typ: elf.PT_GNU_EH_FRAME, sections: []*section{o}})
	}
	stack := elf.PF_R | elf.PF_W
	if x := s.opt.ExecStack; x != nil && *x {
		stack |= elf.PF_X
	}
	g := &segment{typ: elf.PT_GNU_STACK, flags: stack, flagsSet: true}
	if n := s.opt.StackSize; n != nil {
		g.memsz = *n
	}
	segs = append(segs, g)
	if o := s.kept(gnuPropertyName); o != nil && o.out.Size != 0 {
		segs = append(segs, &segment{typ: ptGNUProperty, flags: elf.PF_R, flagsSet: true, sections: []*section{o}})
	}
	return append(segs, s.notes()...)
}

func (s *Script) lldLoads() []*segment {
	apart := s.apart()
	var segs []*segment
	var cur *segment
	var last *section
	for _, o := range s.order {
		if o.removed || o.traits&alloc == 0 || apart[o] {
			continue
		}
		if cur == nil || s.lldSplits(last, o) {
			cur = &segment{typ: elf.PT_LOAD}
			segs = append(segs, cur)
		}
		cur.sections = append(cur.sections, o)
		last = o
	}
	if len(segs) > 0 && s.lldHeadersFit(segs[0].sections[0]) {
		segs[0].filehdr, segs[0].phdrs = true, true
	}
	return segs
}

func (s *Script) lldSplits(last, o *section) bool {
	flags := func(o *section) traits {
		if s.opt.OMagic {
			return 0
		}
		return o.traits & (readonly | code)
	}
	return flags(last) != flags(o) ||
		o.at != nil ||
		s.vmaRegion(last) != s.vmaRegion(o) ||
		last.lmaRegion != o.lmaRegion ||
		o.out.Addr < last.out.Addr+sizeInMemory(last)
}

func sizeInMemory(o *section) uint64 {
	if o.traits.tbss() {
		return 0
	}
	return o.out.Size
}

// lldHeadersFit says whether there is room for the headers below the first
// section, on its page or, if the script asks for their size, anywhere.
func (s *Script) lldHeadersFit(first *section) bool {
	size := s.ehdrSize() + uint64(s.headers)*s.phdrSize()
	if !s.paged() {
		return false
	}
	if s.cmds.UsesSizeofHeaders {
		return first.out.Addr >= size
	}
	return first.out.Addr&(s.maxPage-1) >= size
}
