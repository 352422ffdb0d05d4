package x86

import (
	"debug/elf"
	"errors"
	"math"

	"elfwright/link/model"
)

// Instructions that load from the GOT (x86-64 psABI, "Optimize GOTPCRELX
// Relocations"; Intel386 psABI, "Optimize R_386_GOT32X Relocation"). If the
// symbol is in this link the address need not be loaded:
//
//	mov   foo@GOT, %reg       lea foo, %reg, or mov $foo, %reg
//	test  %reg, foo@GOT       test $foo, %reg
//	binop foo@GOT, %reg       binop $foo, %reg
//	call  *foo@GOT            addr32 call foo
//	jmp   *foo@GOT            jmp foo; nop
//
// The forms with an immediate operand are for addresses that do not change.
type form uint8

const (
	keep form = iota
	formMov
	formTest
	formBinop
	formCall
	formJmp
)

// loadForm says what becomes of the instruction at a relocation of kind kLoad.
func (t *target) loadForm(e *model.Env, s *model.Section, r *model.Reloc, sym *model.Symbol) form {
	if e.Opt.NoRelax || sym == nil || sym.Preempt || sym.IFunc() {
		return keep
	}
	if sym.Name == "_DYNAMIC" && sym.State == model.Defined {
		return keep // the dynamic linker takes its entry as it was linked
	}
	if r.Off < 2 || t.wide && r.Addend != -4 || !t.wide && r.Addend != 0 {
		return keep
	}
	op, mod := s.Data[r.Off-2], s.Data[r.Off-1]
	if !t.operand(mod) {
		return keep
	}
	switch {
	case e.PIC() && !sym.Movable():
		if op == 0x8b && sym.Value <= math.MaxInt32 { // a number, 0 if nothing defines it
			return formMov
		}
		return keep
	case op == 0xff && mod>>3&7 == 2:
		return formCall
	case op == 0xff && mod>>3&7 == 4:
		return formJmp
	case op == 0x8b && !(e.PIC() && !t.wide && mod&0xc7 == 0x05):
		return formMov
	case e.PIC():
		return keep
	case op == 0x85:
		return formTest
	case op&0xc7 == 0x03: // add or adc sbb and sub xor cmp
		return formBinop
	}
	return keep
}

// operand says whether a ModRM byte's memory operand is the four bytes behind it,
// on i386 with or without a base register.
func (t *target) operand(mod byte) bool {
	if mod&0xc7 == 0x05 { // disp32, on x86-64 from %rip
		return true
	}
	return !t.wide && mod&0xc0 == 0x80 && mod&7 != 4 // disp32(%reg); 4 has an SIB byte
}

// baseless refuses what i386 code does without the GOT's address in a register,
// where that is not known.
func (t *target) baseless(e *model.Env, s *model.Section, r *model.Reloc) error {
	if e.PIC() && t.withoutBase(s, r) {
		return errors.New("without a base register it needs the GOT's address, which is not known; recompile with -fPIC")
	}
	return nil
}

// withoutBase says whether an instruction of i386 takes the place as an address.
func (t *target) withoutBase(s *model.Section, r *model.Reloc) bool {
	return !t.wide && s.Flags&elf.SHF_EXECINSTR != 0 && r.Off >= 2 && s.Data[r.Off-1]&0xc7 == 0x05
}

// load rewrites the instruction at pos in b, which Scan has found to be of form f.
// It returns false if no form can hold the address.
func (t *target) load(j *job, pos int, f form, S, P uint64, typ uint32) bool {
	b := j.b
	switch f {
	case formCall:
		b[pos-2], b[pos-1] = 0x67, 0xe8 // addr32 call
		return t.near(b[pos:], S-(P+4))
	case formJmp:
		b[pos-2], b[pos+3] = 0xe9, 0x90
		return t.near(b[pos-1:], S-(P+3))
	}
	mod := b[pos-1]
	reg := mod >> 3 & 7
	if !t.immediate(j, S, typ) {
		return f == formMov && t.lea(j, pos, S, P)
	}
	switch f {
	case formMov:
		b[pos-2], b[pos-1] = 0xc7, 0xc0|reg // mov $foo, %reg
	case formTest:
		b[pos-2], b[pos-1] = 0xf7, 0xc0|reg // test $foo, %reg
	default:
		b[pos-1] = 0xc0 | b[pos-2]&0x38 | reg // binop $foo, %reg
		b[pos-2] = 0x81
	}
	if typ == r64RexGOTX && t.wide {
		rexToBase(b[pos-3:])
	}
	put32(b[pos:], S)
	return true
}

// rexToBase moves the extension of the register from REX.R to REX.B.
func rexToBase(b []byte) {
	if b[0]&4 != 0 {
		b[0] = b[0]&^4 | 1
	}
}

// immediate says whether the address is fixed and can stand in the instruction.
func (t *target) immediate(j *job, S uint64, typ uint32) bool {
	if j.e.PIC() && j.movable {
		return false
	}
	if !t.wide {
		return true
	}
	if typ == r64RexGOTX && j.b[j.pos-3]&8 != 0 { // REX.W: extended by its sign
		return int64(S) == int64(int32(S))
	}
	return S <= math.MaxUint32
}

// lea makes mov foo@GOT, %reg into lea foo, %reg.
func (t *target) lea(j *job, pos int, S, P uint64) bool {
	if j.e.PIC() && !j.movable {
		return false
	}
	j.b[pos-2] = 0x8d
	if t.wide {
		return t.near(j.b[pos:], S-(P+4))
	}
	put32(j.b[pos:], S-j.e.GOT) // the base register stays
	return true
}

// near writes a distance of four bytes.
func (t *target) near(b []byte, x uint64) bool {
	put32(b, x)
	return !t.wide || int64(x) == int64(int32(x))
}
