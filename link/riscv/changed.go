package riscv

import (
	"encoding/binary"
	"errors"
	"fmt"

	"elfwright/link/model"
	"elfwright/machine"
)

// changed writes what Relax decided.
func (j *job) changed(r *model.Reloc, sym *model.Symbol, P uint64) error {
	S, A := j.e.Value(j.s, r)
	if sym != nil && (sym.Preempt || sym.IFunc()) {
		if at, ok := j.e.Linkage(sym); ok {
			S = at
		}
	}
	b := j.b[j.pos:]
	switch r.Type {
	case goneLUI, goneAUIPC, goneTP:
		return nil
	case callJAL, callCJ, callZero:
		return j.call(r, &machine.Values{S: S, A: A, P: P, L: S})
	case shortLUI:
		return j.compressedLUI(r, S+uint64(A))
	case tpLoI, tpLoS:
		setBase(b, 4) // tp
		return j.low12(public(r.Type), j.e.TPOff(S+uint64(A)), "tp")
	case pcLoI, pcLoS:
		h, err := j.t.high(j.s, r)
		if err != nil {
			return err
		}
		S, A = j.e.Value(j.s, h)
		A += r.Addend
	}
	X := j.t.reduce(S + uint64(A))
	if fits(int64(X), 12) {
		setBase(b, 0)
		return j.low12(public(r.Type), int64(X), "zero")
	}
	setBase(b, 3) // gp
	return j.low12(public(r.Type), int64(X-j.e.GP), "gp")
}

// low12 writes an offset of twelve bits.
func (j *job) low12(typ uint32, x int64, base string) error {
	if !fits(x, 12) {
		return fmt.Errorf("it was in reach of %s when the code was shortened, and is %#x away now; link with --no-relax", base, x)
	}
	return j.t.rows[typ].Put(j.b[j.pos:], j.e.Order, x)
}

// call writes the one instruction that a call became. The register that takes the
// return address is that of the jalr, which is gone.
func (j *job) call(r *model.Reloc, v *machine.Values) error {
	if r.Off+8 > uint64(len(j.s.Data)) {
		return errors.New("there are no two instructions")
	}
	rd := binary.LittleEndian.Uint32(j.s.Data[r.Off+4:]) & (31 << 7)
	b := j.b[j.pos:]
	switch {
	case r.Type == callCJ && rd == 0:
		binary.LittleEndian.PutUint16(b, 0xa001) // c.j
	case r.Type == callCJ:
		binary.LittleEndian.PutUint16(b, 0x2001) // c.jal
	case r.Type == callJAL:
		binary.LittleEndian.PutUint32(b, 0x0000006f|rd) // jal rd
	default:
		binary.LittleEndian.PutUint32(b, 0x00000067|rd) // jalr rd, 0(zero)
		return j.low12(rLo12I, int64(v.S)+v.A, "zero")
	}
	return j.t.rows[public(r.Type)].Apply(b, j.e.Order, v)
}

// compressedLUI writes c.lui, which cannot have 0: that is c.li.
func (j *job) compressedLUI(r *model.Reloc, X uint64) error {
	high := int64((X + 0x800) &^ 0xfff)
	if !fits(high, 18) {
		return fmt.Errorf("its high part was in reach of c.lui when the code was shortened, and is %#x now; link with --no-relax", high)
	}
	insn := uint16(binary.LittleEndian.Uint32(j.s.Data[r.Off:]) & (31 << 7))
	if high == 0 {
		insn |= 0x4001 // c.li rd, 0
	} else {
		insn |= 0x6001 | uint16(high>>12&31)<<2 | uint16(high>>17&1)<<12 // c.lui
	}
	binary.LittleEndian.PutUint16(j.b[j.pos:], insn)
	return nil
}
