package model

import "debug/elf"

// Value is what a relocation of a section stands for: S, the address of its
// symbol, and A, its addend. A section symbol with an addend means the byte at
// that place of the input, wherever it went; any other symbol is found first and
// the addend counted from there: so GNU ld does it for merged sections. S is
// chosen so that S + A is the address meant.
func (e *Env) Value(s *Section, r *Reloc) (S uint64, A int64) {
	sym := s.Symbol(r)
	if sym == nil {
		return 0, r.Addend
	}
	if t := sym.Sec; t != nil && sym.Type == elf.STT_SECTION && (t.Map != nil || t.Moves != nil) {
		return t.Addr(sym.Value+uint64(r.Addend)) - uint64(r.Addend), r.Addend
	}
	S = sym.Addr()
	if sym.Thumb {
		S |= 1
	}
	return S, r.Addend
}

// Meant is the address that a symbol with an addend stands for in a relocation;
// see Value.
func (e *Env) Meant(sym *Symbol, add int64) uint64 {
	if t := sym.Sec; t != nil && sym.Type == elf.STT_SECTION && (t.Map != nil || t.Moves != nil) {
		return t.Addr(sym.Value + uint64(add))
	}
	return sym.Addr() + uint64(add)
}
