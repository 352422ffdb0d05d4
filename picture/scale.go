package picture

import (
	"math"
	"slices"
)

// Stop is a place of a scale: offset or address At is drawn at height Y.
type Stop struct {
	At uint64
	Y  float64
	// Gap says that from here to the next stop there is nothing; Named, that
	// something with a name is: a section or a table.
	Gap, Named bool
}

// Scale draws one space from top to bottom: a line through its stops. Between
// two stops it is linear; each stretch is as tall as the logarithm of its size,
// so that sections of 28 bytes and of 50 MiB fit one picture, and a gap has the
// same few points whether it is a page or most of the address space.
type Scale []Stop

// Heights of stretches, in points.
const (
	gapHeight   = 18.0
	namedHeight = 13.0 // at least, so that a name fits
	otherHeight = 3.0  // at least, for bytes between sections
	bareHeight  = 34.0 // at least, for a segment without sections
)

// maxStops bounds the stretches; between the borders that are left out, the
// scale is linear.
const maxStops = 4000

// scale makes the scale of a space from the borders of its items.
func (m *Model) scale(s Space) Scale {
	type border struct {
		at                     uint64
		load, leaf, mapped, in int // +1 where one begins, -1 where it ends
	}
	var all []border
	bare := m.bare()
	small := m.smallest()
	for i := range m.Items {
		it := &m.Items[i]
		at := it.At[s]
		if !at.Ok || at.Size == 0 || it.Kind == Section && at.Size < small {
			continue
		}
		b := border{at: at.Start, in: 1}
		switch {
		case it.Kind == Segment:
			b.load = 1
			if s != File && it.Filled < at.Size {
				all = append(all, border{at: at.Start + it.Filled})
			}
		case it.Kind == Mapping:
			b.mapped = 1
		case it.Kind != Header || bare:
			b.leaf = 1
		}
		all = append(all, b, border{at.End(), -b.load, -b.leaf, -b.mapped, -1})
	}
	if len(all) == 0 {
		return nil
	}
	if s == File && m.FileSize > 0 {
		all = append(all, border{at: 0}, border{at: m.FileSize})
	}
	slices.SortFunc(all, func(a, b border) int {
		if a.at < b.at {
			return -1
		} else if a.at > b.at {
			return 1
		}
		return 0
	})
	var sc Scale
	y := 0.0
	var load, leaf, mapped, in int
	for i, b := range all {
		load, leaf, mapped, in = load+b.load, leaf+b.leaf, mapped+b.mapped, in+b.in
		if i+1 < len(all) && all[i+1].at == b.at {
			continue
		}
		gap := in == 0
		named := leaf > 0 || mapped > 0 && load == 0
		sc = append(sc, Stop{At: b.at, Y: math.Round(y*100) / 100, Gap: gap && i+1 < len(all), Named: named})
		if i+1 < len(all) {
			y += height(all[i+1].at-b.at, gap, named, bare)
		}
	}
	return sc
}

// height is that of a stretch of size bytes.
func height(size uint64, gap, named, bare bool) float64 {
	log := math.Log2(1 + float64(size)/64)
	switch {
	case gap && size < 64:
		return otherHeight
	case gap:
		return gapHeight
	case named:
		return namedHeight + 3*log
	case bare:
		return bareHeight + 3*log
	}
	return min(otherHeight+2*log, 2*gapHeight)
}

// bare says whether there are no sections in memory, so that the other program
// headers are all there is to see inside of segments.
func (m *Model) bare() bool {
	return !slices.ContainsFunc(m.Items, func(it Item) bool { return it.Kind == Section && it.At[Virtual].Ok })
}

// smallest is the size from which on a section gets a stretch of its own.
func (m *Model) smallest() uint64 {
	var sizes []uint64
	for i := range m.Items {
		if m.Items[i].Kind == Section {
			sizes = append(sizes, m.Items[i].At[File].Size|m.Items[i].At[Virtual].Size)
		}
	}
	if len(sizes) <= maxStops/2 {
		return 0
	}
	slices.Sort(sizes)
	return sizes[len(sizes)-maxStops/2] + 1
}

// Height is that of the whole scale.
func (sc Scale) Height() float64 {
	if len(sc) == 0 {
		return 0
	}
	return sc[len(sc)-1].Y
}

// Y returns the height at which an offset or address is drawn.
func (sc Scale) Y(at uint64) float64 {
	i, ok := slices.BinarySearchFunc(sc, at, func(s Stop, at uint64) int {
		if s.At < at {
			return -1
		} else if s.At > at {
			return 1
		}
		return 0
	})
	switch {
	case len(sc) == 0 || i == 0:
		return 0
	case i == len(sc):
		return sc.Height()
	case ok:
		return sc[i].Y
	}
	a, b := sc[i-1], sc[i]
	return a.Y + (b.Y-a.Y)*float64(at-a.At)/float64(b.At-a.At)
}
