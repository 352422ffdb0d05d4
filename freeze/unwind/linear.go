package unwind

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// Table is where the unwind tables of a piece of code are.
type Table struct {
	Addr, Size uint64
	// Index is set for .eh_frame_hdr, a sorted index; else the table is .eh_frame
	// itself, which is read from its start to its end, once.
	Index bool
}

// place is where the entry of a function is.
type place struct{ start, size, at uint64 }

const maxLinear = 1 << 20 // entries that are read

// findLinear looks an address up in a table without an index.
func (u *Unwinder) findLinear(t Table, pc uint64) (*fde, error) {
	list, ok := u.read[t.Addr]
	if !ok {
		list = u.places(t)
		if u.read == nil {
			u.read = make(map[uint64][]place)
		}
		u.read[t.Addr] = list
	}
	i, _ := slices.BinarySearchFunc(list, pc, func(p place, pc uint64) int {
		if p.start <= pc {
			return -1
		}
		return 1
	})
	if i == 0 || pc-list[i-1].start >= list[i-1].size {
		return nil, errNone
	}
	return u.fde(list[i-1].at)
}

// places lists the functions of a table.
func (u *Unwinder) places(t Table) (out []place) {
	var head [8]byte
	for at := t.Addr; at-t.Addr < t.Size && len(out) < maxLinear; {
		if n, _ := u.Mem.ReadAt(head[:], int64(at)); n < len(head) {
			break
		}
		size := uint64(binary.LittleEndian.Uint32(head[:]))
		if size == 0 || size > maxEntry {
			break
		}
		if binary.LittleEndian.Uint32(head[4:]) != 0 { // 0 marks a CIE
			if f, err := u.fde(at); err == nil {
				out = append(out, place{f.start, f.size, at})
			}
		}
		at += 4 + size
	}
	slices.SortFunc(out, func(a, b place) int { return cmp.Compare(a.start, b.start) })
	return out
}
