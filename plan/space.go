package plan

import (
	"cmp"
	"debug/elf"
	"slices"
	"sort"

	"elfwright/image"
)

// Origin says whose a mapping is.
type Origin uint8

// The origins of a mapping.
const (
	FromProgram Origin = iota
	FromInterp
	FromKernel // stack, vdso
)

// String prints "program", "interpreter" or "kernel".
func (o Origin) String() string { return [...]string{"program", "interpreter", "kernel"}[o] }

// Mapping is a range of pages that come from a file, or are zero.
type Mapping struct {
	image.Range
	Prot   elf.ProgFlag
	Off    int64 // file offset of the first page, or Anonymous
	Index  int   // program header that caused it, or -1
	Rule   string
	Zeroed image.Range // bytes of file pages that the kernel clears

	Origin Origin // whose header and file
	Name   string // of what the kernel made: "[stack]"

	area *area // the kernel's vm_area_struct that it became a part of
}

// area stands for a vm_area_struct: what is one line of /proc/PID/maps.
type area struct {
	anon *bool // its anon_vma, which it has once a page was written to
}

// touch says that a page was written to.
func (a *area) touch() {
	if a.anon == nil {
		a.anon = new(bool)
	}
}

// fits says whether two areas may become one (is_mergeable_anon_vma).
func (a *area) fits(b *area) bool { return a.anon == nil || b.anon == nil || a.anon == b.anon }

// Anonymous is the Off of a mapping without a file.
const Anonymous = -1

// Space is an address space: mappings that ascend and are disjoint.
type Space struct {
	Mappings []Mapping
	// Replaced are the parts of earlier mappings that later ones took.
	Replaced []Mapping
}

// after is the index of the first mapping that ends above a.
func (s *Space) after(a image.Addr) int {
	return sort.Search(len(s.Mappings), func(i int) bool {
		m := &s.Mappings[i]
		return m.Start+image.Addr(m.Size-1) >= a
	})
}

// At returns the mapping that has an address, or nil.
func (s *Space) At(a image.Addr) *Mapping {
	if i := s.after(a); i < len(s.Mappings) && s.Mappings[i].Contains(a) {
		return &s.Mappings[i]
	}
	return nil
}

// overlaps returns the indexes [from, to) of the mappings that share an
// address with r.
func (s *Space) overlaps(r image.Range) (from, to int) {
	if r.Empty() {
		return 0, 0
	}
	from = s.after(r.Start)
	for to = from; to < len(s.Mappings) && s.Mappings[to].Overlaps(r); to++ {
	}
	return from, to
}

// place puts a mapping over what is there (MAP_FIXED).
func (s *Space) place(m Mapping) {
	if m.Empty() {
		return
	}
	from, to := s.overlaps(m.Range)
	s.Replaced = append(s.Replaced, s.cutOut(from, to, m.Range)...)
	i := s.after(m.Start)
	s.join(i, &m)
	s.Mappings = slices.Insert(s.Mappings, i, m)
}

// join makes a new mapping part of its neighbours' areas where they fit
// (vma_merge). Two that were both written to stay apart, since each has an
// anon_vma of its own.
func (s *Space) join(i int, m *Mapping) {
	var left, right *area
	if i > 0 && s.Mappings[i-1].mergeable(m) {
		left = s.Mappings[i-1].area
	}
	// do_brk_flags only lets the mapping before it grow.
	if i < len(s.Mappings) && m.Rule != ruleZero && m.mergeable(&s.Mappings[i]) {
		right = s.Mappings[i].area
	}
	switch {
	case left == nil && right == nil:
		m.area = new(area)
	case left == nil:
		m.area = right
	default:
		m.area = left
		if right != nil && right != left && left.fits(right) {
			left.anon = cmp.Or(left.anon, right.anon)
			for j := i; j < len(s.Mappings) && s.Mappings[j].area == right; j++ {
				s.Mappings[j].area = left
			}
		}
	}
}

// unmap takes what is in r out (munmap).
func (s *Space) unmap(r image.Range) {
	from, to := s.overlaps(r)
	s.cutOut(from, to, r)
}

// cutOut removes r from the mappings [from, to), and returns what it took.
func (s *Space) cutOut(from, to int, r image.Range) (took []Mapping) {
	var left []Mapping
	for _, old := range s.Mappings[from:to] {
		took = append(took, old.cut(old.Intersect(r)))
		for _, rest := range old.Minus(r) {
			left = append(left, old.cut(rest))
		}
	}
	s.Mappings = slices.Replace(s.Mappings, from, to, left...)
	s.split(r.Start)
	return took
}

// split parts an area of which a piece was taken out at an address.
func (s *Space) split(at image.Addr) {
	i := s.after(at)
	if i == 0 || i == len(s.Mappings) || s.Mappings[i].area != s.Mappings[i-1].area {
		return
	}
	old := s.Mappings[i].area
	right := &area{old.anon}
	for ; i < len(s.Mappings) && s.Mappings[i].area == old; i++ {
		s.Mappings[i].area = right
	}
}

// cut is the part of a mapping in r, which is within it.
func (m Mapping) cut(r image.Range) Mapping {
	if m.Off != Anonymous {
		m.Off += int64(r.Start - m.Start)
	}
	m.Range = r
	m.Zeroed = m.Zeroed.Intersect(r)
	return m
}

// Merged returns the mappings as /proc/PID/maps lists them: neighbours of one
// file with consecutive offsets and equal protection are one line, and so are
// anonymous ones. The parts of the vdso and the stack stay apart.
func (s *Space) Merged() []Mapping {
	var out []Mapping
	for _, m := range s.Mappings {
		if n := len(out); n > 0 && out[n-1].area == m.area && out[n-1].mergeable(&m) {
			out[n-1].Size += m.Size
			continue
		}
		out = append(out, m)
	}
	return out
}

func (m *Mapping) mergeable(next *Mapping) bool {
	if m.End() != next.Start || m.Prot != next.Prot || m.Name != "" || next.Name != "" {
		return false
	}
	if m.Off == Anonymous || next.Off == Anonymous {
		return m.Off == next.Off
	}
	return m.Origin == next.Origin && next.Off == m.Off+int64(m.Size)
}

// highest finds the highest free range of n bytes in [low, high), or false.
// guard is what must stay free below a mapping that grows downward.
func (s *Space) highest(low, high, n, guard uint64) (uint64, bool) {
	for i := len(s.Mappings) - 1; ; i-- {
		if high < low || high-low < n {
			return 0, false
		}
		var below uint64
		if i >= 0 {
			below = uint64(s.Mappings[i].End())
		}
		if below < high && high-max(below, low) >= n {
			return high - n, true
		}
		if i < 0 {
			return 0, false
		}
		high = min(high, s.Mappings[i].guarded(guard))
	}
}

// lowest finds the lowest free range of n bytes in [low, high), or false.
func (s *Space) lowest(low, high, n, guard uint64) (uint64, bool) {
	for i := range s.Mappings {
		m := &s.Mappings[i]
		if start := min(m.guarded(guard), high); start > low && start-low >= n {
			break
		}
		low = max(low, uint64(m.End()))
	}
	return low, low <= high && high-low >= n
}

// guarded is where a mapping begins for those who look for room (vm_start_gap).
func (m *Mapping) guarded(guard uint64) uint64 {
	if m.Name != nameStack {
		return uint64(m.Start)
	}
	return uint64(m.Start) - min(guard, uint64(m.Start))
}

const nameStack = "[stack]"
