package arm

import (
	"encoding/binary"

	"elfwright/link/model"
)

// Armv4 without T has no BX. R_ARM_V4BX marks each: with --fix-v4bx it becomes
// MOV PC, with --fix-v4bx-interworking a branch to a veneer that does one or the
// other, as bit 0 of the register says.

// bxForms are the veneers by register.
var bxForms = func() (f [15]*form) {
	for i := range f {
		r := uint32(i)
		f[i] = &form{arm: []uint32{
			0xe3100001 | r<<16, // tst rN, #1
			0x01a0f000 | r,     // moveq pc, rN
			0xe12fff10 | r,     // bx rN
		}, end: endNone}
	}
	return f
}()

func (t *target) bxForm(u use) *form {
	if u.typ != rV4BX {
		return nil
	}
	return bxForms[u.add]
}

// isBX says whether an instruction is BX of a register that is not the pc.
func isBX(x uint32) bool { return x&0x0ffffff0 == 0x012fff10 && x&15 != 15 }

// bxVeneer says whether a relocation is of a BX that needs a veneer, and has none.
func (t *target) bxVeneer(e *model.Env, s *model.Section, r *model.Reloc) bool {
	if r.Type != rV4BX || e.Opt.FixV4BX != 2 || r.Off+4 > uint64(len(s.Data)) {
		return false
	}
	x := e.Order.Uint32(s.Data[r.Off:])
	return isBX(x) && t.used[s][use{add: int64(x & 15), typ: rV4BX}] == nil
}

// v4bx changes a BX.
func (j *job) v4bx(b []byte, P uint64) {
	if len(b) < 4 {
		return
	}
	o := j.e.Order
	x := o.Uint32(b)
	switch {
	case !isBX(x):
	case j.e.Opt.FixV4BX == 1:
		o.PutUint32(b, x&0xf000000f|0x01a0f000) // mov pc, rN
	case j.e.Opt.FixV4BX == 2:
		if v := j.t.used[j.s][use{add: int64(x & 15), typ: rV4BX}]; v != nil {
			o.PutUint32(b, x&0xf0000000|0x0a000000|uint32(v.addr()-P-8)>>2&0xffffff) // b veneer
		}
	}
}

// move16 puts 16 bits into a Thumb MOVW or MOVT.
func move16(o binary.ByteOrder, b []byte, x uint32) {
	o.PutUint16(b, o.Uint16(b)|uint16(x>>12&15|x>>11&1<<10))
	o.PutUint16(b[2:], o.Uint16(b[2:])|uint16(x&0xff|x>>8&7<<12))
}
