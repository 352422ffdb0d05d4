package arm

import (
	"debug/elf"
	"encoding/binary"
	"errors"

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
}

// Relocate applies a section's relocations. Code of a BE8 output is turned around
// at the end: data, and what the addends were read from, is big-endian.
func (t *target) Relocate(e *model.Env, s *model.Section, b []byte) {
	j := job{t: t, e: e, s: s, b: b, next: int(s.DynFirst)}
	if s.Out != nil {
		j.base = s.Out.Addr + s.Off
	}
	alloc := s.Flags&elf.SHF_ALLOC != 0
	for i := range s.Relocs {
		r := &s.Relocs[i]
		sym := s.Symbol(r)
		off, ok := j.locate(r.Off)
		if !ok {
			continue
		}
		var err error
		if sym != nil && sym.Gone() {
			if !alloc && (r.Type == rAbs32 || r.Type == rTarget1) {
				err = t.rows[rAbs32].Put(b[off:], e.Order, int64(e.Tombstone(s)))
			}
		} else {
			err = j.relocate(i, sym, off)
		}
		if err != nil {
			S, _ := e.Value(s, r)
			t.overflow(e, s, r, sym, S, j.base+off, err)
		}
	}
	t.writeA8(e, s, b, j.base)
	if e.Opt.BE8 && s.Flags&elf.SHF_EXECINSTR != 0 {
		swapCode(s, b)
	}
}

// locate gives the place of an input offset in b.
func (j *job) locate(off uint64) (uint64, bool) {
	if j.s.Map != nil {
		t, pos, ok := j.s.Map.At(off)
		return pos, ok && t == j.s && pos <= uint64(len(j.b))
	}
	return off, off <= uint64(len(j.b))
}

// relocate applies relocation i at an offset in b.
func (j *job) relocate(i int, sym *model.Symbol, off uint64) error {
	t, e := j.t, j.e
	r := &j.s.Relocs[i]
	k := t.kind(e, r.Type)
	b := j.b[off:]
	P := j.base + off
	if !t.whole(k, r, sym, b) {
		return nil // reported by Scan
	}
	switch k {
	case kNone, kUnknown, kRuntime, kDescSeq:
		if k == kDescSeq && sym != nil {
			return j.descriptorCode(r, b, P)
		}
		if k != kNone && j.s.Flags&elf.SHF_ALLOC == 0 {
			return model.ErrType
		}
		return nil // or reported by Scan
	case kV4BX:
		j.v4bx(b, P)
		return nil
	case kBranch:
		return j.branch(r, sym, b, P)
	}
	S, A := e.Value(j.s, r)
	v := machine.Values{S: S, A: A, P: P, L: S, GOT: e.GOT, B: e.GOT, DTP: e.TLSStart}
	if sym != nil && sym.Thumb {
		v.S, v.T = S&^1, 1
	}
	if at, ok := linkage(e, sym); ok && !sym.Preempt && !(k == kWord && e.PIC()) {
		v.S, v.L, v.T = at, at, t.pltState()
	}
	row := t.row(e, r.Type)
	switch k {
	case kWord:
		return j.word(r, row, sym, b, &v)
	case kBase:
		v.B = staticBase(r.Type, sym)
	case kGOT, kGD, kIE, kLD:
		G, err := j.slot(k, sym)
		if err != nil {
			return err
		}
		v.G = G
	case kLE:
		return row.Put(b, e.Order, j.tpoff(sym, S)+A)
	case kLDO:
		if sym.State != model.Defined {
			v.S = v.DTP
		}
	case kDesc:
		return j.descriptor(r, sym, S, b, P)
	}
	return row.Apply(b, e.Order, &v)
}

// whole says whether a relocation has what needs asks for: with --noinhibit-exec it
// may have not.
func (t *target) whole(k kind, r *model.Reloc, sym *model.Symbol, b []byte) bool {
	if sym == nil && (k == kGOT || k >= kGD && k != kLD && k != kV4BX) {
		return false
	}
	switch {
	case r.Type == rThmDescSeq16:
		return len(b) >= 2
	case k == kDesc || k == kDescSeq:
		return len(b) >= 4
	}
	return k == kNone || k == kUnknown || k == kRuntime || k == kV4BX || len(b) >= t.rows[r.Type].Width()
}

// pltState is 1 if the PLT is Thumb code.
func (t *target) pltState() uint64 {
	if t.arch.thumbOnly() {
		return 1
	}
	return 0
}

// branch does a branch, by a veneer if it must.
func (j *job) branch(r *model.Reloc, sym *model.Symbol, b []byte, P uint64) error {
	row := j.t.row(j.e, r.Type)
	if sym == nil || j.s.Data == nil {
		return row.Apply(b, j.e.Order, &machine.Values{A: r.Addend, P: P, T: thumbBit(isThumb(r.Type))})
	}
	if nowhere(sym) {
		return j.skip(r, b)
	}
	x, ok := j.t.branchAt(j.e, j.s, r, P)
	if !ok { // a short one at the end of the section
		x = branch{typ: r.Type, from: P, fromThumb: true, sym: sym, add: r.Addend - bias(r.Type)}
		x.to, x.toThumb, _ = j.t.leads(j.e, &x)
	}
	if !j.t.alone(&x) {
		v := j.t.used[j.s][x.use()]
		switch {
		case v != nil:
			x.to, x.toThumb = v.addr(), v.form.isThumb()
		case x.fromThumb != x.toThumb && !x.call():
			return errors.New("the branch leads to code of the other instruction set, and there is no veneer for it")
		}
	}
	return row.Apply(b, j.e.Order, &machine.Values{S: x.to, A: bias(r.Type), P: P, T: thumbBit(x.toThumb)})
}

func thumbBit(thumb bool) uint64 {
	if thumb {
		return 1
	}
	return 0
}

// word does an address that a loader may have to put right: the addend of a REL
// relocation is in the place.
func (j *job) word(r *model.Reloc, row *machine.Reloc, sym *model.Symbol, b []byte, v *machine.Values) error {
	e := j.e
	if e.PIC() && sym != nil && j.s.Flags&elf.SHF_ALLOC != 0 && (sym.Preempt || sym.Movable() && !sym.Absolute()) {
		x := int64(v.S+uint64(v.A)) | int64(v.T)
		d := model.DynReloc{Off: v.P, Addend: x, Type: rRelative}
		switch {
		case sym.Preempt:
			d.Sym, d.Addend, d.Type, x = sym, v.A, rAbs32, v.A
		case sym.IFunc():
			d.Type = rIRelative
		}
		e.AddDynamic(&j.next, d)
		return row.Put(b, e.Order, x)
	}
	return row.Apply(b, e.Order, v)
}

// staticBase is B(S), as GNU ld has it: where the symbol's output section begins,
// but 0 for the types of MOVW and MOVT.
func staticBase(typ uint32, sym *model.Symbol) uint64 {
	if movw := typ >= 84 && typ <= 89; !movw && sym != nil && sym.Sec != nil && sym.Sec.Out != nil {
		return sym.Sec.Out.Addr
	}
	return 0
}

// slot is the offset of a GOT entry from the GOT.
func (j *job) slot(k kind, sym *model.Symbol) (uint64, error) {
	at := int64(-1)
	switch {
	case j.e.SecGOT == nil:
	case k == kLD:
		at = j.e.TLSLDOff
	case sym == nil || sym.Aux == nil:
	case k == kGOT:
		at = sym.Aux.GOT
	case k == kGD:
		at = sym.Aux.TLSGD
	case k == kDesc:
		at = sym.Aux.TLSDesc
	case k == kIE:
		at = sym.Aux.GOTTP
	}
	if at < 0 {
		return 0, errors.New("the symbol has no GOT entry of the kind")
	}
	return j.e.SecGOT.Addr(uint64(at)) - j.e.GOT, nil
}

// skip makes a branch to a weak symbol that nothing defines go on with the next
// instruction (AAELF32, "Call and Jump relocations").
func (j *job) skip(r *model.Reloc, b []byte) error {
	o := j.e.Order
	switch {
	case r.Type == rThmJump11 || r.Type == rThmJump8:
		o.PutUint16(b, 0x46c0) // mov r8, r8
	case isThumb(r.Type) && j.t.arch.thumb2():
		o.PutUint16(b, 0xf3af) // nop.w
		o.PutUint16(b[2:], 0x8000)
	case isThumb(r.Type):
		o.PutUint16(b, 0xe000) // b .+4
		o.PutUint16(b[2:], 0xbf00)
	default:
		x := o.Uint32(b) & 0xf0000000
		if x == 0xf0000000 { // BLX has no condition
			x = 0xe0000000
		}
		nop := uint32(0x01a00000) // mov r0, r0
		if j.t.arch.nop() {
			nop = 0x0320f000
		}
		o.PutUint32(b, x|nop)
	}
	return nil
}

// turned is code without relocations in a BE8 output.
type turned struct{ t *target }

func (x turned) Write(e *model.Env, s *model.Section, b []byte) {
	copy(b, s.Data)
	x.t.Relocate(e, s, b)
}

// swapCode turns the instructions of a big-endian section around, as its mapping
// symbols say what is code: $a words, $t halfwords, $d data (AAELF32, "Mapping
// symbols").
func swapCode(s *model.Section, b []byte) {
	at := marks(s)
	for i, m := range at {
		end := uint64(len(b))
		if i+1 < len(at) {
			end = min(end, at[i+1].off)
		}
		if m.off > end {
			continue
		}
		part := b[m.off:end]
		switch m.what {
		case 'a':
			for ; len(part) >= 4; part = part[4:] {
				binary.LittleEndian.PutUint32(part, binary.BigEndian.Uint32(part))
			}
		case 't':
			for ; len(part) >= 2; part = part[2:] {
				part[0], part[1] = part[1], part[0]
			}
		}
	}
}
