package write

import (
	"debug/elf"

	"elfwright/link/model"
)

// A piece is a run of an output section's items that one goroutine writes.
type piece struct {
	out      *model.Output
	from, to int // items
	start    uint64
	end      uint64
	fill     []byte // in force at its start
}

// Costs, in bytes copied: what makes pieces about equal. In small files pieces are
// smaller, so that no goroutine waits long for the last one.
const (
	pieceCost = 256 << 10
	relocCost = 16
	minPieces = 64
)

// pieces cuts the sections' contents into parts of work.
func (f *file) pieces() []piece {
	var all []piece
	limit := min(pieceCost, uint64(f.size)/minPieces)
	for _, out := range f.env.Outputs {
		if hasBytes(out) && out.Size != 0 && f.made[out].b == nil {
			all = append(all, cut(out, limit)...)
		}
	}
	return all
}

func hasBytes(out *model.Output) bool { return out.Type != elf.SHT_NOBITS && out.Type != elf.SHT_NULL }

func cut(out *model.Output, limit uint64) []piece {
	var all []piece
	p := piece{out: out, fill: out.Fill}
	cost := uint64(0)
	for i := range out.Items {
		it := &out.Items[i]
		cost += it.Size
		if it.Section != nil {
			cost += relocCost * uint64(len(it.Section.Relocs))
		}
		if cost < limit || i+1 == len(out.Items) {
			continue
		}
		p.to, p.end = i+1, max(p.start, min(it.Off+it.Size, out.Size))
		all = append(all, p)
		for _, done := range out.Items[p.from:p.to] {
			if isFill(&done) {
				p.fill = done.Fill
			}
		}
		p.from, p.start, cost = p.to, p.end, 0
	}
	p.to, p.end = len(out.Items), out.Size
	return append(all, p)
}

// isFill says whether an item sets the pattern for the gaps behind it.
func isFill(it *model.Item) bool { return it.Section == nil && it.Bytes == nil && it.Fill != nil }

// write puts a piece's bytes into b, the section's bytes in the output.
func (p *piece) write(e *model.Env, b []byte) {
	nop := filler(e, p.out)
	pos := p.start
	gap := func(to uint64) {
		if to = min(to, p.end); pos >= to {
			return
		}
		switch {
		case p.fill != nil:
			fillPattern(b[pos:to], p.fill)
		case nop != nil:
			nop(b[pos:to])
		}
		pos = to
	}
	for i := p.from; i < p.to; i++ {
		it := &p.out.Items[i]
		gap(it.Off)
		if isFill(it) {
			p.fill = it.Fill
			gap(it.Off + it.Size)
			continue
		}
		if it.Size == 0 || it.Off >= p.end {
			continue
		}
		to := min(it.Off+it.Size, p.end)
		if to > pos {
			writeItem(e, it, b[it.Off:to])
			pos = to
		}
	}
	gap(p.end)
}

func writeItem(e *model.Env, it *model.Item, b []byte) {
	s := it.Section
	switch {
	case s == nil:
		copy(b, it.Bytes)
	case s.Synth != nil:
		if _, late := s.Synth.(model.Late); !late {
			s.Synth.Write(e, s, b)
		}
	default:
		if s.Moves == nil {
			copy(b, s.Data)
		}
		if len(s.Relocs) != 0 || s.Moves != nil {
			e.Target.Relocate(e, s, b)
		}
	}
}

// contents writes all sections: first those that depend on addresses alone, then
// those that hold what was found meanwhile.
func (f *file) contents() {
	all := f.pieces()
	model.Each(f.workers, len(all), func(i int) {
		p := &all[i]
		p.write(f.env, f.section(p.out))
		f.out.release(p.out.FileOff+int64(p.start), int64(p.end-p.start))
	})
	for _, out := range f.env.Outputs {
		for i := range out.Items {
			it := &out.Items[i]
			if it.Section == nil || it.Section.Synth == nil || !hasBytes(out) {
				continue
			}
			if late, ok := it.Section.Synth.(model.Late); ok {
				late.Write(f.env, it.Section, f.section(out)[it.Off:it.Off+it.Size])
			}
		}
	}
}

// section is the bytes of an output section in the file.
func (f *file) section(out *model.Output) []byte {
	return f.b[out.FileOff : out.FileOff+int64(out.Size)]
}
