package phdr

import (
	"debug/elf"
	"slices"

	"elfwright/elffile"
	"elfwright/machine/all"
)

// Growth asks that the first bytes of a PT_LOAD's memory are in the file, where
// what is written to them stays.
type Growth struct {
	Index  int    // of the program header
	Filesz uint64 // how many bytes; no less than are there stay there
	Memsz  uint64 // p_memsz, where that is to grow, too; 0: as it is
}

// Grow puts the zeros of a PT_LOAD into the file, up to filesz bytes from its
// start. In memory nothing changes. See [GrowAll].
func Grow(f *elffile.File, index int, filesz uint64, opt Options) (*Result, error) {
	return GrowAll(f, []Growth{{Index: index, Filesz: filesz}}, opt)
}

// GrowAll is Grow for several PT_LOADs. What follows in the file moves up, by a
// multiple of a page where a PT_LOAD is among it, so that its offset stays
// congruent to its address. A section without bytes (.bss) that now has some is
// split: the part with bytes becomes SHT_PROGBITS, because strip and its kin
// write zeros for one that is SHT_NOBITS; the rest keeps type and name.
//
// PT_LOADs that name the same bytes grow together if all are asked for.
func GrowAll(f *elffile.File, growths []Growth, opt Options) (*Result, error) {
	if err := refuse(f, opt); err != nil {
		return nil, err
	}
	if opt.PageSize == 0 {
		opt.PageSize = largestAlign(f)
	}
	d, err := newDraft(f, opt)
	if err != nil {
		return nil, err
	}
	if err := d.findOverlay(); err != nil {
		return nil, err
	}
	if len(d.secs) >= elffile.ShnLoReserve {
		return nil, refusef(f, "%d sections need extended numbering, and symbols would change their sections", len(d.secs))
	}
	for _, g := range growths {
		if err := d.mayGrow(g); err != nil {
			return nil, err
		}
	}
	for _, g := range growths {
		if err := d.grow(g); err != nil {
			return nil, err
		}
	}
	if err := d.writeSections(); err != nil {
		return nil, err
	}
	return d.finish("grow", "", "zeros of memory are in the file now", nil)
}

// largestAlign is the page size to use for a machine that is not known here: the
// largest that the file's own PT_LOADs are aligned to. 0: the machine is known.
func largestAlign(f *elffile.File) uint64 {
	if all.Lookup(f.Header.Machine, f.Class) != nil {
		return 0
	}
	page := uint64(corePage)
	for i := range f.Progs {
		if p := &f.Progs[i]; p.Type == elf.PT_LOAD && p.Align&(p.Align-1) == 0 && p.Align <= maxFilled {
			page = max(page, p.Align)
		}
	}
	return page
}

// mayGrow checks what was asked for.
func (d *draft) mayGrow(g Growth) error {
	if g.Index < 0 || g.Index >= len(d.Progs) {
		return refusef(d.old, "there is no program header %d; there are %d", g.Index, len(d.Progs))
	}
	p := &d.Progs[g.Index]
	memsz := max(p.Memsz, g.Memsz)
	switch {
	case p.Type != elf.PT_LOAD:
		return refusef(d.old, "program header %d (%s) is no PT_LOAD: it has no memory of its own", g.Index, progName(p.Type))
	case g.Filesz > memsz:
		return refusef(d.old, "program header %d: 0x%x bytes in the file would be more than its memory (0x%x)", g.Index, g.Filesz, memsz)
	case g.Filesz > p.Filesz && g.Filesz-p.Filesz > maxFilled:
		return refusef(d.old, "program header %d: the file would grow by 0x%x zero bytes; the limit is 0x%x", g.Index, g.Filesz-p.Filesz, uint64(maxFilled))
	}
	return d.mayGrowMemory(g, memsz)
}

// mayGrowMemory checks that more memory takes no page from another PT_LOAD.
func (d *draft) mayGrowMemory(g Growth, memsz uint64) error {
	p := &d.Progs[g.Index]
	if memsz == p.Memsz {
		return nil
	}
	if limit := addressLimit(d.File); p.Vaddr+memsz < p.Vaddr || p.Vaddr+memsz > limit {
		return refusef(d.old, "program header %d: 0x%x bytes at 0x%x are beyond the end of the address space (0x%x)", g.Index, memsz, p.Vaddr, limit)
	}
	own, now := d.pages(p.Vaddr, p.Memsz), d.pages(p.Vaddr, memsz)
	for i := range d.Progs {
		o := &d.Progs[i]
		if i == g.Index || o.Type != elf.PT_LOAD {
			continue
		}
		if other := d.pages(o.Vaddr, o.Memsz); other.Overlaps(now) && !other.Overlaps(own) {
			return refusef(d.old, "program header %d: with 0x%x bytes of memory it would take pages from %v of program header %d", g.Index, memsz, other, i)
		}
	}
	return nil
}

// grow carries one growth out.
func (d *draft) grow(g Growth) error {
	p := &d.Progs[g.Index]
	had := p.Vaddr + p.Filesz
	if g.Filesz > p.Filesz {
		if err := d.growFile(g.Index, g.Filesz); err != nil {
			return err
		}
	}
	p.Memsz = max(p.Memsz, g.Memsz)
	return d.giveBytes(p, had, p.Vaddr+g.Filesz)
}

// growFile lengthens the file part of a PT_LOAD by zeros.
func (d *draft) growFile(index int, filesz uint64) error {
	p := &d.Progs[index]
	if p.Filesz == 0 || d.overlay >= 0 && d.opt.Overlay == OverlayStay {
		return d.rehome(index, filesz)
	}
	cut, end := p.Off+p.Filesz, p.Off+filesz
	if err := d.divided(index, cut); err != nil {
		return err
	}
	if free := d.freeEnd(index, cut, end); end > free {
		d.shiftLoads(cut, up(end-free, d.stepFor(cut)))
	}
	p.Filesz = filesz
	d.Body.Truncate(max(d.Body.Size(), int64(end)))
	d.cost("0x%x zero bytes of memory are in the file now, as a hole", end-cut)
	return nil
}

// alias says whether a program header names the same bytes as another, so that
// the two may end at the same offset, or one have grown over the end of the
// other.
func (d *draft) alias(i, index int) bool {
	a, b := &d.Progs[i], &d.Progs[index]
	return i == index || a.Type == elf.PT_LOAD && a.Off == b.Off
}

// divided refuses to open a hole within something.
func (d *draft) divided(index int, cut uint64) error {
	for i := range d.Progs {
		p := &d.Progs[i]
		ends := p.Off + p.Filesz
		if p.Type == elf.PT_LOAD && !d.alias(i, index) && p.Off < cut && cut < ends {
			return refusef(d.old, "program header %d: its bytes end at 0x%x in the file, within those of program header %d", index, cut, i)
		}
	}
	for i := range d.secs {
		if s := &d.secs[i]; s.HasBytes() && s.Off < cut && cut < s.Off+s.Size {
			return refusef(d.old, "program header %d: its bytes end at 0x%x in the file, within section %s", index, cut, s.name)
		}
	}
	return nil
}

// freeEnd is how far bytes that nobody names go from cut on, no further than
// end. Bytes other than zero are somebody's.
func (d *draft) freeEnd(index int, cut, end uint64) uint64 {
	free := end
	taken := func(off, n uint64) {
		if n > 0 && off+n > cut {
			free = min(free, max(off, cut))
		}
	}
	for i := range d.Progs {
		if p := &d.Progs[i]; !d.alias(i, index) && p.Type != elf.PT_GNU_RELRO {
			taken(p.Off, p.Filesz)
		}
	}
	for i := range d.secs {
		if s := &d.secs[i]; s.HasBytes() {
			taken(s.Off, s.Size)
		}
	}
	taken(d.Header.Phoff, uint64(len(d.Progs)*d.PhdrSize()))
	taken(d.Header.Shoff, d.shdrTableSize())
	if d.overlay >= 0 {
		taken(uint64(d.overlay), uint64(d.Body.Size()-d.overlay))
	}
	if !d.zero(cut, free) {
		return cut
	}
	return free
}

// stepFor is what the bytes from cut on must be moved by a multiple of: for
// PT_LOADs among them the largest page, or their own alignment.
func (d *draft) stepFor(cut uint64) uint64 {
	step := uint64(0)
	for i := range d.Progs {
		p := &d.Progs[i]
		if p.Type != elf.PT_LOAD || p.Off < cut || p.Filesz == 0 {
			continue
		}
		step = max(step, d.page)
		if p.Align&(p.Align-1) == 0 && p.Align <= maxFilled {
			step = max(step, p.Align)
		}
	}
	if step == 0 {
		return d.tailAlign(cut)
	}
	return step
}

// shiftLoads is shift, after which sections without bytes are still beside their
// neighbours, where those have moved.
func (d *draft) shiftLoads(at, n uint64) {
	was := slices.Clone(d.Progs)
	d.shift(at, n)
	for i := range d.secs {
		s := &d.secs[i]
		if s.Type != elf.SHT_NOBITS || !s.Has(elf.SHF_ALLOC) {
			continue
		}
		kind := elf.PT_LOAD
		if s.Has(elf.SHF_TLS) {
			kind = elf.PT_TLS
		}
		for k := range was {
			if p := &was[k]; p.Type == kind && s.Addr >= p.Vaddr && s.Addr-p.Vaddr < max(p.Memsz, 1) && d.Progs[k].Off != p.Off {
				s.Off += n
				break
			}
		}
	}
}

// rehome puts the bytes of a PT_LOAD behind all others that are loaded, or behind
// an overlay that is to stay where it is, with room for them to grow.
func (d *draft) rehome(index int, filesz uint64) error {
	p := &d.Progs[index]
	if p.Filesz > 0 {
		if err := d.mayMove(index); err != nil {
			return err
		}
	}
	from, n := p.Off, p.Filesz
	at := d.cut()
	align := d.page
	if p.Align&(p.Align-1) == 0 && p.Align <= maxFilled {
		align = max(align, p.Align)
	}
	to := at + (p.Vaddr-at)&(align-1)
	if end := to + filesz; at < uint64(d.Body.Size()) {
		d.shiftLoads(at, up(end-at, d.stepFor(at)))
	}
	bytes := d.window(from, n)
	for i := range d.Progs {
		if o := &d.Progs[i]; i != index && o.Type != elf.PT_LOAD && o.Vaddr >= p.Vaddr && o.Vaddr-p.Vaddr < p.Memsz && o.Off >= from {
			o.Off += to - from
		}
	}
	for i := range d.secs {
		if s := &d.secs[i]; s.Has(elf.SHF_ALLOC) && s.Addr >= p.Vaddr && s.Addr-p.Vaddr < p.Memsz && s.Type != elf.SHT_NULL {
			s.Off = to + (s.Addr - p.Vaddr)
			d.dirty = true
		}
	}
	d.Body.Clear(int64(from), int64(n))
	d.Body.Put(int64(to), bytes)
	d.Body.Truncate(max(d.Body.Size(), int64(to+filesz)))
	p.Off, p.Filesz = to, filesz
	d.cost("0x%x zero bytes of memory are in the file now, as a hole", filesz-n)
	if n > 0 {
		d.moves = append(d.moves, Move{Kind: "bytes", Name: "the PT_LOAD", Size: n,
			FromAddr: Hex(p.Vaddr), ToAddr: Hex(p.Vaddr), FromOff: Hex(from), ToOff: Hex(to)})
	}
	return nil
}

// mayMove refuses to move the bytes of a PT_LOAD where others name them, too, or
// where loaders reckon with their offset.
func (d *draft) mayMove(index int) error {
	p := &d.Progs[index]
	if index == d.firstLoad() || index == d.tableLoad() {
		return refusef(d.old, "program header %d: its bytes cannot grow without moving the overlay, nor go behind it, because it is where kernels look for the program header table; say --overlay=move", index)
	}
	for i := range d.Progs {
		o := &d.Progs[i]
		if i != index && o.Type == elf.PT_LOAD && o.Filesz > 0 && o.Off < p.Off+p.Filesz && p.Off < o.Off+o.Filesz {
			return refusef(d.old, "program header %d: its bytes cannot move, because program header %d names them, too", index, i)
		}
	}
	return nil
}
