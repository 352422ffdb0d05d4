package synth

import (
	"encoding/binary"
	"sort"

	"elfwright/link/model"
)

// record is a CIE or FDE of .eh_frame, or the zero word that ends the list (LSB
// Core, "Exception Frames").
type record struct {
	off, size uint64 // with the length field
	out       uint64 // its size in the output: without needless DW_CFA_nop
	cie       int    // FDE: index of its CIE's record; CIE: -1; the end: -2
	rel, nrel int    // its relocations
}

const (
	isCIE = -1
	isEnd = -2
)

// splitFrames cuts .eh_frame into records. ok is false where it has another form
// (64-bit lengths, a CIE pointer to no CIE, a length past the end): such a section
// is copied as it is, which is what GNU ld does.
func splitFrames(order binary.ByteOrder, b []byte) (recs []record, ok bool) {
	at := map[uint64]int{}
	n := uint64(len(b))
	for off := uint64(0); off < n; {
		if n-off < 4 {
			return nil, false
		}
		length := uint64(order.Uint32(b[off:]))
		switch {
		case length == 0:
			recs = append(recs, record{off: off, size: 4, out: 4, cie: isEnd})
			off += 4
			continue
		case length < 4 || length >= 0xfffffff0 || length > n-off-4:
			return nil, false
		}
		r := record{off: off, size: 4 + length, out: 4 + length, cie: isCIE}
		if id := uint64(order.Uint32(b[off+4:])); id != 0 {
			i, known := at[off+4-id]
			if !known || length < 8 {
				return nil, false
			}
			r.cie = i
		} else {
			at[off] = len(recs)
		}
		recs = append(recs, r)
		off += r.size
	}
	return recs, true
}

// giveRelocs finds the relocations of each record. The relocations are sorted, in
// a copy, if the object has them in another order.
func giveRelocs(s *model.Section, recs []record) {
	less := func(i, j int) bool { return s.Relocs[i].Off < s.Relocs[j].Off }
	if !sort.SliceIsSorted(s.Relocs, less) {
		s.Relocs = append([]model.Reloc(nil), s.Relocs...)
		sort.SliceStable(s.Relocs, less)
	}
	k := 0
	for i := range recs {
		r := &recs[i]
		for k < len(s.Relocs) && s.Relocs[k].Off < r.off {
			k++
		}
		r.rel = k
		for k < len(s.Relocs) && s.Relocs[k].Off < r.off+r.size {
			k++
		}
		r.nrel = k - r.rel
	}
}
