package phdr

import (
	"cmp"
	"debug/elf"
	"slices"
)

// maxGap is how large a hole may become in the file so that the offsets of
// PT_LOADs without bytes tell them apart.
const maxGap = 1 << 20

// An empty is a PT_LOAD without file bytes, there already or about to be made.
type empty struct {
	off          *uint64
	vaddr, align uint64
	memsz        uint64
}

// apart is the first offset from end on that is beyond [p_offset,
// p_offset+p_memsz) of every PT_LOAD with bytes, and of those to be made. From
// there on eu-elflint cannot take one for another.
func (d *draft) apart(end uint64, before []*segment) uint64 {
	for i := range d.Progs {
		if p := &d.Progs[i]; p.Type == elf.PT_LOAD && p.Filesz > 0 {
			end = max(end, p.Off+p.Memsz)
		}
	}
	for _, s := range before {
		if s.filesz > 0 {
			end = max(end, s.off+s.memsz)
		}
	}
	return end
}

// placeEmpty gives PT_LOADs without bytes their p_offset, which no loader reads,
// and returns where the bytes behind them may begin. It must be congruent, and
// within the file (llvm-strip refuses one beyond its end). And eu-elflint finds
// the segment of a section without bytes by sh_offset alone, the first in the
// table whose [p_offset, p_offset+p_memsz) has it; so it must be apart from all
// others that come before it. Those of several go downwards.
func (d *draft) placeEmpty(end uint64) uint64 {
	list, some := d.empties()
	if !some {
		return end
	}
	at := d.apart(end, d.segments)
	for i := len(list) - 1; i >= 0; i-- {
		at += (list[i].vaddr - at) & (list[i].align - 1)
		d.setEmpty(list[i], at)
		at++
	}
	if at--; at-end <= maxGap {
		if at > end {
			d.cost("0x%x bytes of hole in the file, so that the p_offset of a PT_LOAD without bytes is its own", at-end)
		}
		return at
	}
	// Too large a .bss or alignment: the offset is only congruent then.
	for _, e := range list {
		at := end - (end-e.vaddr)&(e.align-1)
		if at > end {
			at = e.vaddr & (e.align - 1)
		}
		d.setEmpty(e, at)
	}
	return end
}

// empties lists PT_LOADs without bytes in the order of their addresses, and says
// whether one of them is new.
func (d *draft) empties() (list []empty, some bool) {
	for i := range d.Progs {
		if p := &d.Progs[i]; p.Type == elf.PT_LOAD && p.Filesz == 0 {
			list = append(list, empty{&p.Off, p.Vaddr, max(p.Align, d.page), p.Memsz})
		}
	}
	for _, s := range d.segments {
		if s.filesz == 0 {
			list = append(list, empty{&s.off, s.vaddr, max(s.align, d.page), s.memsz})
			some = true
		}
	}
	slices.SortStableFunc(list, func(a, b empty) int { return cmp.Compare(a.vaddr, b.vaddr) })
	return list, some
}

// setEmpty sets p_offset, and sh_offset of the sections that begin there.
func (d *draft) setEmpty(e empty, off uint64) {
	for i := range d.secs {
		s := &d.secs[i]
		if s.Has(elf.SHF_ALLOC) && s.Addr == e.vaddr && (s.Type == elf.SHT_NOBITS || s.Size == 0) {
			s.Off = off
		}
	}
	*e.off = off
}
