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
	switch k {
	case kNone, kUnknown, kRuntime, kDesc:
		if (k == kUnknown || k == kRuntime) && j.s.Flags&elf.SHF_ALLOC == 0 {
			return errors.New("this type is not supported")
		}
		return nil // or reported by Scan
	case kV4BX:
		j.v4bx(b)
		return nil
	}
	S, A := e.Value(j.s, r)
	v := machine.Values{S: S, A: A, P: j.base + off, L: S, GOT: e.GOT, B: e.GOT, DTP: e.TLSStart}
	if sym != nil && sym.Thumb {
		v.S, v.T = S&^1, 1
	}
	if sym != nil && (sym.Preempt || sym.IFunc()) {
		if at, ok := e.Linkage(sym); ok && !(k == kWord && e.PIC()) && (k == kBranch || !sym.Preempt) {
			v.S, v.L, v.T = at, at, 0
		}
	}
	row := t.row(e, r.Type)
	switch k {
	case kWord:
		return j.word(r, row, sym, b, &v)
	case kBranch:
		if sym != nil && sym.State != model.Defined && !sym.Preempt && v.S == 0 {
			return j.skip(r, b)
		}
		if at, thumb, ok := t.veneers.find(j.s, i); ok {
			v.S, v.A, v.T = at, branchBias(r.Type), thumb
		}
	case kBase:
		v.B = j.staticBase(sym)
	case kGOT, kGD, kIE, kLD:
		G, err := j.slot(k, sym)
		if err != nil {
			return err
		}
		v.G = G
	case kLE:
		x := e.TPOff(S + uint64(A))
		return row.Put(b, e.Order, x)
	}
	return row.Apply(b, e.Order, &v)
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
		if j.next < len(e.Dynamic) {
			e.Dynamic[j.next] = d
			j.next++
		}
		return row.Put(b, e.Order, x)
	}
	return row.Apply(b, e.Order, v)
}

// staticBase is B(S): where the segment of the symbol begins, taken as its
// output section, as GNU ld does.
func (j *job) staticBase(sym *model.Symbol) uint64 {
	if sym != nil && sym.Sec != nil && sym.Sec.Out != nil {
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
	switch r.Type {
	case rThmCall, rThmJump24:
		if j.t.arch.thumb2() {
			o.PutUint16(b, 0xf3af) // nop.w
			o.PutUint16(b[2:], 0x8000)
			return nil
		}
		o.PutUint16(b, 0xe000) // b .+4
		o.PutUint16(b[2:], 0xbf00)
	case rThmJump19:
		o.PutUint16(b, 0xf3af)
		o.PutUint16(b[2:], 0x8000)
	case rThmJump11, rThmJump8:
		o.PutUint16(b, 0x46c0) // mov r8, r8
	default:
		o.PutUint32(b, o.Uint32(b)&0xf0000000|0x01a00000) // mov r0, r0, under its condition
	}
	return nil
}

// v4bx makes BX rN a MOV pc, rN for processors without BX (--fix-v4bx).
func (j *job) v4bx(b []byte) {
	if j.e.Opt.FixV4BX == 0 || len(b) < 4 {
		return
	}
	if x := j.e.Order.Uint32(b); x&0x0ffffff0 == 0x012fff10 && x&0xf != 15 {
		j.e.Order.PutUint32(b, x&0xf000000f|0x01a0f000)
	}
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
