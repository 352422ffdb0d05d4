package arm

import (
	"debug/elf"

	"elfwright/link/model"
)

// A branch and the code that it leads to are in one of two instruction sets.
// Only the type of a symbol tells what it leads to: a function has bit 0 set in
// Thumb code. What is no function (a label, a number) is taken to be in the
// state that the instruction leaves the processor in.

// branch is a branch and where it leads.
type branch struct {
	typ       uint32
	insn      uint32 // as the input has it; Thumb: first halfword << 16 | second
	from      uint64 // its address
	to        uint64 // where it leads, without bit 0
	fromThumb bool
	toThumb   bool
	sym       *model.Symbol
	add       int64 // from the symbol
}

// bias is what the addend of a branch to the very symbol is: the pc is ahead.
func bias(typ uint32) int64 {
	if isThumb(typ) {
		return -4
	}
	return -8
}

func isThumb(typ uint32) bool {
	switch typ {
	case rThmCall, rThmJump24, rThmJump19, rThmJump11, rThmJump8, rThmTLSCall, 136, 137, 138:
		return true
	}
	return false
}

// branchAt looks at a relocation of a branch. It is false for one that leads to
// nothing.
func (t *target) branchAt(e *model.Env, s *model.Section, r *model.Reloc, P uint64) (b branch, ok bool) {
	b = branch{typ: r.Type, from: P, fromThumb: isThumb(r.Type), sym: s.Symbol(r), add: r.Addend - bias(r.Type)}
	if b.sym == nil || b.sym.Gone() || r.Off+4 > uint64(len(s.Data)) {
		return b, false
	}
	d := s.Data[r.Off:]
	if b.fromThumb {
		b.insn = uint32(e.Order.Uint16(d))<<16 | uint32(e.Order.Uint16(d[2:]))
	} else {
		b.insn = e.Order.Uint32(d)
	}
	b.to, b.toThumb, ok = t.leads(e, &b)
	return b, ok
}

// leads says where a branch leads, and to which instruction set.
func (t *target) leads(e *model.Env, b *branch) (to uint64, thumb, ok bool) {
	if at, ok := linkage(e, b.sym); ok {
		return at, t.arch.thumbOnly(), true
	}
	if nowhere(b.sym) {
		return 0, false, false
	}
	to = e.Meant(b.sym, b.add)
	switch {
	case b.sym.Thumb:
		return to, true, true
	case b.sym.Type == elf.STT_FUNC || b.sym.Type == elf.STT_GNU_IFUNC:
		return to, false, true
	}
	return to, b.fromThumb != b.exchanges(), true
}

// exchanges says whether the instruction is BLX.
func (b *branch) exchanges() bool {
	if b.fromThumb {
		return (b.typ == rThmCall || b.typ == rThmTLSCall) && b.insn&(1<<12) == 0
	}
	return b.insn>>25 == 0x7d
}

// nowhere says whether it is a weak symbol that nothing defines, and that no other
// object may define.
func nowhere(sym *model.Symbol) bool {
	return sym.State != model.Defined && sym.Weak() && !sym.Preempt
}

// linkage is the address of a symbol's PLT entry, if it is reached by one.
func linkage(e *model.Env, sym *model.Symbol) (uint64, bool) {
	if sym == nil || !sym.Preempt && !sym.IFunc() {
		return 0, false
	}
	return e.Linkage(sym)
}

// call says whether it may become BL or BLX, as its target needs.
func (b *branch) call() bool {
	return b.typ == rThmCall || b.typ == rCall && b.insn>>28 >= 0xe
}

// alone says whether a branch does without a veneer.
func (t *target) alone(b *branch) bool {
	if b.typ == rThmJump11 || b.typ == rThmJump8 || b.typ >= 136 {
		return true // in reach, or an error
	}
	if b.fromThumb != b.toThumb && !(b.call() && t.arch.blx()) {
		return false
	}
	return t.reaches(b, b.to, b.toThumb)
}

// plain says, without a look at the instruction, whether a branch leads to a
// function of its own instruction set that it reaches: nearly all do. See room.
func (t *target) plain(s *model.Section, r *model.Reloc, P uint64) (room uint64, ok bool) {
	sym := s.Symbol(r)
	if sym == nil || sym.Sec == nil || sym.Type != elf.STT_FUNC || sym.Preempt || sym.Thumb != isThumb(r.Type) || sym.Gone() {
		return 0, false
	}
	b := branch{typ: r.Type, from: P, fromThumb: sym.Thumb, toThumb: sym.Thumb, sym: sym}
	b.to = sym.Sec.Addr(sym.Value) + uint64(r.Addend-bias(r.Type))
	if !t.reaches(&b, b.to, b.toThumb) {
		return 0, false
	}
	return t.room(&b), true
}

// room is how many bytes a branch and what it reaches may move apart before it no
// longer does; 0: that is not known, for the target is not among the code.
func (t *target) room(b *branch) uint64 {
	to := b.sym.Sec
	if to == nil || !isCode(to) || to.Obj.Linker || to.Size == 0 || to.Map != nil || b.sym.Script || b.sym.Preempt || b.sym.IFunc() {
		return 0
	}
	const word = 3 // by which BLX may be off
	return uint64(max(t.left(b, b.to, b.toThumb)-word, 0))
}

// reaches says whether an address, in code of an instruction set, is in the range
// of the branch.
func (t *target) reaches(b *branch, to uint64, thumb bool) bool { return t.left(b, to, thumb) >= 0 }

// left is how far an address is from the end of the range of the branch, negative
// if it is beyond.
func (t *target) left(b *branch, to uint64, thumb bool) int64 {
	bits := 26 // of the distance in bytes, with its sign
	switch b.typ {
	case rThmCall, rThmJump24, rThmTLSCall:
		bits = 25
		if !t.arch.farThumb() {
			bits = 23
		}
	case rThmJump19:
		bits = 21
	}
	from := uint32(b.from) - uint32(bias(b.typ))
	if b.fromThumb && !thumb {
		from &^= 3 // BLX counts from the word
	}
	x, limit := int64(int32(uint32(to)-from)), int64(1)<<(bits-1)
	return min(x+limit, limit-1-x)
}
