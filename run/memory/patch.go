package memory

import (
	"fmt"
	"slices"
)

// Patch changes bytes of a segment that nothing else writes to: code. The pages that
// they are in become a segment of their own, so that the rest stays in its file.
func (o *Object) Patch(vaddr uint64, b []byte, page uint64) error {
	x := slices.IndexFunc(o.Segments, func(s Segment) bool { return vaddr >= s.Start && vaddr < s.End })
	n := uint64(len(b))
	if x < 0 || vaddr-o.Segments[x].Start+n > uint64(len(o.Segments[x].Bytes)) {
		return &PlaceError{vaddr, n, "is in no segment's file bytes"}
	}
	s := &o.Segments[x]
	if !s.Private && s.FileEnd-s.Start > uint64(len(s.Bytes)) {
		return &PlaceError{vaddr, n, fmt.Sprintf("is in a segment whose file ends at 0x%x", s.Start+uint64(len(s.Bytes)))}
	}
	if !s.Private {
		parts := s.split(vaddr&^(page-1), (vaddr+n+page-1)&^(page-1))
		o.Segments = slices.Replace(o.Segments, x, x+1, parts...)
		s = o.Find(vaddr)
		s.own()
		s.Final = true
	}
	copy(s.Bytes[vaddr-s.Start:], b)
	return nil
}

// split cuts a segment before and behind some of its pages.
func (s *Segment) split(from, to uint64) []Segment {
	var out []Segment
	cuts := []uint64{s.Start, from, min(to, s.End), s.End}
	for i := 1; i < len(cuts); i++ {
		if cuts[i-1] == cuts[i] {
			continue
		}
		p, first := *s, cuts[i-1]-s.Start
		p.Start, p.End = cuts[i-1], cuts[i]
		p.FileOff = s.FileOff + first
		p.FileEnd = max(min(s.FileEnd, p.End), p.Start)
		p.Bytes = s.Bytes[min(first, uint64(len(s.Bytes))):min(p.End-s.Start, uint64(len(s.Bytes)))]
		out = append(out, p)
	}
	return out
}
