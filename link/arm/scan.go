package arm

import (
	"errors"
	"fmt"

	"elfwright/link/model"
)

// Scan notes what the relocations of a section need.
func (t *target) Scan(e *model.Env, s *model.Section) {
	for i := range s.Relocs {
		r := &s.Relocs[i]
		k := t.kind(e, r.Type)
		var err error
		switch k {
		case kUnknown:
			err = model.ErrType
		case kRuntime:
			err = model.ErrRuntime
		case kV4BX:
			continue
		}
		if err != nil {
			t.fault(e, s, r, nil, err)
			continue
		}
		sym, ok := e.Refer(s, r)
		if !ok || k == kNone {
			continue
		}
		if err := t.needs(e, s, r, k, sym); err != nil {
			t.fault(e, s, r, sym, err)
		}
	}
}

// needs is for a relocation that can be carried out.
func (t *target) needs(e *model.Env, s *model.Section, r *model.Reloc, k kind, sym *model.Symbol) error {
	w := t.rows[r.Type].Width()
	switch {
	case r.Type == rThmDescSeq16:
		w = 2
	case k == kDesc || k == kDescSeq:
		w = 4
	}
	if r.Off > uint64(len(s.Data)) || uint64(len(s.Data))-r.Off < uint64(w) {
		return fmt.Errorf("the place needs %d bytes at %#x, the section has %#x", w, r.Off, len(s.Data))
	}
	if sym == nil && (k == kGOT || k >= kGD && k != kLD && k != kV4BX) {
		return errors.New("it needs a symbol")
	}
	if k >= kGD && k <= kDesc && k != kLD && sym.State == model.Defined && !sym.ThreadLocal() {
		return errors.New("the symbol is not thread-local")
	}
	preempt := sym != nil && sym.Preempt
	switch k {
	case kWord:
		if e.PIC() && (preempt || sym.Movable()) {
			e.CountDynamic(s, r, t.name(r.Type), sym)
			return nil
		}
		sym.WantAddress()
	case kAbs:
		if e.PIC() && (preempt || sym.Movable() && !sym.Script) {
			return e.FixedError()
		}
		sym.WantAddress()
	case kPC:
		if preempt && sym.State == model.Defined {
			return e.FixedError()
		}
		sym.WantAddress()
	case kBranch:
		if preempt || sym.IFunc() {
			sym.Want(model.NeedPLT)
		}
	case kGOT:
		sym.Want(model.NeedGOT)
	case kGOTBase:
		e.NeedGOTBase.Set()
	case kGD:
		sym.Want(model.NeedTLSGD)
	case kLD:
		e.NeedTLSLD.Set()
	case kDesc:
		if e.Opt.Shared {
			sym.Want(model.NeedTLSDesc)
		}
	case kDescSeq:
		return t.needsDesc(e, s, r)
	case kIE:
		sym.Want(model.NeedGOTTP)
		if e.Opt.Shared {
			e.StaticTLS.Set()
		}
	case kLE:
		if e.Opt.Shared {
			return e.FixedError()
		}
	}
	return nil
}

func (t *target) name(typ uint32) string {
	if n := t.m.Relocs.Name(typ); n != "" {
		return n
	}
	return fmt.Sprintf("relocation type %d", typ)
}

// fault reports a relocation that cannot be, before there are addresses.
func (t *target) fault(e *model.Env, s *model.Section, r *model.Reloc, sym *model.Symbol, err error) {
	e.RelocFault(s, r, t.name(r.Type), sym, err)
}

// overflow reports a value that does not fit.
func (t *target) overflow(e *model.Env, s *model.Section, r *model.Reloc, sym *model.Symbol, S, P uint64, err error) {
	e.RelocFailed(s, r, &model.RelocError{Name: t.name(r.Type), Symbol: sym, S: S, P: P, Err: err}, func() string { return hint(t.kind(e, r.Type)) })
}

// hint says what to do about a value that does not fit.
func hint(k kind) string {
	switch k {
	case kBranch:
		return "it is beyond the reach of the branch, which can have no veneer: move the sections together"
	case kPC:
		return "it is too far away: move the sections together"
	}
	return ""
}
