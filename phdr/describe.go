package phdr

import (
	"debug/elf"

	"elfwright/elffile"
	"elfwright/image"
)

// describe fills in the program header of each request, now that everything has
// its place, and adds the sections that cover new bytes.
func (d *draft) describe() error {
	for _, q := range d.requests {
		switch {
		case q.Range != nil:
			if err := d.describeRange(q); err != nil {
				return err
			}
		case q.Unloaded:
			d.describeUnloaded(q)
		case q.seg != nil:
			d.describeOwn(q)
		default:
			q.prog = elffile.Prog{Type: q.Type, Flags: q.Flags, Memsz: q.Memsz, Align: q.Align}
		}
	}
	return nil
}

// describeRange makes the header of a range that was there before, and that an
// eviction may have moved.
func (d *draft) describeRange(q *request) error {
	r := *q.Range
	for _, m := range d.moves {
		from := image.Range{Start: image.Addr(m.FromAddr), Size: m.Size}
		switch {
		case m.Kind != "bytes" || !from.Overlaps(*q.Range):
		case from.Covers(*q.Range):
			r.Start = q.Range.Start + image.Addr(m.ToAddr-m.FromAddr)
		default:
			return notHeref("a part of %v, %s, would move away from the rest", r, m.Name)
		}
	}
	p := &d.Progs[d.loadAt(r)]
	at := uint64(r.Start) - p.Vaddr
	q.prog = elffile.Prog{
		Type: q.Type, Flags: q.Flags, Off: p.Off + at, Vaddr: uint64(r.Start), Paddr: p.Paddr + at, Memsz: r.Size,
		Align: q.Align,
	}
	if at < p.Filesz {
		q.prog.Filesz = min(r.Size, p.Filesz-at)
	} else {
		q.prog.Off = p.Off + p.Filesz - (p.Off+p.Filesz-q.prog.Vaddr)&(q.Align-1)&15
	}
	if q.Paddr != 0 {
		q.prog.Paddr = uint64(q.Paddr)
	}
	if q.Align == 0 {
		q.prog.Align = 1
		for a := uint64(2); a <= 16 && (q.prog.Vaddr|q.prog.Off)&(a-1) == 0; a *= 2 {
			q.prog.Align = a
		}
	}
	return nil
}

// describeOwn makes the header of bytes or memory that were added.
func (d *draft) describeOwn(q *request) {
	s := q.seg
	vaddr, off, filesz := s.vaddr, s.off, uint64(0)
	if q.part != nil {
		vaddr, off, filesz = q.part.vaddr, q.part.off, uint64(q.part.data.Size())
		d.coverBytes(q)
	}
	if q.zeros != 0 {
		vaddr, off = q.zeros, s.off+s.filesz
	}
	if zeros := q.Memsz - filesz; zeros > 0 {
		d.coverZeros(q, vaddr+filesz, off+filesz, zeros)
	}
	off -= (off - vaddr) & (q.Align - 1) // behind .bss it is congruent by chance only
	if q.Type == elf.PT_LOAD {
		return // insertLoad has made it
	}
	physical := uint64(0)
	if i := d.loadAt(image.Range{Start: image.Addr(vaddr), Size: 1}); i >= 0 {
		physical = d.Progs[i].Paddr - d.Progs[i].Vaddr
	}
	q.prog = elffile.Prog{
		Type: q.Type, Flags: q.Flags, Off: off, Vaddr: vaddr, Paddr: (vaddr + physical) & d.MaxAddr(),
		Filesz: filesz, Memsz: q.Memsz, Align: q.Align,
	}
}

// describeUnloaded puts bytes behind all that is loaded, and makes their header,
// which names no memory, and their section.
func (d *draft) describeUnloaded(q *request) {
	d.freeTables()
	at, size := d.end(), uint64(q.Data.Size())
	switch {
	case d.overlay >= 0 && d.opt.Overlay == OverlayMove:
		at = uint64(d.overlay)
	case d.overlay >= 0:
		at = uint64(d.Body.Size())
	}
	at = up(at, q.Align)
	d.room(at, size)
	d.Body.Put(int64(at), q.Data)
	q.prog = elffile.Prog{Type: q.Type, Flags: q.Flags, Off: at, Filesz: size, Align: q.Align}
	name := ".ew.data"
	if q.Section != "" {
		name = q.Section
	}
	typ := elf.SHT_PROGBITS
	if q.SectionType != 0 {
		typ = q.SectionType
	}
	d.addSection(name, elffile.Section{Type: typ, Off: at, Size: size, Addralign: q.Align})
	d.Progs = append(d.Progs, q.prog) // so that what follows finds the place taken; arrange puts it in order
}

// coverBytes adds the section of a request's bytes.
func (d *draft) coverBytes(q *request) {
	s := elffile.Section{
		Type: elf.SHT_PROGBITS, Flags: sectionFlags(q.seg.flags), Addr: q.part.vaddr, Off: q.part.off,
		Size: uint64(q.part.data.Size()), Addralign: min(max(q.part.align, 1), 4096),
	}
	name := ".ew.data"
	if q.Type == elf.PT_NOTE {
		if b, err := elffile.Bytes(q.part.data); err == nil {
			if _, err := elffile.ParseNotes(d.Format, b, 0, q.Align); err == nil {
				s.Type, name = elf.SHT_NOTE, ".note.ew"
			} else {
				d.warn("not-notes", "the bytes of the PT_NOTE are no notes: %v", err)
			}
		}
	}
	if q.Section != "" {
		name = q.Section
	}
	d.addSection(name, s)
}

// coverZeros adds the section of a request's zero-filled memory.
func (d *draft) coverZeros(q *request, vaddr, off, size uint64) {
	name := ".ew.arena"
	if q.Section != "" && q.part == nil {
		name = q.Section
	}
	if q.part == nil && q.zeros == 0 {
		// eu-elflint calls a writable segment without a section with bytes a
		// mistake; one with room for none will do.
		d.addSection(name+".start", elffile.Section{
			Type: elf.SHT_PROGBITS, Flags: sectionFlags(q.seg.flags), Addr: vaddr, Off: off, Addralign: 1,
		})
	}
	d.addSection(name, elffile.Section{
		Type: elf.SHT_NOBITS, Flags: sectionFlags(q.seg.flags | elf.PF_W), Addr: vaddr, Off: off, Size: size, Addralign: lowBit(vaddr, d.page),
	})
}

// lowBit is the largest power of two up to limit that divides n.
func lowBit(n, limit uint64) uint64 {
	if b := n & -n; b != 0 && b < limit {
		return b
	}
	return limit
}

func sectionFlags(f elf.ProgFlag) uint64 {
	flags := elf.SHF_ALLOC
	if f&elf.PF_W != 0 {
		flags |= elf.SHF_WRITE
	}
	if f&elf.PF_X != 0 {
		flags |= elf.SHF_EXECINSTR
	}
	return uint64(flags)
}

// changedEntries lists the headers that are not in the old table as they are.
// PT_PHDR is told of with the table.
func (d *draft) changedEntries() []Entry {
	old := make(map[elffile.Prog]int)
	for _, p := range d.old.Progs {
		old[p]++
	}
	out := []Entry{}
	for i, p := range d.Progs {
		switch {
		case old[p] > 0:
			old[p]--
		case p.Type == elf.PT_NULL || p.Type == elf.PT_PHDR:
		case d.isNew(p):
			out = append(out, d.entry("new", i))
		default:
			out = append(out, d.entry("changed", i))
		}
	}
	return out
}

func (d *draft) isNew(p elffile.Prog) bool {
	for _, q := range d.requests {
		if q.prog == p {
			return true
		}
	}
	for _, s := range d.segments {
		if p.Type == elf.PT_LOAD && p.Vaddr == s.vaddr {
			return true
		}
	}
	return false
}
