package layout

import (
	"fmt"
	"sort"
)

// assertions reports the ASSERTs that did not hold in the last walk.
func (s *Script) assertions() {
	for _, a := range s.broken {
		s.once(fault(a.Pos, "", "ASSERT: %s", a.Message))
	}
}

// checkAddresses reports sections that lie on one another, in memory or where
// they are loaded, or go beyond the end of the address space. Sections that begin
// at one address are overlays, and then only load addresses count.
func (s *Script) checkAddresses() {
	if s.opt.CheckSections != nil && !*s.opt.CheckSections || s.opt.Relocatable {
		return
	}
	var list []*section
	for _, o := range s.order {
		if o.removed || o.traits&alloc == 0 {
			continue
		}
		s.checkWrap(o, "", o.out.Addr)
		if o.out.Addr != o.out.LMA {
			s.checkWrap(o, "load ", o.out.LMA)
		}
		if !o.traits.tbss() && o.out.Size != 0 {
			list = append(list, o)
		}
	}
	told := map[*section]bool{}
	var loaded []*section
	for _, o := range list {
		if o.traits&load != 0 {
			loaded = append(loaded, o)
		}
	}
	lma := func(o *section) uint64 { return o.out.LMA }
	vma := func(o *section) uint64 { return o.out.Addr }
	s.checkOverlap(loaded, "loaded at ", lma, told)
	sort.SliceStable(list, func(i, j int) bool { return vma(list[i]) < vma(list[j]) })
	for i := 1; i < len(list); i++ {
		if vma(list[i]) == vma(list[i-1]) {
			return
		}
	}
	s.checkOverlap(list, "at ", vma, told)
}

func (s *Script) checkWrap(o *section, kind string, at uint64) {
	mask := s.addrMask()
	if end := (at + o.out.Size) & mask; at > mask || end != 0 && end < at {
		s.rep.Error(fmt.Errorf("section %s: its %saddress %#x + its size %#x is beyond the end of the address space of %d bits", o.name, kind, at, o.out.Size, s.class))
	}
}

func (s *Script) checkOverlap(list []*section, kind string, at func(*section) uint64, told map[*section]bool) {
	sort.SliceStable(list, func(i, j int) bool { return at(list[i]) < at(list[j]) })
	for i := 1; i < len(list); i++ {
		a, b := list[i-1], list[i]
		if told[b] || at(b)-at(a) >= a.out.Size {
			continue
		}
		told[b] = true
		s.rep.Error(fmt.Errorf("section %s %s[%#x, %#x) overlaps section %s at [%#x, %#x)",
			b.name, kind, at(b), at(b)+b.out.Size, a.name, at(a), at(a)+a.out.Size))
	}
}
