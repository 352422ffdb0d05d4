package image

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Range is the half-open range of addresses [Start, Start+Size). It may end at
// the top of the address space, where End is 0; it must not reach beyond.
type Range struct {
	Start Addr
	Size  uint64
}

// MakeRange returns [start, end).
func MakeRange(start, end Addr) Range { return Range{start, uint64(end - start)} }

// End is the first address after the range.
func (r Range) End() Addr { return r.Start + Addr(r.Size) }

// last is the last address of a range that is not empty; unlike End it never
// wraps.
func (r Range) last() Addr { return r.Start + Addr(r.Size-1) }

// Empty says whether there is no address in the range.
func (r Range) Empty() bool { return r.Size == 0 }

// Valid says whether the range stays within the address space.
func (r Range) Valid() bool { return r.Empty() || r.last() >= r.Start }

// String prints [0x1000, 0x3000).
func (r Range) String() string { return fmt.Sprintf("[%v, %v)", r.Start, r.End()) }

// Contains says whether a is in the range.
func (r Range) Contains(a Addr) bool { return a >= r.Start && uint64(a-r.Start) < r.Size }

// Covers says whether all of o is in the range; an empty o always is.
func (r Range) Covers(o Range) bool {
	return o.Empty() || r.Contains(o.Start) && r.Contains(o.last())
}

// Overlaps says whether the ranges share an address.
func (r Range) Overlaps(o Range) bool {
	return !r.Empty() && !o.Empty() && r.Start <= o.last() && o.Start <= r.last()
}

// Intersect returns the addresses in both.
func (r Range) Intersect(o Range) Range {
	if !r.Overlaps(o) {
		return Range{}
	}
	start := max(r.Start, o.Start)
	return Range{start, uint64(min(r.last(), o.last())-start) + 1}
}

// Minus returns what is left of r without o: none, one or two ranges.
func (r Range) Minus(o Range) []Range {
	if r.Empty() {
		return nil
	}
	x := r.Intersect(o)
	if x.Empty() {
		return []Range{r}
	}
	var left []Range
	if x.Start > r.Start {
		left = append(left, MakeRange(r.Start, x.Start))
	}
	if x.last() < r.last() {
		left = append(left, Range{x.End(), uint64(r.last() - x.last())})
	}
	return left
}

// Pages widens the range to whole pages. It returns false if that is beyond the
// address space.
func (r Range) Pages(size uint64) (Range, bool) {
	if r.Empty() {
		return Range{r.Start.Down(size), 0}, true
	}
	start := r.Start.Down(size)
	last := r.last() | Addr(size-1)
	return Range{start, uint64(last-start) + 1}, r.Valid() && uint64(last-start)+1 != 0
}

// Ranges is a set of addresses: sorted ranges that neither overlap nor touch.
type Ranges []Range

// Union returns the set of all addresses in the ranges.
func Union(rs ...Range) Ranges {
	rs = slices.DeleteFunc(slices.Clone(rs), Range.Empty)
	slices.SortFunc(rs, func(a, b Range) int { return cmp.Compare(a.Start, b.Start) })
	var out Ranges
	for _, r := range rs {
		if n := len(out); n > 0 && (out[n-1].last() >= r.Start || out[n-1].last()+1 == r.Start) {
			last := max(out[n-1].last(), r.last())
			out[n-1].Size = uint64(last-out[n-1].Start) + 1
			continue
		}
		out = append(out, r)
	}
	return out
}

// Minus returns the set without the addresses of o.
func (s Ranges) Minus(o ...Range) Ranges {
	out := slices.Clone(s)
	for _, x := range o {
		var next Ranges
		for _, r := range out {
			next = append(next, r.Minus(x)...)
		}
		out = next
	}
	return out
}

// Intersect returns the addresses of the set that are in r.
func (s Ranges) Intersect(r Range) Ranges {
	var out Ranges
	for _, x := range s {
		if y := x.Intersect(r); !y.Empty() {
			out = append(out, y)
		}
	}
	return out
}

// Contains says whether a is in the set.
func (s Ranges) Contains(a Addr) bool {
	return slices.ContainsFunc(s, func(r Range) bool { return r.Contains(a) })
}

// Covers says whether all of r is in the set.
func (s Ranges) Covers(r Range) bool {
	return r.Empty() || slices.ContainsFunc(s, func(x Range) bool { return x.Covers(r) })
}

// Size is the number of addresses in the set.
func (s Ranges) Size() uint64 {
	var n uint64
	for _, r := range s {
		n += r.Size
	}
	return n
}

// String prints the ranges with a space between.
func (s Ranges) String() string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(r.String())
	}
	return b.String()
}
