package image

import (
	"cmp"
	"debug/elf"
	"fmt"
	"slices"

	"elfwright/elffile"
)

// filePage is the alignment in the file of segments that ask for less: the
// largest page size of the machines we know, so that any kernel can map them.
const filePage = 0x1000

// File lays the image out as an ELF file, ready for [elffile.File.Encode].
// Segments and headers that have an offset get it; others follow, congruent to
// their address. Segments that share bytes of the file must agree on them. The
// file has section headers only if the image has sections or symbols.
func (img *Image) File() (*elffile.File, error) {
	l := &layout{img: img, body: &elffile.Body{}, table: img.Table}
	if l.table == 0 {
		l.table = uint64(img.EhdrSize())
	}
	l.order()
	if err := l.segments(); err != nil {
		return nil, err
	}
	if err := l.reserve(); err != nil {
		return nil, err
	}
	l.headers()
	f := &elffile.File{Name: img.Name, Format: img.Format, Body: l.body, Header: img.ehdr()}
	f.Progs = l.progs
	f.Header.Phoff = l.table
	f.SetSections(nil)
	if len(img.Sections)+len(img.Symbols) == 0 {
		return f, f.Renumber(0)
	}
	return f, l.sections(f)
}

func (img *Image) ehdr() elffile.Header {
	h := elffile.Header{
		Type: img.Type, Machine: img.Machine, Version: uint32(elf.EV_CURRENT),
		Entry: uint64(img.Entry), Flags: img.Flags, Ehsize: uint16(img.EhdrSize()),
	}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS] = byte(img.Class)
	h.Ident[elf.EI_DATA] = byte(img.Data)
	h.Ident[elf.EI_VERSION] = byte(elf.EV_CURRENT)
	h.Ident[elf.EI_OSABI] = byte(img.OSABI)
	h.Ident[elf.EI_ABIVERSION] = img.ABIVersion
	return h
}

// layout is a file in the making.
type layout struct {
	img   *Image
	body  *elffile.Body
	table uint64
	progs []elffile.Prog
	slots []slot // what each program header is
}

// order decides the sequence of the table. Those with an index keep it; of the
// others PT_PHDR and PT_INTERP go before the first PT_LOAD, PT_LOADs where they
// ascend by address (gABI), all others to the end.
func (l *layout) order() {
	segs, hdrs := l.img.Segments, l.img.Headers
	var table []slot
	for i := range segs {
		if segs[i].Index != NoIndex {
			table = append(table, slot{i, -1})
		}
	}
	for i := range hdrs {
		if hdrs[i].Index != NoIndex {
			table = append(table, slot{-1, i})
		}
	}
	slices.SortStableFunc(table, func(a, b slot) int { return cmp.Compare(l.index(a), l.index(b)) })
	for i := range segs {
		if segs[i].Index == NoIndex {
			after := 1 + lastIndex(table, func(s slot) bool { return s.seg >= 0 && segs[s.seg].Vaddr <= segs[i].Vaddr })
			if after == 0 {
				after = firstLoad(table)
			}
			table = slices.Insert(table, after, slot{i, -1})
		}
	}
	for _, early := range []elf.ProgType{elf.PT_INTERP, elf.PT_PHDR} {
		for i := range hdrs {
			if hdrs[i].Index == NoIndex && hdrs[i].Type == early {
				table = slices.Insert(table, 0, slot{-1, i})
			}
		}
	}
	for i := range hdrs {
		if hdrs[i].Index == NoIndex && hdrs[i].Type != elf.PT_PHDR && hdrs[i].Type != elf.PT_INTERP {
			table = append(table, slot{-1, i})
		}
	}
	l.slots = table
	l.progs = make([]elffile.Prog, len(table))
}

// slot is an entry of the table: an index in Segments or in Headers; the other
// is -1.
type slot struct{ seg, hdr int }

func (l *layout) index(s slot) int {
	if s.seg >= 0 {
		return l.img.Segments[s.seg].Index
	}
	return l.img.Headers[s.hdr].Index
}

func firstLoad(table []slot) int {
	if i := slices.IndexFunc(table, func(s slot) bool { return s.seg >= 0 }); i >= 0 {
		return i
	}
	return len(table)
}

func lastIndex(table []slot, want func(slot) bool) int {
	for i := len(table) - 1; i >= 0; i-- {
		if want(table[i]) {
			return i
		}
	}
	return -1
}

func (l *layout) tableEnd() int64 {
	return int64(l.table) + int64(len(l.progs)*l.img.PhdrSize())
}

// segments places the file bytes of the PT_LOADs.
func (l *layout) segments() error {
	cursor := max(l.tableEnd(), int64(l.img.EhdrSize()))
	for i := range l.img.Segments {
		s := &l.img.Segments[i]
		if s.Off != NoOffset {
			if err := l.fixed(s); err != nil {
				return err
			}
			cursor = max(cursor, s.Off+int64(s.Filesz))
		}
	}
	for i := range l.progs {
		if l.slots[i].seg < 0 {
			continue
		}
		s := &l.img.Segments[l.slots[i].seg]
		off := s.Off
		if off == NoOffset {
			align := max(s.Align, filePage)
			if !powerOfTwo(align) {
				return fmt.Errorf("%s: program header %d, p_align: 0x%x is not a power of two", l.img.Name, i, align)
			}
			off = cursor + int64((uint64(s.Vaddr)-uint64(cursor))&(align-1))
			if s.Filesz > 0 {
				l.body.Put(off, s.Data)
				cursor = off + int64(s.Filesz)
			}
		}
		l.progs[i] = elffile.Prog{
			Type: elf.PT_LOAD, Flags: s.Flags, Off: uint64(off), Vaddr: uint64(s.Vaddr), Paddr: uint64(s.Paddr),
			Filesz: s.Filesz, Memsz: s.Memsz, Align: s.Align,
		}
	}
	return nil
}

// fixed places a segment where it says.
func (l *layout) fixed(s *Segment) error {
	n := s.Data.Size()
	if n == 0 {
		return nil
	}
	if shared := min(l.body.Size()-s.Off, n); shared > 0 {
		var clash error
		// What is a hole so far agrees with anything, and is overwritten.
		elffile.Extents(l.body.Window(s.Off, shared), func(pos int64, d elffile.Data) bool {
			if _, hole := d.(elffile.Zeros); hole {
				return true
			}
			err := elffile.Diff(d, elffile.Slice(s.Data, pos, d.Size()), func(from, to int64) bool {
				clash = fmt.Errorf("%s: program header %d, p_offset: 0x%x: its bytes at 0x%x are not those of a segment before it", l.img.Name, s.Index, s.Off, s.Off+pos+from)
				return false
			})
			clash = cmp.Or(clash, err)
			return clash == nil
		})
		if clash != nil {
			return clash
		}
	}
	l.body.Put(s.Off, s.Data)
	return nil
}

// reserve checks that the table may be written where it is to be: over the old
// table, or over nothing.
func (l *layout) reserve() error {
	from, to := int64(l.table), min(l.tableEnd(), l.body.Size())
	if l.img.Table == l.table {
		from += int64(l.img.tableSize)
	}
	var clash error
	if from < to {
		elffile.Diff(l.body.Window(from, to-from), elffile.Zeros(to-from), func(at, _ int64) bool {
			clash = fmt.Errorf("%s: the program header table of %d entries at [0x%x, 0x%x) would overwrite bytes of a segment at 0x%x", l.img.Name, len(l.progs), l.table, l.tableEnd(), from+at)
			return false
		})
	}
	return clash
}

// headers fills in the other program headers, and places their own bytes.
func (l *layout) headers() {
	for i := range l.progs {
		if l.slots[i].hdr < 0 {
			continue
		}
		h := &l.img.Headers[l.slots[i].hdr]
		p := elffile.Prog{
			Type: h.Type, Flags: h.Flags, Vaddr: uint64(h.Vaddr), Paddr: uint64(h.Paddr),
			Filesz: h.Filesz, Memsz: h.Memsz, Align: h.Align,
		}
		switch {
		case h.Type == elf.PT_PHDR:
			p.Off = l.table
			p.Filesz = uint64(len(l.progs) * l.img.PhdrSize())
			p.Memsz = p.Filesz
		case h.Segment >= 0:
			p.Off = l.offsetOf(h)
		case h.Off != NoOffset:
			p.Off = uint64(h.Off)
			l.own(h, h.Off)
		case h.Filesz > 0:
			off := (l.body.Size() + 15) &^ 15
			p.Off = uint64(max(off, l.tableEnd()))
			l.own(h, int64(p.Off))
		}
		l.progs[i] = p
	}
}

func (l *layout) own(h *Header, off int64) {
	if h.Data != nil {
		l.body.Put(off, h.Data)
	}
}

// offsetOf is where the bytes of a header that names a part of a segment are.
func (l *layout) offsetOf(h *Header) uint64 {
	for i, s := range l.slots {
		if s.seg == h.Segment {
			return l.progs[i].Off + uint64(h.Vaddr) - l.progs[i].Vaddr
		}
	}
	return 0
}
