package aarch64

import (
	"errors"
	"fmt"

	"elfwright/link/model"
	"elfwright/machine"
)

// Thread-local storage ("ELF Handling For Thread-Local Storage"; AAELF64, "TLS
// descriptors"). An executable knows where its variables are from the thread
// pointer, and loads the offset of another object's from the GOT; a shared object
// leaves all as it is. As with GNU ld initial exec of the tiny and of the large
// code model stays.

// access is how a variable is found in the end.
type access uint8

const (
	asIs access = iota
	initialExec
	localExec
)

// accessOf decides by type and symbol alone: the instructions of a sequence are
// changed one by one.
func accessOf(e *model.Env, k kind, typ uint32, sym *model.Symbol) access {
	if e.Opt.Shared {
		return asIs
	}
	switch {
	case k == kLD:
		if typ <= rLDAdd {
			return localExec
		}
	case k == kIE:
		if !sym.Preempt && (typ == rIEPage || typ == rIELoad) {
			return localExec
		}
	case k == kGD || k == kDesc:
		switch {
		case !sym.Preempt:
			return localExec
		case typ != rGDMovG1 && typ != rGDMovG0:
			return initialExec
		}
	}
	return asIs
}

// expected says whether the instruction is what the relocation is for.
func expected(typ, insn uint32) bool {
	switch typ {
	case rGDPage, rLDPage, rIEPage:
		return isADRP(insn)
	case rDescPage:
		return isADRP(insn) && insn&rd == 0
	case rGDAdr, rLDAdr, rDescAdr:
		return isADR(insn) && insn&rd == 0
	case rGDAdd, rLDAdd, rDescAddLo12:
		return isAddImm(insn) && insn&rd == 0
	case rIELoad, rDescLoad:
		return isLoad(insn)
	case rDescLiteral:
		return isLiteral(insn)
	case rGDMovG1, rGDMovG0, rDescMovG1, rDescMovG0:
		return isMove(insn)
	case rDescLDR:
		return isLoadReg(insn)
	case rDescAdd:
		return isAddReg(insn)
	case rDescCall:
		return isBLR(insn)
	}
	return true
}

// errSequence is for code that is none of the psABI's.
var errSequence = errors.New("the instructions are no sequence of the psABI's")

// calls is how far behind a relocation's place the call of __tls_get_addr is
// that goes away with it; 0 if there is none.
func calls(typ uint32) uint64 {
	switch typ {
	case rGDAdr, rGDAdd, rLDAdr, rLDAdd:
		return 4
	case rGDMovG0:
		return 8
	}
	return 0
}

// checkCall makes sure that what the rewriting of a sequence takes is there: the
// call, its relocation, and the NOP behind it, in whose place GNU ld writes without
// a look.
func (t *target) checkCall(s *model.Section, i int) error {
	r := &s.Relocs[i]
	off := r.Off + calls(r.Type)
	if off+8 > uint64(len(s.Data)) || !isBL(load(s.Data[off:])) || load(s.Data[off+4:]) != insnNop {
		return errSequence
	}
	if r.Type == rGDMovG0 && !isAddReg(load(s.Data[r.Off+4:])) {
		return errSequence
	}
	if i+1 == len(s.Relocs) {
		return errors.New("no call of __tls_get_addr follows")
	}
	next := &s.Relocs[i+1]
	if sym := s.Symbol(next); next.Off != off || next.Type != rCall26 || sym == nil || sym.Name != "__tls_get_addr" {
		return fmt.Errorf("the relocation after it, at %#x, is no call of __tls_get_addr", next.Off)
	}
	return nil
}

// scanTLS is scan for TLS; it returns how many relocations after i belong to it.
func (t *target) scanTLS(e *model.Env, s *model.Section, i int, k kind, sym *model.Symbol) (int, error) {
	r := &s.Relocs[i]
	how := accessOf(e, k, r.Type, sym)
	if how != asIs && !expected(r.Type, load(s.Data[r.Off:])) {
		return 0, errSequence
	}
	if how != asIs && calls(r.Type) != 0 {
		if err := t.checkCall(s, i); err != nil {
			return 0, err
		}
		if k == kGD && how == initialExec {
			sym.Want(model.NeedGOTTP)
		}
		return 1, nil
	}
	switch {
	case how == localExec:
	case how == initialExec:
		sym.Want(model.NeedGOTTP)
	case k == kLE:
		if e.Opt.Shared {
			return 0, e.FixedError()
		}
	default:
		t.wantTLS(e, k, sym)
	}
	return 0, nil
}

// wantTLS is for what stays as it is.
func (t *target) wantTLS(e *model.Env, k kind, sym *model.Symbol) {
	switch k {
	case kGD:
		sym.Want(model.NeedTLSGD)
	case kLD:
		e.NeedTLSLD.Set()
	case kDesc:
		sym.Want(model.NeedTLSDesc)
	case kIE:
		sym.Want(model.NeedGOTTP)
		if e.Opt.Shared {
			e.StaticTLS.Set()
		}
	}
	if k != kDTPOff {
		e.NeedGOTBase.Set()
	}
}

// tls applies relocation i, of a kind of TLS, at j.pos, and returns how many
// after it belong to it.
func (j *job) tls(i int, k kind, sym *model.Symbol, S uint64, A int64, P uint64) (int, error) {
	r := &j.s.Relocs[i]
	how := accessOf(j.e, k, r.Type, sym)
	after := 0
	if how != asIs && calls(r.Type) != 0 {
		after = 1
	}
	if how != asIs && len(j.b)-j.pos < int(calls(r.Type))+insnSize+insnSize*after {
		return after, errSequence // reported by Scan
	}
	switch how {
	case localExec:
		return after, j.localExec(r.Type, j.tpoff(sym, S)+A)
	case initialExec:
		slot, err := j.slot(sym, kIE)
		if err != nil {
			return after, err
		}
		return after, j.initialExec(r.Type, &machine.Values{P: P, G: slot - j.e.GOT, GOT: j.e.GOT})
	}
	if k == kDesc && r.Type >= rDescLDR {
		return 0, nil // marks an instruction
	}
	v := machine.Values{S: S, A: A, P: P, GOT: j.e.GOT, DTP: j.e.TLSStart, TP: -uint64(j.e.TPOff(0))}
	switch k {
	case kLE:
		v.S = uint64(j.tpoff(sym, S)) + v.TP
	case kDTPOff:
		if sym.State != model.Defined {
			v.S = v.DTP
		}
	default:
		slot, err := j.slot(sym, k)
		if err != nil {
			return 0, err
		}
		v.G = slot - j.e.GOT
	}
	return 0, j.apply(r.Type, &v)
}

// tpoff is a variable's offset from the thread pointer: 0 if nothing defines it.
func (j *job) tpoff(sym *model.Symbol, S uint64) int64 {
	if sym == nil || sym.State != model.Defined {
		return 0
	}
	return j.e.TPOff(S)
}

// slot is the address of a GOT entry for TLS.
func (j *job) slot(sym *model.Symbol, k kind) (uint64, error) {
	off := int64(-1)
	switch a := sym.Aux; {
	case k == kLD:
		off = j.e.TLSLDOff
	case a == nil:
	case k == kGD:
		off = a.TLSGD
	case k == kIE:
		off = a.GOTTP
	case k == kDesc:
		off = a.TLSDesc
	}
	if off < 0 || j.e.SecGOT == nil {
		return 0, errors.New("the symbol has no GOT entry of the kind")
	}
	return j.e.SecGOT.Addr(uint64(off)), nil
}

// lets writes instructions from the place on.
func (j *job) lets(insns ...uint32) {
	for i, x := range insns {
		store(j.b[j.pos+insnSize*i:], x)
	}
}

// localExec makes the instruction at the place, and those that go with it, compute
// the offset x, or for local dynamic the start of the TLS block.
func (j *job) localExec(typ uint32, x int64) error {
	insn := load(j.b[j.pos:])
	reg, from := insn&rd, insn>>rnShift&rd
	if x < 0 || x >= 1<<32 {
		return fmt.Errorf("the offset %#x from the thread pointer does not fit 32 bits", x)
	}
	lo := uint32(x) & 0xffff << 5
	hi := uint32(x) >> 16 << 5
	switch typ {
	case rGDPage, rIEPage, rDescPage:
		j.lets(insnMovzLsl | hi | reg) // movz Rd, #:tprel_g1:x, lsl #16
	case rDescLiteral:
		j.lets(insnMovzLsl | hi) // movz x0, #:tprel_g1:x, lsl #16
	case rGDAdd:
		other := uint32(1)
		if from == 1 {
			other = 0
		}
		j.lets(insnMovk|lo|from, // movk Rn, #:tprel_g0_nc:x
			insnMRS|other,                        // mrs x1, tpidr_el0
			insnAddX0&^(rd<<5)|from<<16|other<<5) // add x0, x1, Rn
	case rGDAdr:
		j.lets(insnMRS|1, // mrs x1, tpidr_el0
			insnAddHi|1<<5|uint32(x)>>12&0xfff<<10, // add x0, x1, #:tprel_hi12:x, lsl #12
			insnAddImm|uint32(x)&0xfff<<10)         // add x0, x0, #:tprel_lo12_nc:x
		if x >= 1<<24 {
			return fmt.Errorf("the offset %#x from the thread pointer does not fit 24 bits", x)
		}
	case rGDMovG1, rDescMovG1:
		j.lets(insnMovz32 | reg) // movz Rd, #:tprel_g2:x, lsl #32
	case rDescMovG0:
		j.lets(insnMovk16 | hi | reg) // movk Rd, #:tprel_g1_nc:x, lsl #16
	case rGDMovG0:
		j.lets(insnMovk16|hi|reg, // movk x0, #:tprel_g1_nc:x, lsl #16
			insnMovk|lo,          // movk x0, #:tprel_g0_nc:x
			insnMRS|1, insnAddX0) // mrs x1, tpidr_el0; add x0, x1, x0
	case rDescLoad, rDescAdr, rDescLDR:
		j.lets(insnMovk | lo) // movk x0, #:tprel_g0_nc:x
	case rDescAddLo12, rDescAdd, rDescCall:
		j.lets(insnNop)
	case rIELoad:
		return j.loadToMove(reg, from, uint32(x))
	default:
		return j.localDynamic(typ, reg)
	}
	return nil
}

// loadToMove makes the load of initial exec into MOVK. If it loads into another
// register than the page is in, ADD must do.
func (j *job) loadToMove(reg, from, x uint32) error {
	if reg == from {
		j.lets(insnMovk | x&0xffff<<5 | reg) // movk Rt, #:tprel_g0_nc:x
		return nil
	}
	if x &= 0xffff; x >= maxAddImm {
		return fmt.Errorf("the load is into another register (x%d) than that of the page (x%d); the offset's low 16 bits %#x do not fit an ADD", reg, from, x)
	}
	j.lets(insnAddImm | x<<10 | from<<5 | reg) // add Rt, Rn, #x
	return nil
}

// localDynamic computes where the module's TLS block starts, in place of a call.
func (j *job) localDynamic(typ, reg uint32) error {
	start := uint32(j.e.TPOff(j.e.TLSStart))
	add := insnAddImm | start<<10 // add x0, x0, #start
	if start >= maxAddImm {
		if start&pageMask != 0 || start>>24 != 0 {
			return fmt.Errorf("the TLS block's alignment %#x does not fit an ADD", start)
		}
		add = insnAddHi | start>>12<<10 // add x0, x0, #start, lsl #12
	}
	switch typ {
	case rLDPage:
		j.lets(insnMRS | reg) // mrs Rd, tpidr_el0
	case rLDAdd:
		from := load(j.b[j.pos:]) >> rnShift & rd
		j.lets(add|from<<5, insnNop, insnNop)
	case rLDAdr:
		j.lets(insnMRS, add, insnNop)
	}
	return nil
}

// initialExec makes the instruction at the place, and those that go with it, load
// the offset from the GOT entry in v.
func (j *job) initialExec(typ uint32, v *machine.Values) error {
	insn := load(j.b[j.pos:])
	switch typ {
	case rGDPage, rDescPage:
		return j.apply(rIEPage, v)
	case rGDAdd:
		from := insn & (rd << 5)
		j.lets(insnLoad|from, insnMRS|1, insnAddX0) // ldr x0, [Rn, #:gottprel_lo12:x]; mrs x1, tpidr_el0; add x0, x1, x0
		return j.apply(rIELoad, v)
	case rGDAdr:
		j.lets(insnLiteral, insnMRS|1, insnAddX0) // ldr x0, :gottprel:x; mrs x1, tpidr_el0; add x0, x1, x0
		return j.apply(rIELiteral, v)
	case rDescLoad:
		j.lets(insn &^ rd) // ldr x0, [Rn, #:gottprel_lo12:x]
		return j.apply(rIELoad, v)
	case rDescLiteral:
		j.lets(insn &^ rd) // ldr x0, :gottprel:x
		return j.apply(rIELiteral, v)
	case rDescMovG1:
		return j.apply(rIEMovG1, v)
	case rDescMovG0:
		return j.apply(rIEMovG0, v)
	case rDescLDR:
		j.lets(insn &^ rd) // ldr x0, [Rn, Rm]
	default: // ADR, ADD, BLR
		j.lets(insnNop)
	}
	return nil
}
