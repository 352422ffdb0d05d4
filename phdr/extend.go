package phdr

import (
	"debug/elf"
	"slices"
)

// extend makes no PT_LOAD for what is evicted and for bytes of private headers:
// the highest PT_LOAD grows over them. Its .bss becomes zeros in the file, which
// costs a hole. It saves one entry of the table, and WSL 1 accepts it, which
// answers ENOEXEC to a PT_LOAD behind .bss.
func (d *draft) extend() error {
	top := d.topLoad()
	if top < 0 {
		return notHeref("there is no PT_LOAD to extend")
	}
	p := &d.Progs[top]
	switch end := p.Off + p.Filesz; {
	case end != d.cut():
		return notHeref("the highest PT_LOAD ends at 0x%x in the file, and what is loaded at 0x%x", end, d.cut())
	case p.Memsz-p.Filesz > maxFilled:
		return notHeref("its 0x%x zero bytes would become a part of the file", p.Memsz-p.Filesz)
	}
	home := d.homeSegment()
	d.segments = slices.DeleteFunc(d.segments, func(s *segment) bool { return s == home })
	d.mergeInto(home, p.Flags)
	end, err := d.tableEnd(d.slots())
	if err != nil {
		return err
	}
	e, err := d.planEviction(end, false)
	if err != nil {
		return err
	}
	if err := d.carryOut(e, end); err != nil {
		return err
	}
	return d.growUp(top, home)
}

// mergeInto gives private headers that need no PT_LOAD of their own room in the
// one that grows, which has these flags: memory goes behind all bytes.
func (d *draft) mergeInto(home *segment, flags elf.ProgFlag) {
	d.segments = slices.DeleteFunc(d.segments, func(s *segment) bool {
		q := s.request
		if q == nil || q.Type == elf.PT_LOAD || s.fixed || q.Flags&^flags != 0 || max(q.Align, q.BaseAlign) > d.page || q.Data != nil && q.Memsz > uint64(q.Data.Size()) {
			return false
		}
		q.seg = home
		if q.Data != nil {
			home.add(q.part)
		} else {
			home.zeros = append(home.zeros, q)
		}
		return true
	})
}

// maxFilled is how large a .bss may be that becomes a hole in the file.
const maxFilled = 1 << 30

// growUp fills the zeros of a PT_LOAD into the file and puts a segment's parts
// behind them. Sections without bytes (.bss) stay such: strip, objcopy and their
// kin make zeros of one that others follow.
func (d *draft) growUp(top int, home *segment) error {
	p := &d.Progs[top]
	cut := p.Off + p.Filesz
	start := up(p.Vaddr+p.Memsz, 64)
	home.off, home.vaddr = p.Off+(start-p.Vaddr), start
	n := home.layOut(start)
	most := n
	for _, q := range home.zeros {
		most += q.Memsz + max(q.Align, corePage)
	}
	if limit := addressLimit(d.File); most < n || start+most < start || start+most > limit {
		return notHeref("0x%x bytes at 0x%x are beyond the end of the address space (0x%x)", most, start, limit)
	}
	filled := p.Memsz - p.Filesz
	if cut < uint64(d.Body.Size()) {
		d.shift(cut, up(home.off+n-cut, d.tailAlign(cut)))
	}
	p.Filesz = start + n - p.Vaddr
	p.Memsz = p.Filesz
	for _, q := range home.zeros {
		q.zeros = up(p.Vaddr+p.Memsz, max(q.Align, corePage))
		p.Memsz = q.zeros + q.Memsz - p.Vaddr
	}
	d.write(home)
	d.Body.Truncate(max(d.Body.Size(), int64(home.off+n)))
	d.cost("0x%x zero bytes of memory are in the file now, as a hole", filled)
	if p.Flags&elf.PF_W != 0 {
		d.cost("the bytes put behind them are writable, as that PT_LOAD is")
	}
	return nil
}
