package arm

import (
	"encoding/binary"
	"errors"
	"fmt"

	"elfwright/link/model"
	"elfwright/machine"
)

// TLS descriptors (Thread-local Storage Descriptors for the Arm Architecture): a
// word has the distance to a descriptor in the GOT, a call of its function
// returns the variable's offset from the thread pointer. The call is one of code
// that the linker makes in .plt, or a sequence in its place. An executable needs
// no descriptor:
//
//	shared object                              executable
//	ldr r0, =x(tlsdesc)                        the word is the offset
//	bl  x(tlscall)                             nop
//
//	ldr r0, =x(tlsdesc)                        the word is the offset
//	add r0, pc, r0      .tlsdescseq            mov r0, r0
//	ldr r1, [r0, #4]    .tlsdescseq            nop
//	blx r1              .tlsdescseq            nop

// needsDesc is for the code that calls a descriptor's function.
func (t *target) needsDesc(e *model.Env, s *model.Section, r *model.Reloc) error {
	call := r.Type == rTLSCall || r.Type == rThmTLSCall
	if call && e.Opt.Shared {
		t.attributes(e)
		switch {
		case t.arch.thumbOnly():
			return errors.New("the code that calls a TLS descriptor is Arm code, which the processor has not; compile with -mtls-dialect=gnu")
		case r.Type == rThmTLSCall && !t.arch.blx():
			return errors.New("a TLS descriptor is called from Thumb code by BLX, which the processor has not; compile with -mtls-dialect=gnu")
		}
		e.NeedTLSCall.Set()
		return nil
	}
	if _, ok := t.withoutDesc(e, r.Type, s.Data[r.Off:]); !ok && !call && !e.Opt.Shared {
		return errors.New("the instruction is none of the sequence of a TLS descriptor")
	}
	return nil
}

// descriptor makes the word. What it counts from is ahead of the instruction that
// its addend leads back to; bit 0 says that that is Thumb.
func (j *job) descriptor(r *model.Reloc, sym *model.Symbol, S uint64, b []byte, P uint64) error {
	o := j.e.Order
	if !j.e.Opt.Shared {
		return j.t.rows[rTLSLE32].Put(b, o, j.tpoff(sym, S))
	}
	G, err := j.slot(kDesc, sym)
	if err != nil {
		return err
	}
	held := int64(int32(o.Uint32(j.s.Data[r.Off:])))
	ahead, ok := j.aheadOf(r, held)
	if !ok {
		return fmt.Errorf("at %#x, to which the word leads back, is no call of a TLS descriptor", int64(r.Off)-held&^1)
	}
	v := machine.Values{G: G, A: held&^1 - ahead, P: P, GOT: j.e.GOT}
	return j.t.rows[rIE32].Apply(b, o, &v)
}

// aheadOf is how far the instruction that a descriptor's word leads back to sees
// the pc, or the return address, ahead of itself.
func (j *job) aheadOf(r *model.Reloc, held int64) (int64, bool) {
	at, o := int64(r.Off)-held&^1, j.e.Order
	if at < 0 || at > int64(len(j.s.Data))-4 {
		return 0, false
	}
	code := j.s.Data[at:]
	first, second, top := o.Uint16(code), o.Uint16(code[2:]), o.Uint32(code)>>24
	switch {
	case held&1 == 0 && (top == 0xeb || top == 0xfa): // BL, BLX
		return 4, true
	case held&1 == 0 && top == 0xe0: // ADD
		return 8, true
	case held&1 != 0 && first>>11 == 0x1e && second>>14 == 3: // BL, BLX: the return address has bit 0
		return 5, true
	case held&1 != 0 && first>>8 == 0x44: // ADD
		return 4, true
	}
	return 0, false
}

// descriptorCode changes the code that calls a descriptor's function.
func (j *job) descriptorCode(r *model.Reloc, b []byte, P uint64) error {
	o := j.e.Order
	call := r.Type == rTLSCall || r.Type == rThmTLSCall
	switch {
	case j.e.Opt.Shared && !call:
		return nil // stays
	case j.e.Opt.Shared:
		if j.e.SecPLT == nil || !j.e.NeedTLSCall.Get() {
			return nil // reported by Scan
		}
		row, v := j.t.rows[rCall], machine.Values{S: j.e.SecPLT.Addr(j.e.TLSCallOff), P: P, A: -8}
		if r.Type == rThmTLSCall {
			row, v.A = j.t.rows[rThmCall], -4
		}
		return row.Apply(b, o, &v)
	case r.Type == rTLSCall:
		o.PutUint32(b, armNop)
	case r.Type == rThmTLSCall:
		j.t.wideNop(o, b)
	default:
		insn, ok := j.t.withoutDesc(j.e, r.Type, b)
		switch {
		case !ok: // reported by Scan
		case r.Type == rTLSDescSeq:
			o.PutUint32(b, insn)
		case r.Type == rThmDescSeq16:
			o.PutUint16(b, uint16(insn))
		default:
			j.t.wideNop(o, b)
		}
	}
	return nil
}

const (
	armNop   = 0xe1a00000 // mov r0, r0
	thumbNop = 0x46c0     // mov r8, r8
)

// wideNop writes a NOP of four bytes, or two of two.
func (t *target) wideNop(o binary.ByteOrder, b []byte) {
	first, second := uint16(thumbNop), uint16(thumbNop)
	if t.arch.thumb2() {
		first, second = 0xf3af, 0x8000 // nop.w
	}
	o.PutUint16(b, first)
	o.PutUint16(b[2:], second)
}

// withoutDesc is what becomes of an instruction of the sequence where the word is
// the offset.
func (t *target) withoutDesc(e *model.Env, typ uint32, b []byte) (uint32, bool) {
	o := e.Order
	if typ == rThmDescSeq16 {
		x := o.Uint16(b)
		add := x&0xff78 == 0x4478                          // add rN, pc
		load := x&0xffc0 == 0x6840                         // ldr rN, [rM, #4]
		return thumbNop, add || load || x&0xff87 == 0x4780 // blx rN
	}
	switch typ {
	case rThmDescSeq32:
		first, second := o.Uint16(b), o.Uint16(b[2:])
		return 0, first>>4 == 0xf8d && second&0xfff == 4 // ldr.w rN, [rM, #4]
	case rTLSDescSeq:
		x := o.Uint32(b)
		switch {
		case x&0xffff0ff0 == 0xe08f0000: // add rN, pc, rM
			return armNop | x&0xf00f, true // mov rN, rM
		case x&0xfff00fff == 0xe5900004, x&0xfffffff0 == 0xe12fff30: // ldr rN, [rM, #4]; blx rN
			return armNop, true
		}
	}
	return 0, false
}

// tpoff is a variable's offset from the thread pointer: 0 if nothing defines it.
func (j *job) tpoff(sym *model.Symbol, S uint64) int64 {
	if sym == nil || sym.State != model.Defined {
		return 0
	}
	return j.e.TPOff(S)
}
