package layout

import (
	"elfwright/ldscript"
	"elfwright/link/model"
)

// dataSegment is DATA_SEGMENT_ALIGN, DATA_SEGMENT_RELRO_END, DATA_SEGMENT_END.
//
// Without RELRO the first walk takes the address behind the text on the next
// page, at the same offset in it: no padding in the file. If it turns out then
// that the segment starts and ends so that a page of memory is saved by padding,
// the second formula of the manual is used in a second walk. With RELRO the
// segment starts on a page, and if there is a DATA_SEGMENT_RELRO_END, so far up
// that the sections to be protected end on one.
type dataSegment struct {
	mode               segMode
	aligned, end       bool // seen in this walk
	base, endAt        uint64
	page, maxPage      uint64
	system             uint64 // the largest page of the system, for lld
	relroEnd, relroOff uint64
	relro              bool // RELRO is wanted
	// inRelro: what is placed now lies between ALIGN and RELRO_END; hasRelro:
	// something was.
	inRelro, hasRelro bool
	matched           bool   // a pattern of theirs matches something
	relroBase         uint64 // the start of the protected range, once settled
}

type segMode uint8

const (
	plainMode  segMode = iota
	adjustMode         // the second formula
	relroMode          // the start is given
)

// value answers one of the three functions.
func (d *dataSegment) value(rules ldscript.Rules, fn string, dot uint64, args []uint64) (uint64, error) {
	switch fn {
	case "DATA_SEGMENT_ALIGN":
		maxPage, common := max(args[0], 1), max(args[1], 1)
		up := alignUp(dot, maxPage)
		if rules.PlainDataSegment {
			return up, nil
		}
		d.inRelro = true
		switch d.mode {
		case relroMode:
			return d.base, nil
		case adjustMode:
			if common < maxPage {
				up += (dot + common - 1) & (maxPage - common)
			}
			return up, nil
		}
		if !d.relro {
			up += dot & (maxPage - 1)
		}
		if !d.aligned {
			d.aligned, d.base, d.page, d.maxPage, d.relroEnd = true, up, common, maxPage, 0
		}
		return up, nil
	case "DATA_SEGMENT_RELRO_END":
		off, at := args[0], args[1]
		d.inRelro = false
		if rules.PlainDataSegment {
			return alignUp(at, max(d.system, 1)), nil
		}
		d.relroOff = off
		switch d.mode {
		case plainMode:
			if d.aligned && !d.end {
				d.relroEnd = at + off
			}
		case relroMode:
			d.relroEnd = alignUp(at+off, d.maxPage)
			return d.relroEnd - off, nil
		}
		return at, nil
	}
	if !d.end {
		d.end, d.endAt = true, args[0]
	}
	return args[0], nil
}

// begin starts a walk of a mode.
func (d *dataSegment) begin(mode segMode) {
	d.mode = mode
	d.inRelro = false
	if mode == plainMode {
		d.aligned, d.end, d.hasRelro, d.relroEnd, d.relroBase = false, false, d.matched, 0, 0
	}
}

// place notes that an input section is placed, to know whether there is anything
// to protect.
func (d *dataSegment) place(o *section, sec *model.Section) {
	if d.inRelro && sec.Size != 0 && o.traits.counts() {
		d.hasRelro = true
	}
}

// sized does the walks that the data segment asks for after the first.
func (s *Script) sized() {
	d := &s.seg
	d.begin(plainMode)
	d.system = s.maxPage
	s.walk()
	if !d.aligned || !d.end {
		return
	}
	switch {
	case d.relro && d.relroEnd != 0:
		first, want := d.base, alignUp(d.relroEnd, d.maxPage)
		d.base = s.relroStart(want)
		d.begin(relroMode)
		s.walk()
		if d.relroEnd > want { // padding grew elsewhere
			d.base = first
			s.walk()
		}
		d.relroBase = d.base
	case d.savesPage():
		d.begin(adjustMode)
		s.walk()
	}
}

// savesPage says whether what the first and last page of the segment hold fits
// into one.
func (d *dataSegment) savesPage() bool {
	first, last := -d.base&(d.page-1), d.endAt&(d.page-1)
	return first != 0 && last != 0 && d.base&^(d.page-1) != d.endAt&^(d.page-1) && first+last <= d.page
}

// relroStart finds how far up the segment has to start so that the sections
// before the end of RELRO end at want, each at its alignment.
func (s *Script) relroStart(want uint64) uint64 {
	d := &s.seg
	at := want - d.relroOff
	for i := len(s.order) - 1; i >= 0; i-- {
		o := s.order[i]
		if o.removed || o.traits&alloc == 0 || o.out.Addr < d.base || o.out.Addr >= d.relroEnd-d.relroOff {
			continue
		}
		end := o.out.Addr
		if !o.traits.tbss() {
			end += o.out.Size
		}
		at = (o.out.Addr + at - end) &^ (max(o.align1(), 1) - 1)
	}
	return max(at, d.base)
}

// align1 is the alignment of the section itself, whatever its address is.
func (o *section) align1() uint64 { return max(o.baseAl, o.walkAl) }

func (s *Script) wantsRelro() bool {
	if s.opt.Relro != nil {
		return *s.opt.Relro
	}
	return s.machine.relro
}

func alignUp(n, a uint64) uint64 {
	if a <= 1 {
		return n
	}
	if a&(a-1) == 0 {
		return (n + a - 1) &^ (a - 1)
	}
	if r := n % a; r != 0 {
		n += a - r
	}
	return n
}
