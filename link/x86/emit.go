package x86

import (
	"elfwright/link/model"
)

// Emit gives the relocation that stands in the output for --emit-relocs: that of
// an instruction which does without the GOT is one of the address or distance in
// it. The Linux kernel moves itself by these. TLS sequences keep theirs, as in GNU
// ld.
func (t *target) Emit(e *model.Env, s *model.Section, i int) (model.Reloc, bool) {
	r := s.Relocs[i]
	if t.kind(r.Type) != kLoad {
		return r, true
	}
	sym := s.Symbol(&r)
	if sym == nil || sym.Gone() {
		return r, true
	}
	f := t.loadForm(e, s, &r, sym)
	if f == keep {
		return r, true
	}
	typ, addend := uint32(r64PC32), int64(-4)
	if !t.wide {
		typ = r32PC32
	}
	S, _ := e.Value(s, &r)
	j := job{t: t, e: e, s: s, b: s.Data, pos: int(r.Off), movable: sym.Movable() && !sym.Absolute()}
	switch {
	case f == formJmp:
		r.Off--
	case f == formCall:
	case !t.immediate(&j, S, r.Type): // lea
		if !t.wide {
			typ, addend = r32GOTOff, 0
		}
	case !t.wide:
		typ, addend = r32Word, 0
	case r.Type == r64RexGOTX && s.Data[r.Off-3]&8 != 0:
		typ, addend = r64Abs32S, 0
	default:
		typ, addend = r64Abs32, 0
	}
	r.Type, r.Addend = typ, addend
	return r, true
}
