package riscv

import (
	"debug/elf"
	"encoding/binary"
	"slices"

	"elfwright/link/model"
)

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
		if !ok {
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
