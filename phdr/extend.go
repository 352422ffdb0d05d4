package phdr

import (
	"debug/elf"

	"elfwright/elffile"
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
	d.segments = d.segments[1:] // homeSegment puts it first
	defer func() { d.home = home }()
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

// maxFilled is how large a .bss may be that becomes a hole in the file.
const maxFilled = 1 << 30

// growUp fills the zeros of a PT_LOAD into the file and puts a segment's parts
// behind them.
func (d *draft) growUp(top int, home *segment) error {
	p := &d.Progs[top]
	cut := p.Off + p.Filesz
	start := up(p.Vaddr+p.Memsz, 64)
	home.off, home.vaddr = p.Off+(start-p.Vaddr), start
	n := home.layOut()
	if limit := d.addressLimit(); start+n > limit {
		return notHeref("0x%x bytes at 0x%x are beyond the end of the address space (0x%x)", n, start, limit)
	}
	filled := p.Memsz - p.Filesz
	if cut < uint64(d.Body.Size()) {
		d.shift(cut, up(home.off+n-cut, d.tailAlign(cut)))
	}
	p.Filesz = start + n - p.Vaddr
	p.Memsz = p.Filesz
	d.fillSections(p)
	d.write(home)
	d.Body.Truncate(max(d.Body.Size(), int64(home.off+n)))
	d.cost("0x%x zero bytes of memory are in the file now, as a hole", filled)
	if p.Flags&elf.PF_W != 0 {
		d.cost("the bytes put behind them are writable, as that PT_LOAD is")
	}
	return nil
}

// fillSections makes sections without bytes (.bss) have the zeros that are in
// the file now. .tbss takes no room in a PT_LOAD.
func (d *draft) fillSections(p *elffile.Prog) {
	for i := range d.secs {
		s := &d.secs[i]
		if s.Type == elf.SHT_NOBITS && s.Has(elf.SHF_ALLOC) && !s.Has(elf.SHF_TLS) && s.Addr >= p.Vaddr && s.Addr < p.Vaddr+p.Memsz {
			s.Type = elf.SHT_PROGBITS
			s.Off = p.Off + s.Addr - p.Vaddr
			d.dirty = true
		}
	}
}
