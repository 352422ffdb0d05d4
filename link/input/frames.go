package input

import (
	"sort"

	"elfwright/link/model"
)

// frames are the records of an object's .eh_frame by the section of the function
// that each describes: a function that stays needs what its record refers to (its
// language's data, its personality routine).
type frames struct {
	sec  *model.Section
	list []frame // ascending by section
}

// frame is an FDE: its relocations without that of the function, and those of its
// CIE, as ranges in Section.Relocs.
type frame struct {
	fn             int32 // index of the function's section
	from, to       int32
	cieFrom, cieTo int32
}

// framesOf reads .eh_frame (LSB, "Exception Frames") as far as it can be read;
// what is wrong with it is told by whoever writes it.
func framesOf(o *model.Object) (f frames) {
	for _, s := range o.Sections {
		if s != nil && s.Live && s.Name == ".eh_frame" && len(s.Relocs) > 0 {
			f.sec = s
			break
		}
	}
	if f.sec == nil {
		return f
	}
	r := relocCursor{relocs: f.sec.Relocs}
	ascending := func(i, j int) bool { return r.relocs[i].Off < r.relocs[j].Off }
	if !sort.SliceIsSorted(r.relocs, ascending) {
		sort.SliceStable(r.relocs, ascending)
	}
	b, order := f.sec.Data, o.Order
	cies := map[uint64][2]int32{}
	for pos := uint64(0); pos+8 <= uint64(len(b)); {
		length := uint64(order.Uint32(b[pos:]))
		head := uint64(4)
		if length == 0xffffffff {
			if pos+20 > uint64(len(b)) {
				break
			}
			length, head = order.Uint64(b[pos+4:]), 12
		}
		if length < 4 || length > uint64(len(b))-pos-head {
			break // the terminator, or broken
		}
		end := pos + head + length
		from, to := r.until(end)
		id := uint64(order.Uint32(b[pos+head:]))
		if id == 0 {
			cies[pos] = [2]int32{from, to}
		} else if from < to {
			f.add(o, cies[pos+head-id], from, to)
		}
		pos = end
	}
	sort.SliceStable(f.list, func(i, j int) bool { return f.list[i].fn < f.list[j].fn })
	return f
}

// add adds the FDE with these relocations; the first is that of the function.
func (f *frames) add(o *model.Object, cie [2]int32, from, to int32) {
	sym := f.sec.Symbol(&f.sec.Relocs[from])
	if sym == nil || sym.Sec == nil || sym.Sec.Obj != o {
		return
	}
	f.list = append(f.list, frame{sym.Sec.Index, from + 1, to, cie[0], cie[1]})
}

// of are the records of a section.
func (f *frames) of(s *model.Section) []frame {
	if len(f.list) == 0 {
		return nil
	}
	i := sort.Search(len(f.list), func(i int) bool { return f.list[i].fn >= s.Index })
	j := i
	for j < len(f.list) && f.list[j].fn == s.Index {
		j++
	}
	return f.list[i:j]
}

// relocCursor goes through relocations in the order of their offsets.
type relocCursor struct {
	relocs []model.Reloc
	at     int32
}

// until returns the range of those before an offset that were not passed yet.
func (r *relocCursor) until(end uint64) (from, to int32) {
	from = r.at
	for int(r.at) < len(r.relocs) && r.relocs[r.at].Off < end {
		r.at++
	}
	return from, r.at
}
