package x86

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"

	"elfwright/link/model"
	"elfwright/machine"
)

// Thread-local storage (ELF Handling For Thread-Local Storage; psABIs, "TLS
// Relaxation"). An executable knows where its variables are from the thread
// pointer, so every way to find one becomes local exec; a shared object leaves
// all as it is.
//
// General and local dynamic are sequences that end in a call of __tls_get_addr,
// whose relocation comes next. They are changed as a whole and the call goes.

// unit is a general or local dynamic sequence in a section.
type unit struct {
	from, to int    // its bytes
	code     string // what it becomes; its operand is at operand
	operand  int
	reg      byte // i386: base register
}

// errSequence is for code that is none of the psABI's.
var errSequence = errors.New("the instructions are no sequence of the psABI's")

// unitAt finds the sequence around a relocation.
func (t *target) unitAt(s *model.Section, i int, k kind) (unit, error) {
	r := &s.Relocs[i]
	off := int(min(r.Off, uint64(len(s.Data))))
	find := unitGD64
	switch {
	case t.wide && k == kLD:
		find = unitLD64
	case !t.wide && k == kGD:
		find = unitGD32
	case !t.wide:
		find = unitLD32
	}
	u, ok := find(s.Data, off)
	if !ok {
		return u, errSequence
	}
	if i+1 == len(s.Relocs) {
		return u, errors.New("no call of __tls_get_addr follows")
	}
	next := &s.Relocs[i+1]
	if sym := s.Symbol(next); next.Off >= uint64(u.to) || next.Off < r.Off || sym == nil || sym.Name != "__tls_get_addr" && sym.Name != "___tls_get_addr" {
		return u, fmt.Errorf("the relocation after it, at %#x, is no call of __tls_get_addr", next.Off)
	}
	return u, nil
}

// scanUnit is for a sequence in an executable.
func (t *target) scanUnit(e *model.Env, s *model.Section, i int, k kind) int {
	r := &s.Relocs[i]
	if _, err := t.unitAt(s, i, k); err != nil {
		t.fault(e, s, r, nil, err)
		return 0
	}
	sym, ok := e.Refer(s, r)
	if !ok || k == kLD {
		return 1
	}
	if err := t.place(s, r, k, sym); err != nil {
		t.fault(e, s, r, sym, err)
		return 1
	}
	if sym.Preempt {
		sym.Want(model.NeedGOTTP)
	}
	return 1
}

// scanTLS is scan for what is one instruction, and for shared objects.
func (t *target) scanTLS(e *model.Env, s *model.Section, r *model.Reloc, k kind, sym *model.Symbol) {
	var err error
	switch k {
	case kGD:
		sym.Want(model.NeedTLSGD)
	case kLD:
		e.NeedTLSLD.Set()
	case kIE, kIEKeep:
		err = t.scanIE(e, s, r, k, sym)
	case kLE:
		if e.Opt.Shared {
			err = e.FixedError()
		}
	case kDesc:
		switch {
		case e.Opt.Shared:
			sym.Want(model.NeedTLSDesc)
		case !t.descForm(s.Data, r):
			err = errSequence
		case sym.Preempt:
			sym.Want(model.NeedGOTTP)
		}
	case kDescCall:
		if !e.Opt.Shared && !isDescCall(s.Data[r.Off:]) {
			err = errSequence
		}
	}
	if err != nil {
		t.fault(e, s, r, sym, err)
	}
	if !t.wide && k != kLE && k != kDTPOff {
		e.NeedGOTBase.Set()
	}
}

func (t *target) scanIE(e *model.Env, s *model.Section, r *model.Reloc, k kind, sym *model.Symbol) error {
	if t.ieForm(e, s, r, k, sym) {
		return nil
	}
	if !t.wide && r.Type == r32IE32 {
		return errors.New("its form for Sun's dynamic linker is not supported; use @gotntpoff")
	}
	if !t.wide && r.Type == r32IE && e.PIC() {
		return e.FixedError() // the GOT entry's address in the instruction
	}
	sym.Want(model.NeedGOTTP)
	if e.Opt.Shared {
		e.StaticTLS.Set()
	}
	return nil
}

// ieForm says whether a load of an offset from the GOT is changed into the offset
// itself.
func (t *target) ieForm(e *model.Env, s *model.Section, r *model.Reloc, k kind, sym *model.Symbol) bool {
	if k == kIEKeep || e.Opt.Shared || sym.Preempt || r.Off < 2 {
		return false
	}
	if t.wide {
		return r.Addend == -4 && isIE64(s.Data, int(r.Off))
	}
	return r.Addend == 0 && isIE32(s.Data, int(r.Off), r.Type)
}

// tls applies relocation i, of a kind of TLS, and returns how many after it
// belong to it.
func (j *job) tls(i int, k kind, sym *model.Symbol, S uint64, A int64, P uint64) int {
	e, s := j.e, j.s
	r := &s.Relocs[i]
	exec := !e.Opt.Shared
	if exec && (k == kGD || k == kLD) {
		u, err := j.t.unitAt(s, i, k)
		if err == nil {
			err = j.unit(&u, r, k, sym, S, A, P)
		}
		if err != nil {
			j.t.overflow(e, s, r, sym, S, P, err)
		}
		return 1
	}
	var err error
	switch {
	case k == kDescCall:
		if exec {
			copy(j.b[j.pos:], "\x66\x90") // xchg %ax,%ax
		}
	case k == kDesc && exec:
		err = j.desc(r, sym, S, A, P)
	case k == kIE && j.t.ieForm(e, s, r, k, sym):
		err = j.initial(r, S)
	default:
		err = j.tlsRow(r, k, sym, S, A, P)
	}
	if err != nil {
		j.t.overflow(e, s, r, sym, S, P, err)
	}
	return 0
}

// tlsRow is for what keeps its instruction.
func (j *job) tlsRow(r *model.Reloc, k kind, sym *model.Symbol, S uint64, A int64, P uint64) error {
	e := j.e
	v := machine.Values{S: S, A: A, P: P, GOT: e.GOT, DTP: e.TLSStart, TP: -uint64(e.TPOff(0))}
	slot := int64(-1)
	a := sym.Aux
	switch {
	case k == kDTPOff:
		if !e.Opt.Shared && j.s.Flags&elf.SHF_EXECINSTR != 0 {
			v.DTP = v.TP // local dynamic became local exec
		}
		return j.apply(r, &v)
	case k == kLE:
		return j.apply(r, &v)
	case k == kLD:
		slot = e.TLSLDOff
	case a == nil:
	case k == kGD:
		slot = a.TLSGD
	case k == kIE || k == kIEKeep:
		slot = a.GOTTP
	case k == kDesc:
		slot = a.TLSDesc
	}
	if slot < 0 || e.SecGOT == nil {
		return errors.New("the symbol has no GOT entry of the kind")
	}
	v.G = e.SecGOT.Addr(uint64(slot)) - e.GOT
	return j.apply(r, &v)
}

// unit writes the executable's form of a sequence.
func (j *job) unit(u *unit, r *model.Reloc, k kind, sym *model.Symbol, S uint64, A int64, P uint64) error {
	start := j.pos - int(r.Off) + u.from
	if start < 0 || start+u.to-u.from > len(j.b) {
		return errSequence
	}
	b := j.b[start : start+u.to-u.from]
	at := P - r.Off + uint64(u.from) // address of b
	if k == kGD && sym.Preempt {
		return j.unitIE(u, sym, b, at)
	}
	copy(b, u.code)
	if k == kLD {
		return nil
	}
	x := j.e.TPOff(S)
	if j.t.wide {
		x += A + 4 // of the distance in the instruction
		return put32Signed(b[u.operand:], x)
	}
	put32(b[u.operand:], uint64(-(x + A)))
	return nil
}

// unitIE makes general dynamic into initial exec: the variable is another
// object's, which is there from the start.
func (j *job) unitIE(u *unit, sym *model.Symbol, b []byte, at uint64) error {
	if sym.Aux == nil || sym.Aux.GOTTP < 0 {
		return errors.New("the symbol has no GOT entry of the kind")
	}
	slot := j.e.SecGOT.Addr(uint64(sym.Aux.GOTTP))
	copy(b, u.code)
	if j.t.wide {
		// The instruction with the operand is lea off(%rax), %rax: now
		// add slot(%rip), %rax.
		copy(b[u.operand-3:], "\x48\x03\x05")
		return put32Signed(b[u.operand:], int64(slot-(at+uint64(u.operand)+4)))
	}
	// sub $off, %eax: now add slot(%reg), %eax.
	b[u.operand-2], b[u.operand-1] = 0x03, 0x80|u.reg
	put32(b[u.operand:], slot-j.e.GOT)
	return nil
}

func put32Signed(b []byte, x int64) error {
	if x != int64(int32(x)) {
		return fmt.Errorf("the offset %#x does not fit 32 signed bits", x)
	}
	binary.LittleEndian.PutUint32(b, uint32(x))
	return nil
}

func isDescCall(b []byte) bool { return b[0] == 0xff && b[1] == 0x10 } // call *(%rax)
