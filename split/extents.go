package split

import (
	"cmp"
	"debug/elf"
	"slices"
	"sort"

	"elfwright/elffile"
)

// An extent is file bytes [off, end).
type extent struct{ off, end uint64 }

// extents are sorted and do not touch each other.
type extents []extent

func union(list []extent) extents {
	list = slices.DeleteFunc(list, func(e extent) bool { return e.end <= e.off })
	slices.SortFunc(list, func(a, b extent) int { return cmp.Compare(a.off, b.off) })
	var out extents
	for _, e := range list {
		if n := len(out); n > 0 && e.off <= out[n-1].end {
			out[n-1].end = max(out[n-1].end, e.end)
			continue
		}
		out = append(out, e)
	}
	return out
}

// covers says whether all n bytes at off are in the extents.
func (x extents) covers(off, n uint64) bool {
	i := sort.Search(len(x), func(i int) bool { return x[i].end > off })
	return n == 0 || i < len(x) && x[i].off <= off && n <= x[i].end-off
}

// gaps are what is not in the extents, up to size.
func (x extents) gaps(size uint64) []extent {
	var out []extent
	pos := uint64(0)
	for _, e := range x {
		if e.off > pos {
			out = append(out, extent{pos, min(e.off, size)})
		}
		pos = max(pos, e.end)
	}
	if pos < size {
		out = append(out, extent{pos, size})
	}
	return out
}

// end is where the last one ends.
func (x extents) end() uint64 {
	if len(x) == 0 {
		return 0
	}
	return x[len(x)-1].end
}

// size is how many bytes they have.
func (x extents) size() uint64 {
	n := uint64(0)
	for _, e := range x {
		n += e.end - e.off
	}
	return n
}

// programExtents are the file bytes that make a program: the ELF header, the
// program header table, and what that names. The caller has checked that they are
// in the file.
func programExtents(f *elffile.File) extents {
	list := []extent{
		{0, uint64(f.EhdrSize())},
		{f.Header.Phoff, f.Header.Phoff + uint64(len(f.Progs)*f.PhdrSize())},
	}
	for i := range f.Progs {
		if p := &f.Progs[i]; p.Type != elf.PT_NULL {
			list = append(list, extent{p.Off, p.Off + p.Filesz})
		}
	}
	return union(list)
}
