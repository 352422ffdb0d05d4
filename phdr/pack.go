package phdr

import (
	"cmp"
	"slices"
)

// A gap is free space [off, end) in the file.
type gap struct{ off, end uint64 }

// spot is where packing puts a region.
type spot struct {
	*region
	to uint64
}

// gapsOf returns what is free in [from, to) once the regions in gone are away.
func gapsOf(rs []*region, gone []*region, from, to uint64) []gap {
	var gaps []gap
	pos := from
	for _, r := range rs {
		if slices.Contains(gone, r) || r.end <= from {
			continue
		}
		if end := min(r.off, to); pos < end {
			gaps = append(gaps, gap{pos, end})
		}
		pos = max(pos, r.end)
	}
	if pos < to {
		gaps = append(gaps, gap{pos, to})
	}
	return gaps
}

// pack puts the regions into gaps, first fit, those with the largest alignment
// first. It returns false if they do not all fit.
func pack(what []*region, gaps []gap) ([]spot, bool) {
	what, gaps = slices.Clone(what), slices.Clone(gaps)
	slices.SortStableFunc(what, func(a, b *region) int {
		return cmp.Or(cmp.Compare(b.align, a.align), cmp.Compare(a.off, b.off))
	})
	var spots []spot
	for _, r := range what {
		i := slices.IndexFunc(gaps, func(g gap) bool {
			to := up(g.off, r.align)
			return to >= g.off && to < g.end && r.size() <= g.end-to
		})
		if i < 0 {
			return nil, false
		}
		to := up(gaps[i].off, r.align)
		spots = append(spots, spot{r, to})
		gaps[i].off = to + r.size()
	}
	return spots, true
}
