package picture

import (
	"cmp"
	"debug/elf"
	"fmt"
	"slices"
)

// A row is a line of a block in the terminal's picture.
type row struct {
	kind  rowKind
	item  int // or -1
	label string
	at    [Spaces]Extent // whose start is printed; not Ok: nothing is here
	prot  elf.ProgFlag
}

type rowKind int

const (
	rowTop rowKind = iota // a segment begins
	rowThing
	rowZero  // memory without bytes in the file
	rowOther // bytes of no name
	rowWarn
	rowEnd   // a segment ends
	rowGap   // nothing in this column
	rowLoose // in the file only
)

// maxRows bounds the things listed in one segment; the smallest are put together.
const maxRows = 120

// rows lists what is in a segment, from its first address to its end.
func (m *Model) rows(seg int) []row {
	s := &m.Items[seg]
	things := m.inside(seg)
	out := []row{{kind: rowTop, item: seg, label: s.Title(), at: s.At, prot: s.Prot}}
	for _, o := range m.Overlaps {
		if o.B == seg {
			label := fmt.Sprintf("overlaps LOAD %d: 0x%x", m.Items[o.A].Index, o.Range.Size)
			r := row{kind: rowWarn, item: seg, label: label, prot: s.Prot}
			r.at[o.Space] = o.Range
			out = append(out, r)
		}
	}
	next := s.At[Virtual].Start // everything before has been listed
	bare := m.bare()
	for _, i := range m.few(things) {
		it := &m.Items[i]
		if at := it.At[Virtual].Start; !bare && at > next && at-next >= 256 {
			out = append(out, m.unnamed(seg, next, at))
		}
		kind := rowThing
		if it.Filled == 0 {
			kind = rowZero
		}
		out = append(out, row{kind, i, m.label(i, things), it.At, s.Prot})
		if it.Kind != Header {
			next = max(next, it.At[Virtual].End())
		}
	}
	if n := len(things) - maxRows; n > 0 {
		out = append(out, row{kind: rowOther, item: -1, label: fmt.Sprintf("… and %d smaller", n), prot: s.Prot})
	}
	end := s.At[Virtual].End()
	if filled := s.At[Virtual].Start + s.Filled; next < filled && filled < end && (bare || filled-next >= 256) {
		if !bare {
			out = append(out, m.unnamed(seg, next, filled))
		}
		next = filled
	}
	if next < end && end-next >= 256 {
		out = append(out, m.unnamed(seg, next, end))
	}
	return append(out, row{kind: rowEnd, item: seg, at: s.ends(), prot: s.Prot})
}

// ends are the ends of an item, as empty extents.
func (it *Item) ends() (out [Spaces]Extent) {
	for s := range out {
		if it.At[s].Ok {
			out[s] = Extent{it.At[s].End(), 0, true}
		}
	}
	return out
}

// inside returns the items whose segment is seg, sections and tables before
// other headers of the same start; a header that is a section exactly is left
// out, and named with it.
func (m *Model) inside(seg int) []int {
	var out []int
	for i := range m.Items {
		it := &m.Items[i]
		if it.Parent == seg && (it.Kind != Section || it.At[Virtual].Size > 0) && (it.Kind != Header || m.twin(i) < 0) {
			out = append(out, i)
		}
	}
	slices.SortStableFunc(out, func(a, b int) int {
		x, y := &m.Items[a], &m.Items[b]
		return cmp.Or(cmp.Compare(x.At[Virtual].Start, y.At[Virtual].Start), -cmp.Compare(x.At[Virtual].Size, y.At[Virtual].Size))
	})
	return out
}

// few are the largest maxRows of the things, in their order.
func (m *Model) few(things []int) []int {
	if len(things) <= maxRows {
		return things
	}
	sizes := make([]uint64, len(things))
	for k, i := range things {
		sizes[k] = m.Items[i].At[Virtual].Size
	}
	slices.Sort(sizes)
	least := sizes[len(sizes)-maxRows]
	var out []int
	for _, i := range things {
		if m.Items[i].At[Virtual].Size >= least && len(out) < maxRows {
			out = append(out, i)
		}
	}
	return out
}

// twin returns the section or table with exactly the range of header i, or -1.
func (m *Model) twin(i int) int {
	h := &m.Items[i]
	if h.Parent < 0 {
		return -1
	}
	return slices.IndexFunc(m.Items, func(it Item) bool {
		return it.Kind != Header && it.Kind != Segment && it.Parent == h.Parent && it.At[Virtual] == h.At[Virtual] && it.At[Virtual].Size > 0
	})
}

// label names an item, and the headers that name exactly the same range.
func (m *Model) label(i int, things []int) string {
	it := &m.Items[i]
	if it.Kind == Header {
		return "◇ " + it.Name
	}
	s := it.Name
	if len(things) > maxRows {
		return s // too many to compare
	}
	for k := range m.Items {
		if h := &m.Items[k]; h.Kind == Header && h.Parent == it.Parent && h.At[Virtual] == it.At[Virtual] && it.At[Virtual].Size > 0 {
			s += " ◇ " + h.Name
		}
	}
	return s
}

// unnamed is the row of a segment's bytes that no section has.
func (m *Model) unnamed(seg int, from, to uint64) row {
	s := &m.Items[seg]
	off := from - s.At[Virtual].Start
	r := row{kind: rowOther, item: -1, label: "no section", prot: s.Prot}
	r.at[Virtual] = extent(from, to-from)
	r.at[Physical] = extent(s.At[Physical].Start+off, to-from)
	if off < s.Filled {
		r.at[File] = extent(s.At[File].Start+off, to-from)
	} else {
		r.kind, r.label = rowZero, "zeros"
	}
	if m.bare() && off < s.Filled {
		r.label = ""
	}
	return r
}
