package riscv

import (
	"debug/elf"
	"fmt"

	"elfwright/link/model"
)

// What became of a relocation whose instruction was shortened.
const (
	changed   = 1 << 16 // beyond the types of any file
	callJAL   = changed + iota
	callCJ    // c.j, c.jal
	callZero  // jalr rd, lo(zero)
	goneLUI   // of HI20: there is no instruction any more
	goneAUIPC // of PCREL_HI20
	goneTP    // of TPREL_HI20 and TPREL_ADD
	shortLUI  // c.lui
	loI       // LO12_I: an offset from zero or gp
	loS       //
	pcLoI     // PCREL_LO12_I: the same, of the high part's symbol
	pcLoS     //
	tpLoI     // TPREL_LO12_I: an offset from tp
	tpLoS     //
)

// public gives the type that the file had, for messages and for the row: that of
// what took the instruction's place, where it is another.
func public(typ uint32) uint32 {
	switch typ {
	case callJAL:
		return rJAL
	case callCJ:
		return rRVCJump
	case callZero:
		return rLo12I
	case goneLUI, shortLUI:
		return rHi20
	case goneAUIPC:
		return rPCRelHi20
	case goneTP:
		return rTPRelHi20
	case loI:
		return rLo12I
	case loS:
		return rLo12S
	case pcLoI:
		return rPCRelLo12I
	case pcLoS:
		return rPCRelLo12S
	case tpLoI:
		return rTPRelLo12I
	case tpLoS:
		return rTPRelLo12S
	}
	return typ
}

// removed is what a changed relocation takes out: n bytes at off.
func removed(r *model.Reloc) (off, n uint64) {
	switch r.Type {
	case callJAL, callZero:
		return r.Off + 4, 4
	case callCJ:
		return r.Off + 2, 6
	case goneLUI, goneAUIPC, goneTP:
		return r.Off, 4
	case shortLUI:
		return r.Off + 2, 2
	}
	return 0, 0
}

// relaxing is the state of Relax between its calls.
type relaxing struct {
	started  bool
	sections []*model.Section // that have something to shorten or to align
	has      map[*model.Section]bool
	settled  bool // all is shortened; what is left is alignment
	gpOut    *model.Output
	most     uint64 // the largest alignment of an output section
	rounds   int    // of alignment
}

// rounds of shortening and of alignment, after which it has to be done. Each
// round of shortening finds less than the one before; alignment is done in one,
// unless a section is less aligned than its code.
const (
	maxShorten = 20
	maxAlign   = 6
)

// Relax shortens what can be, or settles alignment.
func (t *target) Relax(e *model.Env, pass int) bool {
	x := &t.relax
	if !x.started {
		x.started = true
		x.sections, x.has = t.movable(e), map[*model.Section]bool{}
		for _, s := range x.sections {
			x.has[s] = true
		}
		x.settled = e.Opt.NoRelax
	}
	t.globalPointer(e)
	if !x.settled {
		if pass < maxShorten && t.shortenAll(e) {
			return true
		}
		x.settled = true
	}
	if x.rounds == maxAlign {
		return false // a place that is not aligned now is reported by Relocate
	}
	x.rounds++
	return t.alignAll(e)
}

// movable lists the sections with relocations that concern Relax.
func (t *target) movable(e *model.Env) (list []*model.Section) {
	for _, o := range e.Objects {
		for _, s := range o.Sections {
			if s == nil || !s.Live || s.Out == nil || s.Flags&elf.SHF_ALLOC == 0 || s.Data == nil || s.Map != nil {
				continue
			}
			for i := range s.Relocs {
				if typ := s.Relocs[i].Type; typ == rRelax || typ == rAlign {
					list = append(list, s)
					break
				}
			}
		}
	}
	return list
}

// globalPointer finds what gp holds.
func (t *target) globalPointer(e *model.Env) {
	x := &t.relax
	x.most = 1
	for _, out := range e.Outputs {
		x.most = max(x.most, out.Align)
	}
	if e.Table == nil {
		return
	}
	if sym := e.Table.Get("__global_pointer$"); sym != nil && sym.State == model.Defined {
		e.GP, x.gpOut = t.reduce(sym.Addr()), where(sym)
	}
}

// where is the output section that a symbol is in, nil for an absolute one.
func where(sym *model.Symbol) *model.Output {
	if sym.Sec != nil {
		return sym.Sec.Out
	}
	return sym.Out
}

// shortenAll goes over all sections in the order of the output. As in GNU ld, what
// comes before the section at hand has moved already, and that section itself and
// what follows have not: a call that is just too long by this reckoning stays so,
// though the next round would find it shorter, since it is changed only once. So
// the results are equal. All addresses are assigned anew afterwards.
func (t *target) shortenAll(e *model.Env) (any bool) {
	end, was := uint64(0), uint64(0) // of the output section before, now and then
	for _, out := range e.Outputs {
		if out.Flags&elf.SHF_ALLOC == 0 {
			continue
		}
		size := out.Size
		if gap := out.Addr - was; was != 0 && end != was && gap < max(out.Align, 1) {
			was, out.Addr = out.Addr, up(end, out.Align)
		} else {
			was = out.Addr
		}
		was += size
		if t.shortenOutput(e, out) {
			any = true
		}
		end = out.Addr + out.Size
	}
	return any
}

// shortenOutput is shortenAll for a section of the output.
func (t *target) shortenOutput(e *model.Env, out *model.Output) (any bool) {
	end, was := uint64(0), uint64(0) // of the item before, now and then
	for i := range out.Items {
		it := &out.Items[i]
		gap, align, moves := it.Off-was, uint64(1), end != was
		was = it.Off + it.Size
		if s := it.Section; s != nil {
			align = max(s.Align, 1)
			if t.relax.has[s] && t.shorten(e, s) {
				any = true
				takeOut(s)
				it.Size = s.Size
			}
		}
		switch {
		case !moves: // where the script has it
		case gap < align:
			it.Off = up(end, align)
		default:
			it.Off = end + gap
		}
		end = it.Off + it.Size
		if it.Section != nil {
			it.Section.Off = it.Off
		}
	}
	if len(out.Items) != 0 {
		out.Size -= min(out.Size, was-end)
	}
	return any
}

func up(x, align uint64) uint64 { return (x + align - 1) &^ (max(align, 1) - 1) }

// takeOut sets Moves and Size from what the relocations say.
func takeOut(s *model.Section) {
	moves, total := s.Moves[:0], uint64(0)
	for i := range s.Relocs {
		if off, n := removed(&s.Relocs[i]); n != 0 {
			total += n
			moves = append(moves, model.Move{Off: off + n, Total: total})
		}
	}
	s.Moves, s.Size = moves, uint64(len(s.Data))-total
}

// alignAll leaves of every alignment the nops that it needs.
func (t *target) alignAll(e *model.Env) bool {
	any := false
	for _, s := range t.relax.sections {
		if t.align(e, s) {
			any = true
		}
	}
	return any
}

// alignment is what an ALIGN asks for: the next power of two above its bytes.
func alignment(r *model.Reloc) uint64 {
	a := uint64(1)
	for a <= uint64(r.Addend) {
		a *= 2
	}
	return a
}

// align sets Moves and Size anew.
func (t *target) align(e *model.Env, s *model.Section) bool {
	var moves []model.Move
	total, base := uint64(0), s.Out.Addr+s.Off
	for i := range s.Relocs {
		r := &s.Relocs[i]
		off, n := removed(r)
		if r.Type == rAlign {
			a := alignment(r)
			need := -(base + r.Off - total) & (a - 1)
			if need > uint64(r.Addend) {
				if t.relax.rounds == 1 {
					t.fault(e, s, r, nil, fmt.Errorf("alignment to %d bytes needs %d bytes of nop, there are %d", a, need, r.Addend))
				}
				need = uint64(r.Addend)
			}
			off, n = r.Off+need, uint64(r.Addend)-need
		}
		if n != 0 {
			total += n
			moves = append(moves, model.Move{Off: off + n, Total: total})
		}
	}
	same := len(moves) == len(s.Moves)
	for i := 0; same && i < len(moves); i++ {
		same = moves[i] == s.Moves[i]
	}
	s.Moves, s.Size = moves, uint64(len(s.Data))-total
	return !same
}
