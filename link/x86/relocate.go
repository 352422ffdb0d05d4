package x86

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
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
}

// hot does the few types that nearly all relocations have, against symbols about
// which nothing is special. Whatever it does not do it leaves alone.
func (j *job) hot(r *model.Reloc) bool {
	syms := j.s.Obj.Symbols
	if int64(r.Sym) >= int64(len(syms)) {
		return false
	}
	sym := syms[r.Sym]
	if sym == nil || sym.Sec == nil || sym.Preempt || sym.Type == elf.STT_GNU_IFUNC || j.s.Map != nil {
		return false
	}
	x, ok := meant(sym, r.Addend)
	if !ok {
		return false
	}
	if n := uint64(len(j.b)); r.Off > n || n-r.Off < 8 {
		return false
	}
	place := j.b[r.Off : r.Off+8]
	if !j.t.wide {
		switch r.Type {
		case r32PC32, r32PLT32:
			x -= j.base + r.Off
		case r32Word:
			if j.e.PIC() {
				return false
			}
		default:
			return false
		}
		binary.LittleEndian.PutUint32(place, uint32(x))
		return true
	}
	switch r.Type {
	case r64PC32, r64PLT32:
		x -= j.base + r.Off
		if int64(x) != int64(int32(x)) {
			return false
		}
	case r64Word:
		if j.e.PIC() {
			return false
		}
		binary.LittleEndian.PutUint64(place, x)
		return true
	case r64Abs32S:
		if j.e.PIC() || int64(x) != int64(int32(x)) {
			return false
		}
	case r64Abs32:
		if j.e.PIC() || x > math.MaxUint32 {
			return false
		}
	default:
		return false
	}
	binary.LittleEndian.PutUint32(place, uint32(x))
	return true
}

// meant is the address that a symbol in a section and an addend mean, as
// [model.Env.Value] has it; false where the section is not in the output, or
// in pieces and the symbol not its own.
func meant(sym *model.Symbol, addend int64) (uint64, bool) {
	sec, off := sym.Sec, sym.Value+uint64(addend)
	if sec.Map != nil {
		if sym.Type != elf.STT_SECTION {
			return 0, false
		}
		var ok bool
		if sec, off, ok = sec.Map.At(off); !ok {
			return 0, false
		}
	}
	if sec.Out == nil {
		return 0, false
	}
	return sec.Out.Addr + sec.Off + off, true
}

// relocate applies relocation i and returns how many after it belong to it.
func (j *job) relocate(i int) int {
	t, e, s := j.t, j.e, j.s
	r := &s.Relocs[i]
	k := t.kind(r.Type)
	if k == kNone || k == kUnknown || k == kRuntime {
		return 0 // reported by Scan
	}
	P, ok := j.locate(r.Off)
	if !ok {
		return 0
	}
	sym := s.Symbol(r)
	if sym != nil && sym.Gone() {
		return 0 // reported, or of no matter
	}
	j.movable = sym.Movable() && !sym.Absolute()
	S, A := e.Value(s, r)
	L := S
	if sym != nil && (sym.Preempt || sym.IFunc()) {
		if at, ok := e.Linkage(sym); ok {
			L = at
			if !sym.Preempt && !(k == kWord && e.PIC()) {
				S = at
			}
		}
	}
	if k >= kGD {
		return j.tls(i, k, sym, S, A, P)
	}
	if err := j.code(r, k, sym, S, A, L, P); err != nil {
		t.overflow(e, s, r, sym, S, P, err)
	}
	return 0
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

// code does all kinds but those of TLS.
func (j *job) code(r *model.Reloc, k kind, sym *model.Symbol, S uint64, A int64, L, P uint64) error {
	t, e := j.t, j.e
	v := machine.Values{S: S, A: A, P: P, L: L, GOT: e.GOT}
	switch k {
	case kWord:
		if done, err := j.word(r, sym, S, A, P); done {
			return err
		}
	case kNarrow:
		if e.PIC() && j.movable {
			return e.FixedError()
		}
	case kPC:
		if sym != nil && sym.Preempt {
			return j.dynamicPC(r, sym, A, P)
		}
		fallthrough
	case kPLT:
		if e.PIC() && sym != nil && sym.Script && !j.movable {
			return errors.New("the distance to a fixed address is not known where the output may be loaded anywhere")
		}
	case kLoad:
		if f := t.loadForm(e, j.s, r, sym); f != keep {
			if !t.load(j, j.pos, f, S, P, r.Type) {
				return fmt.Errorf("the address does not fit the instruction without the GOT; link with --no-relax")
			}
			return nil
		}
		fallthrough
	case kGOT:
		if sym.Aux == nil || sym.Aux.GOT < 0 {
			return errors.New("the symbol has no GOT entry")
		}
		v.G = e.SecGOT.Addr(uint64(sym.Aux.GOT)) - e.GOT
		if t.withoutBase(j.s, r) {
			v.A += int64(e.GOT)
		}
	case kSize:
		v.Z = sym.Size
		if sym.Preempt {
			j.dynamic(model.DynReloc{Off: P, Addend: A, Sym: sym, Type: r.Type})
			return nil
		}
	}
	return j.apply(r, &v)
}

// apply carries a row out.
func (j *job) apply(r *model.Reloc, v *machine.Values) error {
	return j.t.rows[r.Type].Apply(j.b[j.pos:], binary.LittleEndian, v)
}

// word does an address that a loader may have to put right; done is false if none
// has to. The place holds the address as linked, as GNU ld has it, or the addend
// where relocations are REL.
func (j *job) word(r *model.Reloc, sym *model.Symbol, S uint64, A int64, P uint64) (done bool, err error) {
	e := j.e
	if !e.PIC() || sym == nil || !sym.Preempt && !j.movable {
		return false, nil
	}
	switch {
	case sym.Preempt:
		j.dynamic(model.DynReloc{Off: P, Addend: A, Sym: sym, Type: r.Type})
		S = 0
		if j.t.wide {
			A = 0
		}
	case sym.IFunc():
		j.dynamic(model.DynReloc{Off: P, Addend: int64(S) + A, Type: j.t.irelative})
	default:
		j.dynamic(model.DynReloc{Off: P, Addend: int64(S) + A, Type: j.t.relative})
	}
	return true, j.apply(r, &machine.Values{S: S, A: A})
}

// dynamicPC is a distance to a symbol of another object, which i386 allows.
func (j *job) dynamicPC(r *model.Reloc, sym *model.Symbol, A int64, P uint64) error {
	j.dynamic(model.DynReloc{Off: P, Addend: A, Sym: sym, Type: r.Type})
	return j.apply(r, &machine.Values{A: A})
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
		case k == kUnknown || k == kRuntime || k == kDescCall:
			err = notStatic(k)
		case sym != nil && sym.Gone():
			err = j.t.rows[r.Type].Put(j.b[j.pos:], binary.LittleEndian, int64(tomb))
		default:
			v.S, v.A = j.e.Value(j.s, r)
			v.P, v.L = P, v.S
			if err = j.outside(k, sym, &v); err == nil {
				err = j.apply(r, &v)
			}
		}
		if err != nil {
			j.t.overflow(j.e, j.s, r, sym, v.S, P, err)
		}
	}
}

// hotPlain does what debugging data consists of.
func (j *job) hotPlain(r *model.Reloc) bool {
	typ := uint32(r64Abs32)
	if !j.t.wide {
		typ = r32Word
	}
	if r.Type != typ && r.Type != r64Word {
		return false
	}
	syms := j.s.Obj.Symbols
	if int64(r.Sym) >= int64(len(syms)) {
		return false
	}
	sym := syms[r.Sym]
	if sym == nil || sym.Sec == nil || !sym.Sec.Live || j.s.Map != nil {
		return false
	}
	n := uint64(len(j.b))
	if r.Off > n || n-r.Off < 8 {
		return false
	}
	x, ok := meant(sym, r.Addend)
	switch {
	case !ok:
		return false
	case !j.t.wide:
		binary.LittleEndian.PutUint32(j.b[r.Off:], uint32(x))
	case r.Type == r64Word:
		binary.LittleEndian.PutUint64(j.b[r.Off:], x)
	case x <= math.MaxUint32:
		binary.LittleEndian.PutUint32(j.b[r.Off:], uint32(x))
	default:
		return false
	}
	return true
}

// outside gives what the kinds need that seldom occur in sections that are not
// loaded.
func (j *job) outside(k kind, sym *model.Symbol, v *machine.Values) error {
	if sym != nil {
		v.Z = sym.Size
	}
	switch k {
	case kGOT, kLoad:
		if sym == nil || sym.Aux == nil || sym.Aux.GOT < 0 {
			return errors.New("it is in a section that is not loaded, for which there are no GOT entries")
		}
		v.G = j.e.SecGOT.Addr(uint64(sym.Aux.GOT)) - j.e.GOT
	case kGD, kLD, kIE, kIEKeep, kDesc:
		return errors.New("it is in a section that is not loaded, for which there are no GOT entries")
	}
	return nil
}
