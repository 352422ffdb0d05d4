package patch

import (
	"debug/elf"

	"elfwright/elffile"
	resettable "elfwright/reset/table"
)

// A sel4Route sends writes to the saved copies of rust-sel4's sel4-reset. Its table
// has one entry for each piece of memory, and no room for more: a copy can become
// longer where nothing follows it.
type sel4Route struct {
	a       *applier
	t       *resettable.Table
	lengths []uint64 // that copies must have, by entry
	alias   []int    // the PT_LOAD that shows the piece a second time, by entry, or -1
	out     []*edit
}

func (a *applier) routeSel4(t *resettable.Table) error {
	r := &sel4Route{a: a, t: t, lengths: make([]uint64, len(t.Each)), alias: make([]int, len(t.Each))}
	for i := range t.Each {
		r.findAlias(i)
	}
	for _, e := range a.mem.edits {
		if err := r.edit(e); err != nil {
			return err
		}
	}
	a.mem.edits = r.out
	for i, n := range r.lengths {
		if n > 0 {
			if err := r.lengthen(i, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// findAlias looks for the read-only PT_LOAD by which sel4-reset makes a copy of a
// writable one: both name the same bytes of the file. A piece that was all zeros
// has no copy; were its bytes in the file, they would be in that PT_LOAD, too.
func (r *sel4Route) findAlias(index int) {
	f, e := r.a.img, &r.t.Each[index]
	r.alias[index] = -1
	if e.SrcSize == 0 {
		e.Src = 0
	}
	i, err := r.a.mem.load(e.Dst, max(e.Size, 1))
	if err != nil || e.Size == 0 {
		return
	}
	p := &f.Progs[i]
	for k := range f.Progs {
		o := &f.Progs[k]
		at := o.Vaddr + e.Dst - p.Vaddr
		same := k != i && o.Type == elf.PT_LOAD && o.Flags&elf.PF_W == 0 && o.Off == p.Off && o.Filesz == p.Filesz && p.Filesz > 0 && o.Memsz == o.Filesz
		if same && at >= o.Vaddr && at <= f.MaxAddr() && (e.Src == at || e.Src == 0) {
			e.Src, r.alias[index] = at, k
			return
		}
	}
}

// edit routes one write.
func (r *sel4Route) edit(e *edit) error {
	inPlace := true
	for i, s := range r.t.Each {
		from, to := max(e.addr, s.Dst), min(e.end(), s.Dst+s.Size)
		if from >= to {
			continue
		}
		part := elffile.Slice(e.data, int64(from-e.addr), int64(to-from))
		used := usedUntil(part)
		if s.Src == 0 {
			if used > 0 {
				return refusef(r.a.img, e.g.label, "0x%x is in a range, [0x%x, 0x%x), that a reset fills with zeros, and there is no saved copy to write to: patch the program before it is made resettable", from, s.Dst, s.Dst+s.Size)
			}
			continue
		}
		k := from - s.Dst
		if used > 0 && k+used > s.SrcSize {
			r.lengths[i] = max(r.lengths[i], k+used)
		}
		// Beyond the copy, as long as it will be so far, it is zero already.
		length := max(s.SrcSize, r.lengths[i])
		if n := min(to-from, max(used, length-min(k, length))); n > 0 {
			r.out = append(r.out, saved(e, from, n, s.Src+k))
		}
		if r.deflated(s) && from == e.addr && to == e.end() {
			inPlace = false
		}
	}
	if inPlace {
		r.out = append(r.out, e)
	}
	return nil
}

// deflated says whether a range has no bytes of its own in the file, because the
// program is always started by what restores it.
func (r *sel4Route) deflated(s resettable.Entry) bool {
	return s.SrcSize != 0 && r.a.mem.stored(s.Dst, 1) == 0
}

// lengthen makes a saved copy longer: the PT_LOAD that ends with it grows, if no
// other has the pages behind it.
func (r *sel4Route) lengthen(index int, n uint64) error {
	a, s := r.a, r.t.Each[index]
	i := r.alias[index]
	if i < 0 {
		var err error
		if i, err = a.mem.load(s.Src, max(s.SrcSize, 1)); err != nil {
			return refusef(a.img, "", "the saved copy at 0x%x: %v", s.Src, err)
		}
		if p := &a.img.Progs[i]; p.Vaddr+p.Filesz != s.Src+s.SrcSize || p.Memsz != p.Filesz {
			return refusef(a.img, "", "a write to 0x%x needs 0x%x bytes in the saved copy at 0x%x, which has 0x%x, and other bytes follow: patch the program before it is made resettable", s.Dst+s.SrcSize, n, s.Src, s.SrcSize)
		}
	}
	if size := s.Src + n - a.img.Progs[i].Vaddr; size > a.img.Progs[i].Filesz {
		a.grow(i, size, size)
		a.mem.more[i] = max(a.mem.more[i], size)
	}
	word := uint64(a.img.AddrSize())
	row := make([]byte, 2*word)
	a.img.PutAddr(row, s.Src)
	a.img.PutAddr(row[word:], n)
	a.mem.edits = append(a.mem.edits, tableEdit(r.t.Addr+(4*uint64(index)+2)*word, row))
	return nil
}
