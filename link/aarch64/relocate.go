package aarch64

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"math"

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
	// quiet is set for the second time that a place is relocated.
	quiet bool

	// Of the relocation at hand.
	pos     int  // of the place in b
	movable bool // a loader that shifts the image changes the symbol's value
}

// Relocate applies a section's relocations.
func (t *target) Relocate(e *model.Env, s *model.Section, b []byte) {
	j := job{t: t, e: e, s: s, b: b, next: int(s.DynFirst)}
	if s.Out != nil {
		j.base = s.Out.Addr + s.Off
	}
	if s.Flags&elf.SHF_ALLOC == 0 {
		j.plain()
		return
	}
	for i := 0; i < len(s.Relocs); i++ {
		if !j.hot(&s.Relocs[i]) {
			i += j.relocate(i)
		}
	}
	t.mend(e, s, b, j.base)
}

// hot does the types that nearly all relocations have, against symbols about which
// nothing is special. Whatever it does not do it leaves alone.
func (j *job) hot(r *model.Reloc) bool {
	syms := j.s.Obj.Symbols
	if int64(r.Sym) >= int64(len(syms)) {
		return false
	}
	sym := syms[r.Sym]
	if sym == nil || sym.Sec == nil || sym.Preempt || sym.Type == elf.STT_GNU_IFUNC || j.s.Map != nil || sym.Sec.Map != nil || sym.Sec.Out == nil || !sym.Sec.Live {
		return false
	}
	if n := uint64(len(j.b)); r.Off > n || n-r.Off < 4 {
		return false
	}
	x := sym.Sec.Out.Addr + sym.Sec.Off + sym.Value + uint64(r.Addend)
	place := j.b[r.Off:]
	insn := load(place)
	switch r.Type {
	case rJump26, rCall26:
		d := x - (j.base + r.Off)
		if !reaches(int64(d)) || d&3 != 0 {
			return false
		}
		insn = insn&^0x3ffffff | uint32(d)>>2&0x3ffffff
	case rADRPage:
		d := pagesApart(x, j.base+r.Off)
		if !pageReaches(d) {
			return false
		}
		insn = page(insn, uint64(d))
	case rADDLo12, rLDST8:
		insn = insn&^(0xfff<<10) | uint32(x)&0xfff<<10
	case rLDST16, rLDST32, rLDST64, rLDST128:
		scale := uint32(r.Type) - rLDST16 + 1
		if r.Type == rLDST128 {
			scale = 4
		}
		if x&(1<<scale-1) != 0 {
			return false
		}
		insn = insn&^(0xfff<<10) | uint32(x)&0xfff>>scale<<10
	case rPREL32:
		d := x - (j.base + r.Off)
		if int64(d) != int64(int32(d)) {
			return false
		}
		j.e.Order.PutUint32(place, uint32(d))
		return true
	case rABS64:
		if j.e.PIC() || len(place) < 8 {
			return false
		}
		j.e.Order.PutUint64(place, x)
		return true
	default:
		return false
	}
	store(place, insn)
	return true
}

// relocate applies relocation i and returns how many after it belong to it.
func (j *job) relocate(i int) int {
	r := &j.s.Relocs[i]
	if P, ok := j.locate(r.Off); ok {
		return j.relocateAt(i, P)
	}
	return 0
}

// relocateAt is relocate for a place with address P at j.pos.
func (j *job) relocateAt(i int, P uint64) int {
	t, e, s := j.t, j.e, j.s
	r := &s.Relocs[i]
	k := t.kind(r.Type)
	if k == kNone || k == kUnknown || k == kRuntime {
		return 0 // reported by Scan
	}
	sym := s.Symbol(r)
	if sym != nil && sym.Gone() || sym == nil && (k == kGOT || k >= kGD) || len(j.b)-j.pos < max(t.rows[r.Type].Width(), 2) {
		return 0 // reported, or of no matter
	}
	j.movable = sym.Movable() && !sym.Absolute()
	S, A := e.Value(s, r)
	n := 0
	var err error
	if k >= kGD {
		n, err = j.tls(i, k, sym, S, A, P)
	} else {
		if at, ok := linkage(e, sym); ok && !(k == kWord && (sym.Preempt || e.PIC())) {
			S = at
		}
		err = j.code(r, k, sym, S, A, P)
	}
	if err != nil && !j.quiet {
		t.overflow(e, s, r, sym, S, P, err)
	}
	return n
}

// locate gives the address of a place, and sets j.pos. It is not there if the
// section's pieces were sorted out and its piece dropped.
func (j *job) locate(off uint64) (uint64, bool) {
	if j.s.Map != nil {
		t, pos, ok := j.s.Map.At(off)
		if !ok || t != j.s {
			return 0, false
		}
		off = pos
	}
	j.pos = int(off)
	return j.base + off, off <= uint64(len(j.b))
}

// linkage is the address of a symbol's PLT entry, if it is reached by one.
func linkage(e *model.Env, sym *model.Symbol) (uint64, bool) {
	if sym == nil || !sym.Preempt && !sym.IFunc() {
		return 0, false
	}
	return e.Linkage(sym)
}

// nowhere says whether it is a weak symbol that nothing defines, and that no other
// object may define.
func nowhere(sym *model.Symbol) bool {
	return sym != nil && sym.State != model.Defined && sym.Weak() && !sym.Preempt
}

// code does all kinds but those of TLS.
func (j *job) code(r *model.Reloc, k kind, sym *model.Symbol, S uint64, A int64, P uint64) error {
	e := j.e
	v := machine.Values{S: S, A: A, P: P, L: S, GOT: e.GOT}
	switch k {
	case kWord:
		if done, err := j.word(r, sym, S, A, P); done {
			return err
		}
	case kAbs:
		if e.PIC() && j.movable {
			return e.FixedError()
		}
	case kPC:
		if nowhere(sym) {
			v.S = P
		}
	case kNear:
		if nowhere(sym) {
			v.S, v.A = P+insnSize, 0
		}
	case kBranch:
		return j.branch(r, sym, &v)
	case kGOT:
		if sym.Aux == nil || sym.Aux.GOT < 0 {
			return errors.New("the symbol has no GOT entry")
		}
		v.G = e.SecGOT.Addr(uint64(sym.Aux.GOT)) - e.GOT + uint64(A)
		if r.Type == 315 { // GOTPCREL32 adds A itself
			v.G -= uint64(A)
		}
	case kPatch:
		if nowhere(sym) {
			return nil
		}
	}
	return j.apply(r.Type, &v)
}

// branch does B and BL, by a veneer if it must.
func (j *job) branch(r *model.Reloc, sym *model.Symbol, v *machine.Values) error {
	if nowhere(sym) {
		if r.Type != rPLT32 {
			store(j.b[j.pos:], insnNop)
			return nil
		}
		v.S = v.P
	}
	if to := v.S + uint64(v.A); r.Type != rPLT32 && !reaches(int64(to-v.P)) {
		if at, ok := j.t.veneers.find(j.s, sym, v.A); ok {
			v.S, v.A = at, 0
		}
	}
	return j.apply(r.Type, v)
}

// apply carries a row out.
func (j *job) apply(typ uint32, v *machine.Values) error {
	row := j.t.rows[typ]
	order := j.e.Order
	if row.Field != nil && row.Field.Little {
		order = binary.LittleEndian
	}
	return row.Apply(j.b[j.pos:], order, v)
}

// word does an address that a loader may have to put right; done is false if none
// has to.
func (j *job) word(r *model.Reloc, sym *model.Symbol, S uint64, A int64, P uint64) (done bool, err error) {
	e := j.e
	if !e.PIC() || sym == nil || !sym.Preempt && !j.movable {
		return false, nil
	}
	v := machine.Values{S: S, A: A}
	switch {
	case sym.Preempt:
		j.dynamic(model.DynReloc{Off: P, Addend: A, Sym: sym, Type: r.Type})
		v = machine.Values{}
	case sym.IFunc():
		j.dynamic(model.DynReloc{Off: P, Addend: int64(S) + A, Type: rIRelative})
	default:
		j.dynamic(model.DynReloc{Off: P, Addend: int64(S) + A, Type: rRelative})
	}
	if e.Opt.NoApplyDynamic {
		return true, nil
	}
	return true, j.apply(r.Type, &v)
}

func (j *job) dynamic(d model.DynReloc) { j.e.AddDynamic(&j.next, d) }

// plain applies the relocations of a section that is not loaded: addresses as
// linked, and for what is not in the output a mark.
func (j *job) plain() {
	tomb, v := j.e.Tombstone(j.s), machine.Values{GOT: j.e.GOT, DTP: j.e.TLSStart}
	v.TP = -uint64(j.e.TPOff(0))
	for i := range j.s.Relocs {
		r := &j.s.Relocs[i]
		if j.hotPlain(r) {
			continue
		}
		k := j.t.kind(r.Type)
		if k == kNone {
			continue
		}
		var err error
		sym := j.s.Symbol(r)
		P, ok := j.locate(r.Off)
		switch {
		case !ok:
			continue
		case k == kUnknown || k == kRuntime:
			err = notStatic(k)
		case k == kGOT || k == kGD || k == kLD || k == kIE || k == kDesc:
			err = errors.New("it is in a section that is not loaded, for which there are no GOT entries")
		case sym != nil && sym.Gone():
			err = j.t.rows[r.Type].Put(j.b[j.pos:], j.e.Order, int64(tomb))
		default:
			v.S, v.A = j.e.Value(j.s, r)
			v.P, v.L = P, v.S
			err = j.apply(r.Type, &v)
		}
		if err != nil {
			j.t.overflow(j.e, j.s, r, sym, v.S, P, err)
		}
	}
}

// hotPlain does what debugging data consists of.
func (j *job) hotPlain(r *model.Reloc) bool {
	if r.Type != rABS64 && r.Type != rABS64+1 {
		return false
	}
	syms := j.s.Obj.Symbols
	if int64(r.Sym) >= int64(len(syms)) {
		return false
	}
	sym := syms[r.Sym]
	if sym == nil || sym.Sec == nil || !sym.Sec.Live || sym.Sec.Map != nil || sym.Sec.Out == nil || j.s.Map != nil {
		return false
	}
	n := uint64(len(j.b))
	if r.Off > n || n-r.Off < 8 {
		return false
	}
	x := sym.Sec.Out.Addr + sym.Sec.Off + sym.Value + uint64(r.Addend)
	switch {
	case r.Type == rABS64:
		j.e.Order.PutUint64(j.b[r.Off:], x)
	case x <= math.MaxUint32:
		j.e.Order.PutUint32(j.b[r.Off:], uint32(x))
	default:
		return false
	}
	return true
}
