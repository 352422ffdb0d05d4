package phdr

import (
	"cmp"
	"debug/elf"
	"slices"

	"elfwright/elffile"
	"elfwright/image"
)

// Change says which fields of a program header to set; nil leaves one as it is.
type Change struct {
	Type         *elf.ProgType
	Flags        *elf.ProgFlag
	Vaddr, Paddr *image.Addr
	Memsz, Align *uint64
	Range        *image.Range // what it is to name; not for PT_LOAD
}

// Set changes a program header where it is. What the file's bytes and the other
// headers do not allow is refused: a PT_LOAD that would overlap another, lose
// its congruence, or no longer have what it had.
func Set(f *elffile.File, index int, c Change, opt Options) (*Result, error) {
	if err := refuse(f, opt); err != nil {
		return nil, err
	}
	d, err := newDraft(f, opt)
	if err != nil {
		return nil, err
	}
	if index < 0 || index >= len(d.Progs) {
		return nil, refusef(f, "there is no program header %d; there are %d", index, len(d.Progs))
	}
	if err := d.change(index, c); err != nil {
		return nil, err
	}
	if err := d.sortLoads(); err != nil {
		return nil, err
	}
	if err := d.writeSections(); err != nil {
		return nil, err
	}
	return d.finish("set", "", "the entry is written over", nil)
}

func (d *draft) change(index int, c Change) error {
	p := &d.Progs[index]
	was := *p
	if err := d.changePlace(index, c); err != nil {
		return err
	}
	if c.Type != nil {
		if p.Type == elf.PT_LOAD != (*c.Type == elf.PT_LOAD) && !d.opt.Force {
			return refusef(d.old, "program header %d: %s and %s mean different things for its memory; --force changes it all the same", index, progName(p.Type), progName(*c.Type))
		}
		p.Type = *c.Type
	}
	if c.Flags != nil {
		p.Flags = *c.Flags
	}
	if c.Paddr != nil {
		p.Paddr = uint64(*c.Paddr)
	}
	if c.Align != nil {
		if *c.Align&(*c.Align-1) != 0 {
			return refusef(d.old, "program header %d: alignment 0x%x is not a power of two", index, *c.Align)
		}
		p.Align = *c.Align
	}
	if was.Type == elf.PT_LOAD && was.Flags != p.Flags {
		d.protect(was)
	}
	if p.Type == elf.PT_PHDR && *p != was {
		d.fixPhdr()
	}
	return nil
}

// changePlace sets what the header names, or the memory that it gives.
func (d *draft) changePlace(index int, c Change) error {
	p := &d.Progs[index]
	switch {
	case c.Range != nil:
		if p.Type == elf.PT_LOAD {
			return refusef(d.old, "program header %d: a PT_LOAD does not name a range, it makes one", index)
		}
		q := &request{Header: Header{Type: p.Type, Range: c.Range, Flags: p.Flags}}
		if err := q.checkRange(d); err != nil {
			return refusef(d.old, "program header %d: %v", index, err)
		}
		if err := d.describeRange(q); err != nil {
			return err
		}
		*p = q.prog
	case c.Vaddr != nil && uint64(*c.Vaddr) != p.Vaddr:
		return d.changeVaddr(index, uint64(*c.Vaddr))
	}
	if c.Memsz != nil {
		return d.changeMemsz(index, *c.Memsz)
	}
	return nil
}

// changeVaddr moves memory that has nothing in it yet.
func (d *draft) changeVaddr(index int, vaddr uint64) error {
	p := &d.Progs[index]
	if p.Type != elf.PT_LOAD || p.Filesz > 0 {
		return refusef(d.old, "program header %d: its bytes are at 0x%x; to name others say --range", index, p.Vaddr)
	}
	was := *p
	p.Paddr = (p.Paddr + vaddr - p.Vaddr) & d.MaxAddr()
	p.Vaddr = vaddr
	p.Off = p.Off&^(max(p.Align, 1)-1) + vaddr&(max(p.Align, 1)-1)
	d.gives(was.Vaddr, was.Memsz)
	for i := range d.secs {
		if s := &d.secs[i]; s.Type == elf.SHT_NOBITS && s.Addr >= was.Vaddr && s.Addr-was.Vaddr < was.Memsz {
			s.Addr += vaddr - was.Vaddr
			d.dirty = true
		}
	}
	d.moves = append(d.moves, Move{Kind: "memory", Name: "zeros", Size: p.Memsz, FromAddr: Hex(was.Vaddr), ToAddr: Hex(vaddr), FromOff: Hex(was.Off), ToOff: Hex(p.Off)})
	return nil
}

// changeMemsz changes how much zero-filled memory follows the bytes, and the
// section that covers it up to its end.
func (d *draft) changeMemsz(index int, size uint64) error {
	p := &d.Progs[index]
	if p.Type == elf.PT_GNU_STACK {
		p.Memsz = size
		return nil
	}
	if p.Type == elf.PT_LOAD && size < p.Memsz {
		d.gives(p.Vaddr+size, p.Memsz-size)
	}
	if size < p.Filesz {
		return refusef(d.old, "program header %d: p_memsz 0x%x would be less than its 0x%x bytes in the file", index, size, p.Filesz)
	}
	if p.Vaddr+size < p.Vaddr || p.Vaddr+size > addressLimit(d.File) {
		return refusef(d.old, "program header %d: 0x%x bytes at 0x%x are beyond the end of the address space (0x%x)", index, size, p.Vaddr, addressLimit(d.File))
	}
	end := p.Vaddr + p.Memsz
	for i := range d.secs {
		s := &d.secs[i]
		if p.Type == elf.PT_LOAD && s.Type == elf.SHT_NOBITS && !s.Has(elf.SHF_TLS) && s.Addr >= p.Vaddr+p.Filesz && s.Addr+s.Size == end && p.Vaddr+size > s.Addr {
			s.Size = p.Vaddr + size - s.Addr
		}
	}
	p.Memsz = size
	return nil
}

// protect takes from the sections of a PT_LOAD what its new flags do not give.
func (d *draft) protect(was elffile.Prog) {
	d.gives(was.Vaddr, was.Memsz)
	now := elf.ProgFlag(0)
	for _, p := range d.Progs {
		if p.Type == elf.PT_LOAD && p.Vaddr == was.Vaddr {
			now = p.Flags
		}
	}
	for i := range d.secs {
		s := &d.secs[i]
		if s.was < 0 || !s.Has(elf.SHF_ALLOC) || s.Has(elf.SHF_TLS) || s.Addr < was.Vaddr || s.Addr-was.Vaddr >= was.Memsz {
			continue
		}
		if now&elf.PF_W == 0 {
			s.Flags &^= uint64(elf.SHF_WRITE)
		}
		if now&elf.PF_X == 0 {
			s.Flags &^= uint64(elf.SHF_EXECINSTR)
		}
	}
}

// sortLoads puts PT_LOADs into ascending order (gABI).
func (d *draft) sortLoads() error {
	var at []int
	var loads []elffile.Prog
	for i, p := range d.Progs {
		if p.Type == elf.PT_LOAD {
			at, loads = append(at, i), append(loads, p)
		}
	}
	slices.SortStableFunc(loads, func(a, b elffile.Prog) int { return cmp.Compare(a.Vaddr, b.Vaddr) })
	for i, p := range loads {
		d.Progs[at[i]] = p
	}
	return nil
}
