package phdr

import (
	"debug/elf"
	"fmt"
	"slices"
	"strings"

	"elfwright/elffile"
)

// Detach takes a private program header out together with the bytes it names,
// which Add has put there: the PT_LOAD that was made for them goes, or one that
// grew over them shrinks, and what follows in the file moves down. The entries
// are left as PT_NULL, so that as many can be added again. The error is a
// [*Refusal] where the bytes cannot be told from those of the program.
func Detach(f *elffile.File, index int, opt Options) (*Result, error) {
	if err := refuse(f, opt); err != nil {
		return nil, err
	}
	d, err := newDraft(f, opt)
	if err != nil {
		return nil, err
	}
	if err := d.findOverlay(); err != nil {
		return nil, err
	}
	if index < 0 || index >= len(d.Progs) {
		return nil, refusef(f, "there is no program header %d; there are %d", index, len(d.Progs))
	}
	removed := []Entry{d.entry("removed", index)}
	if err := d.detach(index); err != nil {
		return nil, err
	}
	d.arrange(len(d.Progs))
	if err := d.writeSections(); err != nil {
		return nil, err
	}
	r, err := d.finish("detach", "", "the entries are PT_NULL now, and the bytes they named are gone", nil)
	if err == nil {
		r.Report.Headers = append(removed, r.Report.Headers...)
	}
	return r, err
}

// detach frees an entry, and its bytes.
func (d *draft) detach(index int) error {
	h := d.Progs[index]
	if h.Type != elf.PT_LOAD && (h.Type < elf.PT_LOOS || h.Type > elf.PT_HIOS) || h.Filesz == 0 {
		return refusef(d.old, "program header %d (%s) names nothing that was added to the program", index, progName(h.Type))
	}
	from, to := h.Off, h.Off+h.Filesz
	load := d.loadOf(&h)
	d.Progs[index] = elffile.Prog{Type: elf.PT_NULL}
	if load >= 0 {
		l := &d.Progs[load]
		if load != index && (to != l.Off+l.Filesz || l.Filesz != l.Memsz) {
			return refusef(d.old, "program header %d (%s) names bytes in the middle of program header %d", index, progName(h.Type), load)
		}
		if load == index {
			*l = h
			if why := d.neededLoad(index, nil); why != "" {
				return refusef(d.old, "program header %d (%s): %s", index, progName(h.Type), why)
			}
		}
		if load == index || d.onlyMarker(l.Off, from) {
			from = l.Off
		} else {
			from = d.endOfUse(l, from)
		}
		if err := d.unnamed(from, to, load); err != nil {
			return refusef(d.old, "program header %d (%s): %v", index, progName(h.Type), err)
		}
		d.shrink(load, from)
	} else if err := d.unnamed(from, to, -1); err != nil {
		return refusef(d.old, "program header %d (%s): %v", index, progName(h.Type), err)
	}
	d.freeTables() // while d.names is an index in d.secs
	d.secs = slices.DeleteFunc(d.secs, func(s section) bool { return within(&s.Section, from, to) })
	d.closeUp(from, to)
	return nil
}

// loadOf returns the PT_LOAD that has a header's bytes, or -1.
func (d *draft) loadOf(h *elffile.Prog) int {
	return slices.IndexFunc(d.Progs, func(p elffile.Prog) bool {
		return p.Type == elf.PT_LOAD && p.Off <= h.Off && h.Off+h.Filesz <= p.Off+p.Filesz && h.Vaddr-p.Vaddr == h.Off-p.Off
	})
}

// endOfUse is where the padding begins that ends at an offset of a PT_LOAD:
// behind the last section, be it one without bytes, but for a marker that nothing
// follows any more. Without section headers nothing tells padding from zeros of
// the program.
func (d *draft) endOfUse(l *elffile.Prog, off uint64) uint64 {
	used := l.Off
	for i := range d.secs {
		s := &d.secs[i]
		if s.HasBytes() && s.Size == uint64(len(marker)) && strings.HasPrefix(s.name, markerSection) && d.onlyMarker(s.Off, off) {
			continue
		}
		if s.Has(elf.SHF_ALLOC) && !s.Has(elf.SHF_TLS) && s.Addr >= l.Vaddr && s.Addr < l.Vaddr+(off-l.Off) {
			used = max(used, l.Off+(s.Addr+s.Size-l.Vaddr))
		}
	}
	for i := range d.Progs {
		if p := &d.Progs[i]; p.Type != elf.PT_LOAD && p.Filesz > 0 && p.Off >= l.Off && p.Off < off {
			used = max(used, p.Off+p.Filesz)
		}
	}
	switch {
	case used == l.Off || used > off:
		return off
	case d.zero(used, off):
		return used
	}
	// Padding, the marker, padding.
	at := (used + 15) &^ 15
	for ; at < off && !d.onlyMarker(at, off); at += 16 {
		if !d.zero(at, at+16) {
			return off
		}
	}
	if at < off && d.zero(used, at) {
		return used
	}
	return off
}

// onlyMarker says whether [from, to) in the file has nothing but the marker with
// which a new PT_LOAD begins, and padding.
func (d *draft) onlyMarker(from, to uint64) bool {
	n := uint64(len(marker))
	b, err := d.Body.Bytes(from, n)
	return err == nil && to-from >= n && string(b) == string(marker[:]) && d.zero(from+n, to) && d.unnamed(from, to, d.loadOf(&elffile.Prog{Off: from, Filesz: 1, Vaddr: d.vaddrAt(from)})) == nil
}

// vaddrAt is the address of a file offset in the PT_LOAD that has it.
func (d *draft) vaddrAt(off uint64) uint64 {
	for i := range d.Progs {
		if p := &d.Progs[i]; p.Type == elf.PT_LOAD && p.Off <= off && off < p.Off+p.Filesz {
			return p.Vaddr + off - p.Off
		}
	}
	return 0
}

// unnamed returns what names a byte of [from, to), other than a PT_LOAD and the
// sections that Add has made for it.
func (d *draft) unnamed(from, to uint64, load int) error {
	for i := range d.Progs {
		p := &d.Progs[i]
		if i != load && p.Type != elf.PT_NULL && p.Filesz > 0 && p.Off < to && from < p.Off+p.Filesz {
			return fmt.Errorf("program header %d (%s) names bytes at [0x%x, 0x%x), too", i, progName(p.Type), p.Off, p.Off+p.Filesz)
		}
	}
	for i := range d.secs {
		s := &d.secs[i]
		if s.HasBytes() && s.Off < to && from < s.Off+s.Size && !(within(&s.Section, from, to) && ours(s.name)) {
			return fmt.Errorf("section %s is at [0x%x, 0x%x)", s.name, s.Off, s.Off+s.Size)
		}
	}
	for _, e := range d.dyn {
		if off, _, ok := d.old.OffsetOf(e.Val); ok && off >= from && off < to && !isDynNumber(e.Tag) {
			return fmt.Errorf("the dynamic section points into it (%v)", e.Tag)
		}
	}
	return nil
}

// within says whether a section lies in [from, to) of the file.
func within(s *elffile.Section, from, to uint64) bool {
	return s.Type != elf.SHT_NULL && s.Type != elf.SHT_NOBITS && s.Off >= from && s.Off < to && s.Size <= to-s.Off
}

// shrink takes the bytes from an offset on from a PT_LOAD, or the PT_LOAD where
// that is all of it.
func (d *draft) shrink(load int, from uint64) {
	l := &d.Progs[load]
	keep := from - l.Off
	d.gives(l.Vaddr+keep, l.Memsz-keep)
	l.Filesz, l.Memsz = keep, keep
	if keep == 0 {
		*l = elffile.Prog{Type: elf.PT_NULL}
	}
}

// closeUp takes [from, to) out of the file, with what is free before and behind
// it, as far as what follows keeps its alignment; the rest becomes a hole.
func (d *draft) closeUp(from, to uint64) {
	d.Body.Clear(int64(from), int64(to-from))
	if d.overlay >= int64(to) && d.opt.Overlay == OverlayStay {
		return
	}
	last, next := d.neighbours(from, to)
	if !d.zero(last, from) {
		last = from
	}
	if next == 0 { // it ended the file
		d.Body.Truncate(int64(last))
		return
	}
	if !d.zero(to, next) {
		next = to
	}
	unit := d.tailAlign(to)
	for i := range d.Progs {
		if p := &d.Progs[i]; p.Type == elf.PT_LOAD && p.Off >= to {
			unit = max(unit, d.page, p.Align)
		}
	}
	if n := (next - last) &^ (unit - 1); n > 0 {
		d.pull(last, to, n)
	}
}

// neighbours returns the end of what is named in front of [from, to), and the
// start of what is behind it; 0 if there is nothing.
func (d *draft) neighbours(from, to uint64) (last, next uint64) {
	last = uint64(d.EhdrSize())
	name := func(off, n uint64) {
		switch {
		case n == 0:
		case off >= to && (next == 0 || off < next):
			next = off
		case off < from:
			last = max(last, min(off+n, from))
		}
	}
	name(d.Header.Phoff, uint64(len(d.Progs)*d.PhdrSize()))
	name(d.Header.Shoff, d.shdrTableSize())
	for i := range d.Progs {
		name(d.Progs[i].Off, d.Progs[i].Filesz)
	}
	for i := range d.secs {
		if s := &d.secs[i]; s.HasBytes() && !(uint32(s.was) == d.names && d.freed) {
			name(s.Off, s.Size)
		}
	}
	if d.overlay >= int64(to) {
		name(uint64(d.overlay), uint64(d.Body.Size()-d.overlay))
	}
	return last, next
}

// pull is the reverse of shift: it takes n bytes at an offset out of the file, and
// what names bytes from behind on follows them.
func (d *draft) pull(at, behind, n uint64) {
	d.Body.Cut(int64(at), int64(n))
	down := func(off *uint64) {
		if *off >= behind {
			*off -= n
		}
	}
	for i := range d.Progs {
		down(&d.Progs[i].Off)
	}
	for i := range d.secs {
		down(&d.secs[i].Off)
	}
	down(&d.Header.Phoff)
	down(&d.Header.Shoff)
	for i := range d.images {
		down(&d.images[i])
	}
	if d.overlay >= int64(behind) {
		d.overlay -= int64(n)
	}
}
