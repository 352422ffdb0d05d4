package phdr

import (
	"debug/elf"
	"slices"

	"elfwright/elffile"
	"elfwright/image"
)

// A segment is a PT_LOAD to be made: parts with bytes, then zeros.
type segment struct {
	flags elf.ProgFlag
	align uint64
	vaddr uint64
	fixed bool // vaddr was asked for
	paddr image.Addr
	parts []*part
	memsz uint64     // at least; the rest after the parts is zero
	zeros []*request // memory behind the parts, in a PT_LOAD that grows

	// bias, where hasBias is set, is what p_vaddr - p_offset must be.
	bias    uint64
	hasBias bool

	off, filesz uint64 // where place put it
	request     *request
}

// A part is bytes in a segment.
type part struct {
	data      elffile.Data
	align     uint64
	base      uint64 // an offset in data that is to be a multiple of baseAlign
	baseAlign uint64
	last      bool   // behind all others, so that it can be taken out again
	off       uint64 // in the segment, and from place on in the file
	vaddr     uint64
	placed    func(off, vaddr uint64) // told by place
}

// marker starts a PT_LOAD that has more than one thing in it. Where another
// program header begins at the very offset of a PT_LOAD, llvm-objcopy up to 17
// takes that one for the parent of the two and loses the alignment
// (llvm/llvm-project issues 56738, 79887); 16 bytes in front prevent it.
var marker = [16]byte{'e', 'l', 'f', 'w', 'r', 'i', 'g', 'h', 't'}

const markerSection = ".ew"

// add puts bytes into the segment.
func (s *segment) add(p *part) *part {
	s.parts = append(s.parts, p)
	return p
}

// homeSegment returns the read-only PT_LOAD for what has no segment of its own.
func (d *draft) homeSegment() *segment {
	if d.home == nil {
		d.home = &segment{flags: elf.PF_R, align: d.page}
		d.addMarker(d.home)
		d.segments = append([]*segment{d.home}, d.segments...)
	}
	return d.home
}

// evictionHome is homeSegment, or a PT_LOAD that is made anyway for the bytes of a
// header and has code besides: what is evicted is read, and an entry of the table is
// saved where that must not grow far.
func (d *draft) evictionHome() *segment {
	if d.home == nil {
		for _, s := range d.segments {
			if q := s.request; q != nil && q.Type != elf.PT_LOAD && q.Data != nil && !s.fixed && !q.Alone && s.flags == elf.PF_R|elf.PF_X {
				d.home = s
				break
			}
		}
	}
	return d.homeSegment()
}

func (d *draft) addMarker(s *segment) {
	s.add(&part{data: elffile.Buffer(marker[:]), align: 16, placed: func(off, vaddr uint64) {
		d.addSection(markerSection, elffile.Section{
			Type: elf.SHT_PROGBITS, Flags: uint64(elf.SHF_ALLOC), Addr: vaddr, Off: off, Size: uint64(len(marker)), Addralign: 16,
		})
	}})
}

// newSegments decides which PT_LOADs the requests need.
func (d *draft) newSegments() {
	for _, q := range d.requests {
		if q.Range != nil || nameless(q.Type) || q.Unloaded {
			continue
		}
		if q.Type != elf.PT_LOAD && q.Data != nil && q.Vaddr == 0 && !q.Alone &&
			q.Flags == elf.PF_R && q.Memsz == uint64(q.Data.Size()) {
			q.seg = d.homeSegment()
		} else {
			q.seg = &segment{flags: q.Flags, align: max(d.page, q.Align, q.BaseAlign), vaddr: uint64(q.Vaddr), fixed: q.Vaddr != 0, memsz: q.Memsz, paddr: q.Paddr, request: q}
			d.segments = append(d.segments, q.seg)
			if q.Data != nil && q.Type != elf.PT_LOAD && q.Vaddr == 0 {
				d.addMarker(q.seg)
				q.seg.memsz += uint64(len(marker))
			}
		}
		if q.Data != nil {
			q.part = q.seg.add(&part{data: q.Data, align: q.Align, base: q.Base, baseAlign: q.BaseAlign, last: q.Alone})
			if q.Type == elf.PT_LOAD {
				q.part.align = 1
			}
		}
	}
}

// layOut places the parts within the segment, which begins at an address, and
// returns how many file bytes it has.
func (s *segment) layOut(start uint64) uint64 {
	slices.SortStableFunc(s.parts, func(a, b *part) int {
		switch {
		case a.last == b.last:
			return 0
		case a.last:
			return 1
		}
		return -1
	})
	n := uint64(0)
	for _, p := range s.parts {
		n = up(start+n, max(p.align, 1)) - start
		if p.baseAlign > 1 {
			n += -(start + n + p.base) & (p.baseAlign - 1)
		}
		p.off = n
		n += uint64(p.data.Size())
	}
	s.filesz = n
	s.memsz = max(s.memsz, n)
	return n
}

// place makes the PT_LOADs. Their bytes go right behind those of the last
// PT_LOAD, in front of sections that are not loaded: at the end of the file
// strip would find a gap to close, and p_offset would not survive it.
func (d *draft) place() error {
	cut := d.cut()
	end := cut
	for i, s := range d.segments {
		s.layOut(0) // at the start of a page, but for one that was asked for elsewhere
		if s.filesz > 0 && s.memsz > s.filesz {
			if from := d.apart(end, d.segments[:i]); from-end <= maxGap {
				end = from
			}
		}
		if err := d.address(s, end, d.segments[:i]); err != nil {
			return err
		}
		if s.filesz > 0 {
			end = s.off + s.filesz
		}
	}
	reserved := d.placeEmpty(end)
	if reserved > cut && cut < uint64(d.Body.Size()) {
		d.shift(cut, up(reserved-cut, d.tailAlign(cut)))
	}
	d.Body.Truncate(max(d.Body.Size(), int64(reserved)))
	for _, s := range d.segments {
		d.write(s)
	}
	for _, s := range d.segments {
		if err := d.insertLoad(s); err != nil {
			return err
		}
	}
	return nil
}

// cut is where the bytes of new PT_LOADs may begin: behind all that is loaded,
// and not within a section or a table.
func (d *draft) cut() uint64 {
	cut := d.Header.Phoff + uint64(len(d.Progs)*d.PhdrSize())
	for i := range d.Progs {
		if p := &d.Progs[i]; p.Type == elf.PT_LOAD && p.Filesz > 0 {
			cut = max(cut, p.Off+p.Filesz)
		}
	}
	if d.overlay >= 0 && d.opt.Overlay == OverlayStay {
		return max(cut, uint64(d.Body.Size()))
	}
	for again := true; again; {
		again = false
		within := func(off, n uint64) {
			if off < cut && cut < off+n {
				cut, again = off+n, true
			}
		}
		for i := range d.secs {
			if s := &d.secs[i]; s.HasBytes() {
				within(s.Off, s.Size)
			}
		}
		within(d.Header.Shoff, d.shdrTableSize())
		for i := range d.Progs {
			within(d.Progs[i].Off, d.Progs[i].Filesz)
		}
	}
	return cut
}

// tailAlign is what the bytes behind cut must be moved by a multiple of, so that
// every section there keeps its alignment.
func (d *draft) tailAlign(cut uint64) uint64 {
	align := uint64(64)
	for i := range d.secs {
		s := &d.secs[i]
		if a := s.Addralign; s.HasBytes() && s.Off >= cut && a&(a-1) == 0 && s.Off&(a-1) == 0 && a <= d.page {
			align = max(align, a)
		}
	}
	return align
}

// address chooses where a segment goes in memory, and in the file not below end;
// before are those that have their place already.
func (d *draft) address(s *segment, end uint64, before []*segment) error {
	align := max(s.align, d.page)
	taken := d.loadPages(before)
	switch {
	case s.hasBias:
		// Both the file and the memory before it must stay free.
		s.off = max(up(end, align), up(topOf(taken), align)-s.bias)
		s.vaddr = s.off + s.bias
		if s.off-end > maxFilled {
			return notHeref("the file would get a hole of 0x%x bytes", s.off-end)
		}
	case s.fixed:
		s.off = end + (s.vaddr-end)&(align-1)
	default:
		vaddr, err := d.freeMemory(taken, s.memsz, align)
		if err != nil {
			return err
		}
		s.vaddr, s.off = vaddr, up(end, align)
	}
	if limit := addressLimit(d.File); s.vaddr+s.memsz < s.vaddr || s.vaddr+s.memsz > limit {
		return refusef(d.old, "0x%x bytes at 0x%x are beyond the end of the address space (0x%x)", s.memsz, s.vaddr, limit)
	}
	return nil
}

// loadPages are the pages of all PT_LOADs, and of new ones that have a place.
func (d *draft) loadPages(before []*segment) image.Ranges {
	var pages []image.Range
	for i := range d.Progs {
		if p := &d.Progs[i]; p.Type == elf.PT_LOAD {
			pages = append(pages, d.pages(p.Vaddr, p.Memsz))
		}
	}
	for _, s := range before {
		pages = append(pages, d.pages(s.vaddr, s.memsz))
	}
	return image.Union(pages...)
}

func (d *draft) pages(vaddr, size uint64) image.Range {
	r, _ := image.Range{Start: image.Addr(vaddr), Size: size}.Pages(d.page)
	return r
}

// topOf is the end of the highest range.
func topOf(taken image.Ranges) uint64 {
	if len(taken) == 0 {
		return 0
	}
	return uint64(taken[len(taken)-1].End())
}

// freeMemory finds room for n bytes: above all PT_LOADs, or else in the highest
// gap between them.
func (d *draft) freeMemory(taken image.Ranges, n, align uint64) (uint64, error) {
	limit := addressLimit(d.File)
	top := topOf(taken)
	if v := up(top, align); v >= top && v < limit && n <= limit-v {
		return v, nil
	}
	for i := len(taken) - 1; i > 0; i-- {
		from, to := up(uint64(taken[i-1].End()), align), uint64(taken[i].Start)
		if from < to && n <= to-from {
			return from, nil
		}
	}
	return 0, refusef(d.old, "there is no room for 0x%x bytes between the PT_LOADs, nor above them below 0x%x", n, limit)
}

// addressLimit is where user addresses end; where the machine's rule depends on
// the kernel's configuration, the smallest of the usual ones.
func addressLimit(f *elffile.File) uint64 {
	limit := f.MaxAddr()
	switch f.Header.Machine {
	case elf.EM_X86_64:
		limit = 0x7ffffffff000
	case elf.EM_AARCH64:
		limit = 1 << 39
	case elf.EM_RISCV:
		limit = 1 << 38
	case elf.EM_386:
		limit = 0xc0000000
	case elf.EM_ARM:
		limit = 0xbf000000
	}
	return min(limit, f.MaxAddr())
}

// insertLoad enters a segment into the table so that PT_LOADs ascend (gABI),
// and refuses one that would take pages from another, or that would come first:
// where the first one lies is how old kernels find the table.
func (d *draft) insertLoad(s *segment) error {
	pages := d.pages(s.vaddr, s.memsz)
	below, first := -1, d.firstLoad()
	for i := range d.Progs {
		p := &d.Progs[i]
		if p.Type != elf.PT_LOAD {
			continue
		}
		if own := d.pages(p.Vaddr, p.Memsz); own.Overlaps(pages) {
			return refusef(d.old, "%v would take pages from %v of program header %d", pages, own, i)
		}
		if p.Vaddr < s.vaddr {
			below = i
		}
	}
	if below < 0 && first >= 0 {
		return refusef(d.old, "a PT_LOAD at 0x%x would come before the first one, by which kernels before 5.18 find the program header table", s.vaddr)
	}
	p := elffile.Prog{Type: elf.PT_LOAD, Flags: s.flags, Off: s.off, Vaddr: s.vaddr, Paddr: s.vaddr, Filesz: s.filesz, Memsz: s.memsz, Align: s.align}
	if below >= 0 {
		p.Paddr += d.Progs[below].Paddr - d.Progs[below].Vaddr
	}
	if s.paddr != 0 {
		p.Paddr = uint64(s.paddr)
	}
	p.Paddr &= d.MaxAddr()
	d.Progs = slices.Insert(d.Progs, below+1, p)
	return nil
}

// write puts a segment's bytes into the file.
func (d *draft) write(s *segment) {
	for _, p := range s.parts {
		p.vaddr = s.vaddr + p.off
		p.off += s.off
		d.Body.Put(int64(p.off), p.data)
		if p.placed != nil {
			p.placed(p.off, p.vaddr)
		}
	}
}

// up rounds up to a multiple of align, a power of two.
func up(n, align uint64) uint64 { return (n + align - 1) &^ (align - 1) }
