package arm

import (
	"errors"

	"elfwright/link/model"
	"elfwright/machine"
)

// TLS descriptors (Thread-local Storage Descriptors for the Arm Architecture): a
// word has the distance to a descriptor in the GOT, a call of it through a stub of
// the linker returns the variable's offset from the thread pointer. In an
// executable there is no need for either:
//
//	ldr r0, =x(tlsdesc)     local exec: the offset     initial exec: the same, to a word of the GOT
//	bl  x(tlscall)          nop                        ldr r0, [pc, r0]

// descriptor makes the word.
func (j *job) descriptor(r *model.Reloc, sym *model.Symbol, S uint64, b []byte, v *machine.Values) error {
	if !sym.Preempt {
		return j.t.rows[rTLSLE32].Put(b, j.e.Order, j.tpoff(sym, S))
	}
	G, err := j.slot(kIE, sym)
	if err != nil {
		return err
	}
	// The word counts from the call, whose pc is ahead; bit 0 says that it is Thumb.
	held := int64(int32(j.e.Order.Uint32(j.s.Data[r.Off:])))
	v.G, v.A = G, held-8
	if held&1 != 0 {
		v.A = held - 5
	}
	return j.t.rows[rIE32].Apply(b, j.e.Order, v)
}

// descriptorCall makes the call.
func (j *job) descriptorCall(r *model.Reloc, sym *model.Symbol, b []byte) error {
	if j.e.Opt.Shared || len(b) < 4 {
		return nil // reported by Scan
	}
	o := j.e.Order
	switch {
	case r.Type == rTLSCall && sym.Preempt:
		o.PutUint32(b, 0xe79f0000) // ldr r0, [pc, r0]
	case r.Type == rTLSCall:
		o.PutUint32(b, 0xe1a00000) // mov r0, r0
	case r.Type != rThmTLSCall:
		return errors.New("only the call of a TLS descriptor is linked")
	case sym.Preempt:
		o.PutUint16(b, 0x4478)     // add r0, pc
		o.PutUint16(b[2:], 0x6800) // ldr r0, [r0]
	case j.t.arch.thumb2():
		o.PutUint16(b, 0xf3af) // nop.w
		o.PutUint16(b[2:], 0x8000)
	default:
		o.PutUint16(b, 0x46c0) // mov r8, r8
		o.PutUint16(b[2:], 0x46c0)
	}
	return nil
}

// tpoff is a variable's offset from the thread pointer: 0 if nothing defines it.
func (j *job) tpoff(sym *model.Symbol, S uint64) int64 {
	if sym == nil || sym.State != model.Defined {
		return 0
	}
	return j.e.TPOff(S)
}
