package flat

import (
	"cmp"
	"slices"

	"elfwright/elffile"
)

// filler is a byte, many times.
type filler struct {
	b byte
	n int64
}

func (f filler) Size() int64 { return f.n }

func (f filler) ReadAt(p []byte, off int64) (int, error) {
	n, err := elffile.Zeros(f.n).ReadAt(p, off)
	if f.b != 0 {
		for i := range p[:n] {
			p[i] = f.b
		}
	}
	return n, err
}

// dense says whether bytes between the pieces are part of the output.
func (fl *flattening) dense() bool { return fl.opt.Format == Bin || fl.opt.Fill != nil }

// tops calls yield with each piece behind a gap, and the piece that reaches up to
// that gap.
func (fl *flattening) tops(yield func(below, above *piece) bool) {
	top := &fl.pieces[0]
	for i := range fl.pieces[1:] {
		p := &fl.pieces[i+1]
		if p.at > top.last() && p.at-top.last() > 1 && !yield(top, p) {
			return
		}
		if p.last() > top.last() {
			top = p
		}
	}
}

// fill makes pieces of what lies between, as objcopy does with --gap-fill and
// --pad-to. There a gap ends at an empty section, too, and starts anew.
func (fl *flattening) fill() error {
	if err := fl.checkSpan(); err != nil {
		return err
	}
	var fills []piece
	if fl.opt.Fill != nil {
		fills = fl.gaps()
	}
	if pad := fl.opt.PadTo; pad != nil {
		if end, wraps := fl.padFrom(); !wraps && *pad > end {
			fills = append(fills, fl.filler(end, *pad))
		} else {
			fl.report.warn("pad-to", "the last section or segment is up to 0x%x, and --pad-to 0x%x adds nothing", end, *pad)
		}
	}
	for _, f := range fills {
		fl.pieces = append(fl.pieces, chunks(f, fl.opt.Format)...)
	}
	slices.SortStableFunc(fl.pieces, func(a, b piece) int { return cmp.Compare(a.at, b.at) })
	return nil
}

// top is the address behind the highest byte; wraps, if that is 2^64.
func (fl *flattening) top() (end uint64, wraps bool) {
	var last uint64
	for i := range fl.pieces {
		last = max(last, fl.pieces[i].last())
	}
	return last + 1, last+1 == 0
}

// padFrom is where padding begins, and a filled gap ends: for objcopy an empty
// section is the last one, too, if it is.
func (fl *flattening) padFrom() (end uint64, wraps bool) {
	end, wraps = fl.top()
	for i := range fl.marks {
		if fl.opt.Fill != nil || fl.opt.PadTo != nil {
			end = max(end, fl.marks[i].at)
		}
	}
	return end, wraps
}

func (fl *flattening) filler(from, to uint64) piece {
	b := byte(0)
	if fl.opt.Fill != nil {
		b = *fl.opt.Fill
	}
	return piece{kind: "fill", index: -1, at: from, data: filler{b, int64(to - from)}}
}

// gaps are the ranges between the pieces, and up to the last empty section.
func (fl *flattening) gaps() []piece {
	all := slices.Concat(fl.pieces, fl.marks)
	slices.SortStableFunc(all, func(a, b piece) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.size(), b.size())) })
	var fills []piece
	end := all[0].at
	for i := range all {
		p := &all[i]
		if p.at > end {
			fills = append(fills, fl.filler(end, p.at))
		}
		if end = max(end, p.at+p.size()); p.size() > 0 && p.last()+1 == 0 {
			break
		}
	}
	return fills
}

// fillChunk is how much objcopy writes of a gap at a time (binutils, objcopy.c,
// copy_object). In Verilog's format each has an address line of its own.
const fillChunk = 8192

func chunks(f piece, format Format) []piece {
	if format == Bin || format == UF2 {
		return []piece{f}
	}
	var list []piece
	for from := uint64(0); from < f.size(); from += fillChunk {
		part, _ := f.cut(f.at+from, f.at+min(from+fillChunk, f.size()))
		list = append(list, part)
	}
	return list
}

// checkSpan refuses gaps and spans that nobody can have meant.
func (fl *flattening) checkSpan() error {
	if !fl.dense() {
		return fl.checkPad()
	}
	first, last := &fl.pieces[0], &fl.pieces[0]
	for i := range fl.pieces {
		if p := &fl.pieces[i]; p.last() > last.last() {
			last = p
		}
	}
	if span := last.last() - first.at; span >= fl.opt.MaxSpan {
		return fl.refusef("%v and %v are too far apart: the span 0x%x is more than 0x%x; --only leaves one out, --max-span allows more", first, last, span+1, fl.opt.MaxSpan)
	}
	if err := fl.checkGaps(); err != nil {
		return err
	}
	return fl.checkPad()
}

// checkGaps refuses a large gap, and many that are filled and as large together.
func (fl *flattening) checkGaps() error {
	if fl.opt.AllowGap {
		return nil
	}
	var err error
	var sum uint64
	fl.tops(func(below, above *piece) bool {
		gap := above.at - below.last() - 1
		if fl.opt.Fill != nil {
			sum += gap
		}
		switch {
		case gap > GapLimit:
			err = fl.refusef("the gap between %v and %v is 0x%x, more than 0x%x; --allow-gap takes it, --only leaves one of them out", below, above, gap, uint64(GapLimit))
		case sum > GapLimit:
			err = fl.refusef("the gaps up to %v are 0x%x bytes to fill, more than 0x%x; --allow-gap takes them", above, sum, uint64(GapLimit))
		}
		return err == nil
	})
	return err
}

// checkPad does the same for what padding adds at the end and in front.
func (fl *flattening) checkPad() error {
	low := fl.pieces[0].at
	if base := fl.opt.Base; base != nil {
		switch {
		case *base > low:
			return fl.refusef("%v is below the base 0x%x", &fl.pieces[0], *base)
		case low-*base > GapLimit && !fl.opt.AllowGap:
			return fl.refusef("the gap between the base 0x%x and %v is 0x%x, more than 0x%x; --allow-gap takes it", *base, &fl.pieces[0], low-*base, uint64(GapLimit))
		}
		low = *base
	}
	end, wraps := fl.top()
	if from, _ := fl.padFrom(); fl.opt.Fill != nil && !wraps && from > end {
		if from-end > GapLimit && !fl.opt.AllowGap {
			return fl.refusef("an empty section is at 0x%x, 0x%x bytes above the last byte, and the gap would be filled; --allow-gap takes it", from, from-end)
		}
		end = from
	}
	if pad := fl.opt.PadTo; pad != nil && !wraps && *pad > end {
		if *pad-end > GapLimit && !fl.opt.AllowGap {
			return fl.refusef("the gap between the last byte at 0x%x and --pad-to 0x%x is 0x%x, more than 0x%x; --allow-gap takes it", end-1, *pad, *pad-end, uint64(GapLimit))
		}
		if *pad-end > fl.opt.MaxSpan {
			return fl.refusef("--pad-to 0x%x adds 0x%x bytes, more than 0x%x; --max-span allows more", *pad, *pad-end, fl.opt.MaxSpan)
		}
		end = *pad
	}
	if n := end - low; fl.dense() && (n > fl.opt.MaxSpan || wraps && -low > fl.opt.MaxSpan) {
		return fl.refusef("[0x%x, 0x%x) is more than 0x%x; --max-span allows more", low, end, fl.opt.MaxSpan)
	}
	return nil
}

// lay puts the pieces into a body, and finds overlaps. Bytes that two pieces
// agree on are taken, as they are by objcopy. Where gaps are part of the output the
// body begins at the base; else it has no gaps.
func (fl *flattening) lay() error {
	fl.base = fl.pieces[0].at
	if fl.opt.Base != nil {
		fl.base = *fl.opt.Base
	}
	if fl.opt.Fill != nil && fl.base < fl.pieces[0].at {
		fl.pieces = slices.Insert(fl.pieces, 0, fl.filler(fl.base, fl.pieces[0].at))
	}
	fl.end, _ = fl.top()
	fl.report.Base, fl.report.End = Hex(fl.base), Hex(fl.end)
	fl.memory = &elffile.Body{}
	start := fl.base // the address of the body's first byte, less the gaps before
	for i := range fl.pieces {
		p := &fl.pieces[i]
		have := uint64(fl.memory.Size())
		off := p.at - start
		if off > have && !fl.dense() {
			start, off = p.at-have, have
		}
		if off < have {
			if err := fl.agree(i, off, min(have-off, p.size())); err != nil {
				return err
			}
		}
		data := p.data
		if f, ok := data.(filler); ok && f.b == 0 {
			data = elffile.Zeros(f.n) // a hole
		}
		fl.memory.Put(int64(off), data)
	}
	fl.noteGaps()
	return nil
}

// agree compares the first n bytes of a piece with what lies there already.
func (fl *flattening) agree(i int, off, n uint64) error {
	p := &fl.pieces[i]
	at := int64(-1)
	err := elffile.Diff(fl.memory.Window(int64(off), int64(n)), elffile.Slice(p.data, 0, int64(n)), func(from, _ int64) bool {
		at = from
		return false
	})
	if err != nil {
		return err
	}
	if at < 0 {
		fl.report.warn("overlap", "%v overlaps what is below it, with the same bytes", p)
		return nil
	}
	clash := p.at + uint64(at)
	for k := range fl.pieces[:i] {
		if o := &fl.pieces[k]; o.at <= clash && clash <= o.last() {
			return fl.refusef("%v and %v overlap, and their bytes at 0x%x differ; --only leaves one of them out", o, p, clash)
		}
	}
	return fl.refusef("%v overlaps what is below it, and the bytes at 0x%x differ", p, clash)
}
