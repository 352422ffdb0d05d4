package riscv

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"

	"elfwright/link/model"
	"elfwright/machine"
)

// job is the relocating of one section.
type job struct {
	t    *target
	e    *model.Env
	s    *model.Section
	b    []byte
	base uint64 // address of b
	next int    // its next slot in Env.Dynamic
	pos  int    // of the place in b
}

// Relocate applies a section's relocations.
func (t *target) Relocate(e *model.Env, s *model.Section, b []byte) {
	j := job{t: t, e: e, s: s, b: b, next: int(s.DynFirst)}
	if s.Out != nil {
		j.base = s.Out.Addr + s.Off
	}
	if s.Moves != nil {
		j.copy()
	}
	tomb, alloc := uint64(0), s.Flags&elf.SHF_ALLOC != 0
	if !alloc {
		tomb = e.Tombstone(s)
	}
	for i := range s.Relocs {
		r := &s.Relocs[i]
		sym := s.Symbol(r)
		P, ok := j.locate(r.Off)
		if !ok {
			continue
		}
		var err error
		if sym != nil && sym.Gone() {
			if !alloc {
				err = j.bury(i, tomb)
			}
		} else if err = j.relocate(i, sym, P); err == nil {
			continue
		}
		if err != nil {
			S, _ := e.Value(s, r)
			t.overflow(e, s, r, sym, S, P, err)
		}
	}
}

// copy copies the section but for what was taken out.
func (j *job) copy() {
	from, to, total := uint64(0), 0, uint64(0)
	for _, m := range j.s.Moves {
		end := m.Off - (m.Total - total)
		to += copy(j.b[to:], j.s.Data[from:end])
		from, total = m.Off, m.Total
	}
	copy(j.b[to:], j.s.Data[from:])
}

// locate gives the address of a place, and sets j.pos.
func (j *job) locate(off uint64) (uint64, bool) {
	if j.s.Map != nil {
		t, pos, ok := j.s.Map.At(off)
		if !ok || t != j.s {
			return 0, false
		}
		off = pos
	} else {
		off = j.s.Moved(off)
	}
	j.pos = int(off)
	return j.base + off, off <= uint64(len(j.b))
}

// bury marks what refers to something that is not in the output. Of a difference
// it leaves nothing, as of an address.
func (j *job) bury(i int, tomb uint64) error {
	r := &j.s.Relocs[i]
	switch k := j.t.kind(r.Type); k {
	case kWord, kNarrow:
		return j.t.rows[r.Type].Put(j.b[j.pos:], j.e.Order, int64(tomb))
	case kMath:
		// ADDn, SUBn: the pair's other half is of the same section.
		return nil
	}
	return nil
}

// relocate applies relocation i.
func (j *job) relocate(i int, sym *model.Symbol, P uint64) error {
	t, e, s := j.t, j.e, j.s
	r := &s.Relocs[i]
	if r.Type >= changed {
		return j.changed(r, sym, P)
	}
	k := t.kind(r.Type)
	if s.Flags&elf.SHF_ALLOC == 0 {
		if err := outside(k); err != nil {
			return err
		}
	}
	S, A := e.Value(s, r)
	v := machine.Values{S: S, A: A, P: P, L: S, GOT: e.GOT, DTP: e.TLSStart, TP: e.TLSStart}
	if sym != nil && (sym.Preempt || sym.IFunc()) {
		if at, ok := e.Linkage(sym); ok && !(k == kWord && e.PIC()) && (k == kJump || k == kCall || !sym.Preempt) {
			v.S, v.L = at, at
		}
	}
	switch k {
	case kNone, kUnknown, kRuntime, kLEAdd:
		return nil // it has no value, or Scan has reported it
	case kAlign:
		return j.nops(r, P)
	case kWord:
		return j.word(r, sym, &v)
	case kNarrow, kAbs:
		if e.PIC() && s.Flags&elf.SHF_ALLOC != 0 && sym.Movable() && !sym.Absolute() {
			return e.FixedError()
		}
	case kCall:
		if j.weakCall(sym) {
			j.fromZero(4)
			return t.rows[r.Type].Put(j.b[j.pos:], e.Order, 0)
		}
	case kPCHi:
		return j.high(r, &v)
	case kPCLo:
		return j.low(r)
	case kGOT, kIE, kGD:
		G, err := j.slot(k, sym)
		if err != nil {
			return err
		}
		v.G = G
	case kULEB:
		return j.uleb(i)
	case kDesc, kDescLo, kDescCall:
		return j.desc(r, k)
	}
	return t.rows[r.Type].Apply(j.b[j.pos:], e.Order, &v)
}

// outside says what cannot be in a section that is not loaded.
func outside(k kind) error {
	switch k {
	case kNone, kWord, kNarrow, kPC, kMath, kULEB:
		return nil
	case kUnknown:
		return model.ErrType
	case kRuntime:
		return model.ErrRuntime
	}
	return errors.New("it is of an instruction, in a section that is not loaded")
}

// nops writes what is left of an alignment, and checks that it is one.
func (j *job) nops(r *model.Reloc, P uint64) error {
	n := j.s.Moved(r.Off+uint64(r.Addend)) - j.s.Moved(r.Off)
	if a := alignment(r); (P+n)&(a-1) != 0 {
		return fmt.Errorf("%d bytes of nop do not align to %d", n, a)
	}
	if n == uint64(r.Addend) || uint64(j.pos)+n > uint64(len(j.b)) {
		return nil
	}
	b := j.b[j.pos : j.pos+int(n)]
	for ; len(b) >= 4; b = b[4:] {
		binary.LittleEndian.PutUint32(b, 0x00000013) // nop
	}
	if len(b) >= 2 {
		binary.LittleEndian.PutUint16(b, 0x0001) // c.nop
	}
	return nil
}

// word does an address that a loader may have to put right. The place stays zero,
// as with GNU ld.
func (j *job) word(r *model.Reloc, sym *model.Symbol, v *machine.Values) error {
	e := j.e
	if e.PIC() && sym != nil && j.s.Flags&elf.SHF_ALLOC != 0 && (sym.Preempt || sym.Movable() && !sym.Absolute()) {
		d := model.DynReloc{Off: v.P, Addend: int64(v.S) + v.A, Type: rRelative}
		switch {
		case sym.Preempt:
			d.Sym, d.Addend, d.Type = sym, v.A, r.Type
		case sym.IFunc():
			d.Type = rIRelative
		}
		e.AddDynamic(&j.next, d)
		return j.t.rows[r.Type].Put(j.b[j.pos:], e.Order, 0)
	}
	return j.t.rows[r.Type].Apply(j.b[j.pos:], e.Order, v)
}

// weakCall says whether a call is of a function that nothing defines: it goes to
// address 0, from wherever it is.
func (j *job) weakCall(sym *model.Symbol) bool {
	return sym != nil && sym.State != model.Defined && !sym.Preempt && !j.e.Opt.Shared
}

// fromZero makes zero the base register of the instruction at an offset from the
// place.
func (j *job) fromZero(at int) {
	if b := j.b[j.pos:]; len(b) >= at+4 {
		setBase(b[at:], 0)
	}
}

// setBase changes rs1.
func setBase(b []byte, reg uint32) {
	binary.LittleEndian.PutUint32(b, binary.LittleEndian.Uint32(b)&^(31<<15)|reg<<15)
}

// byLUI says whether a high part is that of the address, since the distance is out
// of reach and the code does not move: auipc becomes lui. So GNU ld does it for
// symbols near zero in code that is far from there.
func (j *job) byLUI(S uint64, A int64, P uint64) bool {
	if !j.t.wide || j.e.PIC() {
		return false
	}
	X := int64(S + uint64(A))
	return !fits(X-int64(P)+0x800, 32) && fits(X+0x800, 32)
}

// high applies the high part of a distance.
func (j *job) high(r *model.Reloc, v *machine.Values) error {
	if len(j.b)-j.pos >= 4 && j.byLUI(v.S, v.A, v.P) {
		insn := binary.LittleEndian.Uint32(j.b[j.pos:])
		binary.LittleEndian.PutUint32(j.b[j.pos:], insn&^0x7f|0x37) // lui
		return j.t.rows[rHi20].Apply(j.b[j.pos:], j.e.Order, v)
	}
	return j.t.rows[r.Type].Apply(j.b[j.pos:], j.e.Order, v)
}

// distance is what a high part has the upper bits of.
func (j *job) distance(h *model.Reloc) (int64, error) {
	e, t := j.e, j.t
	sym := j.s.Symbol(h)
	P := j.base + j.s.Moved(h.Off)
	switch k := t.kind(h.Type); k {
	case kGOT, kIE, kGD:
		G, err := j.slot(k, sym)
		return int64(e.GOT + G + uint64(h.Addend) - P), err
	}
	S, A := e.Value(j.s, h)
	if sym != nil && sym.IFunc() && !sym.Preempt {
		if at, ok := e.Linkage(sym); ok {
			S = at
		}
	}
	if j.byLUI(S, A, P) {
		return int64(S) + A, nil
	}
	return int64(S + uint64(A) - P), nil
}

// low applies the low part of what the high part at its label has.
func (j *job) low(r *model.Reloc) error {
	h, err := j.t.high(j.s, r)
	if err != nil {
		return err
	}
	x, err := j.distance(h)
	if err != nil {
		return err
	}
	if (x+0x800)>>12 != (x+r.Addend+0x800)>>12 {
		return fmt.Errorf("with the addend %d the low part needs another high part", r.Addend)
	}
	return j.t.rows[r.Type].Put(j.b[j.pos:], j.e.Order, x+r.Addend)
}

// slot is the offset of a symbol's GOT entry from the GOT.
func (j *job) slot(k kind, sym *model.Symbol) (uint64, error) {
	at := int64(-1)
	if sym != nil && sym.Aux != nil && j.e.SecGOT != nil {
		switch k {
		case kGOT:
			at = sym.Aux.GOT
		case kIE:
			at = sym.Aux.GOTTP
		case kGD:
			at = sym.Aux.TLSGD
		case kDesc:
			at = sym.Aux.TLSDesc
		}
	}
	if at < 0 {
		return 0, errors.New("the symbol has no GOT entry of the kind")
	}
	return j.e.SecGOT.Addr(uint64(at)) - j.e.GOT, nil
}

// uleb writes the difference of a pair at its second half; its length stays.
func (j *job) uleb(i int) error {
	other, err := pair(j.s, i)
	if err != nil || j.s.Relocs[i].Type == rSetULEB128 {
		return err
	}
	set, sub := other, &j.s.Relocs[i]
	S, A := j.e.Value(j.s, set)
	S2, A2 := j.e.Value(j.s, sub)
	x := j.t.reduce(S + uint64(A) - S2 - uint64(A2))
	n := 0
	for n < len(j.b)-j.pos && j.b[j.pos+n]&0x80 != 0 {
		n++
	}
	if bits := 7 * (n + 1); bits < 64 && x>>bits != 0 {
		return fmt.Errorf("the difference %#x does not fit the %d bytes of the number", x, n+1)
	}
	return j.t.rows[rSubULEB128].Put(j.b[j.pos:], j.e.Order, int64(x))
}
