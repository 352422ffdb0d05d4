package riscv

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"slices"

	"elfwright/link/model"
)

// What became of a relocation whose instruction was shortened.
const (
	changed     = 1 << 16 // beyond the types of any file
	callJAL     = changed + iota
	callCJ      // c.j, c.jal
	callZero    // jalr rd, lo(zero)
	goneLUI     // of HI20: there is no instruction any more
	goneAUIPC   // of PCREL_HI20
	goneTP      // of TPREL_HI20 and TPREL_ADD
	shortLUI    // c.lui
	loI         // LO12_I: an offset from zero or gp
	loS         //
	pcLoI       // PCREL_LO12_I: the same, of the high part's symbol
	pcLoS       //
	tpLoI       // TPREL_LO12_I: an offset from tp
	tpLoS       //
	goneAlign   // an ALIGN that was settled stays one; its bytes are in Moves
	endOfChange //
)

// public gives the type that other programs know for one that was changed: what
// --emit-relocs writes.
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
		off, gap, align := it.Off, it.Off-was, uint64(1)
		was = it.Off + it.Size
		if s := it.Section; s != nil {
			align = max(s.Align, 1)
			if t.relax.has[s] && t.shorten(e, s) {
				any = true
				takeOut(s)
				it.Size = s.Size
			}
		}
		if gap < align {
			off = up(end, align)
		} else {
			off = end + gap
		}
		it.Off, end = off, off+it.Size
		if it.Section != nil {
			it.Section.Off = off
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

// shorten decides for a section and says whether any byte goes.
func (t *target) shorten(e *model.Env, s *model.Section) (any bool) {
	stay := held(s)
	for i := 0; i+1 < len(s.Relocs); i++ {
		r := &s.Relocs[i]
		if next := &s.Relocs[i+1]; next.Type != rRelax || next.Off != r.Off {
			continue
		}
		typ := r.Type
		switch typ {
		case rCall, rCallPLT:
			typ = t.shortCall(e, s, r)
		case rHi20, rLo12I, rLo12S:
			typ = t.shortLUI(e, s, r)
		case rPCRelHi20, rPCRelLo12I, rPCRelLo12S:
			if _, ok := slices.BinarySearch(stay, r.Off); !ok && !e.PIC() {
				typ = t.shortAUIPC(e, s, r)
			}
		case rTPRelHi20, rTPRelAdd, rTPRelLo12I, rTPRelLo12S:
			typ = t.shortTP(e, s, r)
		}
		if typ == r.Type {
			continue
		}
		r.Type = typ
		if _, n := removed(r); n != 0 {
			any = true
		}
	}
	return any
}

// goal is where a relocation leads.
type goal struct {
	addr  uint64
	out   *model.Output // nil for a number
	sym   *model.Symbol
	room  uint64 // bytes of the symbol behind addr: they must be in reach, too
	weak  bool   // nothing defines it
	moves bool   // it is in code or merged data, which may still move
}

// goalOf finds it; ok is false for what is not settled here.
func (t *target) goalOf(e *model.Env, s *model.Section, r *model.Reloc) (g goal, ok bool) {
	sym := s.Symbol(r)
	if sym == nil {
		return g, false
	}
	g.sym = sym
	if sym.State != model.Defined {
		g.weak = sym.Weak() && !sym.Preempt
		return g, g.weak
	}
	if sym.Gone() || sym.Sec == nil && sym.Obj != nil && sym.Obj.Linker {
		return g, false // __ehdr_start: it is known when there are segments
	}
	if sym.Preempt || sym.IFunc() {
		at, ok := e.Linkage(sym)
		if !ok || e.SecPLT == nil && e.SecIPLT == nil {
			return g, false
		}
		sec := e.SecPLT
		if sym.Aux.IPLT {
			sec = e.SecIPLT
		}
		g.addr, g.out, g.moves = at, sec.Out, true
		return g, g.out != nil
	}
	S, A := e.Value(s, r)
	g.addr, g.out = t.reduce(S+uint64(A)), where(sym)
	if rest := sym.Size - uint64(A); (sym.Local || sym.Type != elf.STT_FUNC) && rest <= sym.Size {
		g.room = rest
	}
	switch {
	case sym.Sec != nil:
		g.moves = sym.Sec.Flags&(elf.SHF_EXECINSTR|elf.SHF_MERGE) != 0
	case sym.Out != nil:
		g.moves = sym.Out.Flags&elf.SHF_EXECINSTR != 0
	}
	return g, true
}

// fits says whether a number is a signed one of so many bits.
func fits(x int64, bits uint) bool { return x>>(bits-1) == 0 || x>>(bits-1) == -1 }

// shortCall makes auipc and jalr into jal, c.j or c.jal, or, for an address near
// zero, into jalr alone.
func (t *target) shortCall(e *model.Env, s *model.Section, r *model.Reloc) uint32 {
	g, ok := t.goalOf(e, s, r)
	if !ok || g.weak || r.Off+8 > uint64(len(s.Data)) {
		return r.Type
	}
	dist := int64(g.addr - t.reduce(s.Addr(r.Off)))
	if !fits(dist, 21) || dist&1 != 0 {
		if !e.PIC() && g.addr+0x800 < 0x1000 {
			return callZero
		}
		return r.Type
	}
	slack := int64(t.relax.most)
	if g.out != nil && g.out == s.Out {
		slack = int64(max(g.out.Align, 1))
	}
	if dist < 0 {
		slack = -slack
	}
	dist += slack
	rd := binary.LittleEndian.Uint32(s.Data[r.Off+4:]) >> 7 & 31
	switch {
	case s.Obj.Flags&efRVC != 0 && fits(dist, 12) && (rd == 0 || rd == 1 && !t.wide):
		return callCJ
	case fits(dist, 21):
		return callJAL
	case !e.PIC() && g.addr+0x800 < 0x1000:
		return callZero
	}
	return r.Type
}

// efRVC is EF_RISCV_RVC: the object may have compressed instructions.
const efRVC = 1

// reach says whether an offset of twelve bits from zero or gp leads there,
// whatever alignment may still do.
func (t *target) reach(e *model.Env, g *goal) bool {
	if g.weak || fits(int64(g.addr), 12) {
		return true
	}
	if e.GP == 0 {
		return false
	}
	slack := t.relax.most
	if g.out != nil && g.out == t.relax.gpOut {
		slack = max(g.out.Align, 1)
	}
	slack += g.room
	if g.addr >= e.GP {
		return fits(int64(g.addr-e.GP+slack), 12)
	}
	return fits(int64(g.addr-e.GP-slack), 12)
}

// shortLUI is for the parts of an address.
func (t *target) shortLUI(e *model.Env, s *model.Section, r *model.Reloc) uint32 {
	g, ok := t.goalOf(e, s, r)
	if !ok {
		return r.Type
	}
	if t.reach(e, &g) {
		switch r.Type {
		case rLo12I:
			return loI
		case rLo12S:
			return loS
		}
		return goneLUI
	}
	if r.Type != rHi20 || s.Obj.Flags&efRVC == 0 || r.Off+4 > uint64(len(s.Data)) {
		return r.Type
	}
	// Alignment may move it by a page, and RELRO by another.
	page := t.m.MaxPageSize
	if n := e.Opt.MaxPageSize; n != 0 {
		page = n
	}
	if e.Opt.Relro == nil || *e.Opt.Relro {
		page *= 2
	}
	high := int64((g.addr + 0x800) &^ 0xfff)
	rd := binary.LittleEndian.Uint32(s.Data[r.Off:]) >> 7 & 31
	if high == 0 || !fits(high, 18) || !fits(high+int64(page), 18) || rd == 0 || rd == 2 {
		return r.Type
	}
	return shortLUI
}

// shortAUIPC is for the parts of a distance. The high part goes if its target is
// in reach, and the low parts follow it.
func (t *target) shortAUIPC(e *model.Env, s *model.Section, r *model.Reloc) uint32 {
	if r.Type != rPCRelHi20 {
		if h, err := t.high(s, r); err == nil && h.Type == goneAUIPC {
			if r.Type == rPCRelLo12I {
				return pcLoI
			}
			return pcLoS
		}
		return r.Type
	}
	g, ok := t.goalOf(e, s, r)
	if !ok || g.moves || !t.reach(e, &g) {
		return r.Type
	}
	return goneAUIPC
}

// held lists the places of high parts that have to stay: a low part stands before
// its high part, in code that jumps about, or is not marked.
func held(s *model.Section) (places []uint64) {
	for i := range s.Relocs {
		r := &s.Relocs[i]
		if r.Type != rPCRelLo12I && r.Type != rPCRelLo12S {
			continue
		}
		label := s.Symbol(r)
		if label == nil || label.Sec != s {
			continue
		}
		marked := i+1 < len(s.Relocs) && s.Relocs[i+1].Type == rRelax && s.Relocs[i+1].Off == r.Off
		if r.Off < label.Value || !marked {
			places = append(places, label.Value)
		}
	}
	slices.Sort(places)
	return places
}

// shortTP drops the high part of an offset from the thread pointer that is 0, and
// its addition.
func (t *target) shortTP(e *model.Env, s *model.Section, r *model.Reloc) uint32 {
	S, A := e.Value(s, r)
	if !fits(e.TPOff(t.reduce(S+uint64(A))), 12) {
		return r.Type
	}
	switch r.Type {
	case rTPRelLo12I:
		return tpLoI
	case rTPRelLo12S:
		return tpLoS
	}
	return goneTP
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
