package x86

import (
	"errors"
	"fmt"

	"elfwright/link/model"
)

// Scan notes what the relocations of a section need.
func (t *target) Scan(e *model.Env, s *model.Section) {
	for i := 0; i < len(s.Relocs); i++ {
		i += t.scan(e, s, i)
	}
}

// scan looks at relocation i and returns how many after it belong to it.
func (t *target) scan(e *model.Env, s *model.Section, i int) int {
	r := &s.Relocs[i]
	k := t.kind(r.Type)
	switch k {
	case kNone:
		return 0
	case kUnknown, kRuntime:
		t.fault(e, s, r, nil, notStatic(k))
		return 0
	case kGD, kLD:
		if !e.Opt.Shared {
			return t.scanUnit(e, s, i, k)
		}
	}
	sym, ok := e.Refer(s, r)
	if !ok {
		return 0
	}
	if err := t.place(s, r, k, sym); err != nil {
		t.fault(e, s, r, sym, err)
		return 0
	}
	if k >= kGD {
		t.scanTLS(e, s, r, k, sym)
	} else {
		t.scanCode(e, s, r, k, sym)
	}
	return 0
}

func notStatic(k kind) error {
	if k == kRuntime {
		return model.ErrRuntime
	}
	return model.ErrType
}

// place checks what the relocation is about, as far as that needs no address.
func (t *target) place(s *model.Section, r *model.Reloc, k kind, sym *model.Symbol) error {
	size := 4
	if int64(r.Type) < int64(len(t.rows)) && t.rows[r.Type] != nil {
		size = t.rows[r.Type].Width()
	}
	if k == kDescCall {
		size = 2
	}
	if n := uint64(len(s.Data)); r.Off > n || n-r.Off < uint64(size) {
		return fmt.Errorf("the place needs %d bytes at %#x, the section has %#x", size, r.Off, n)
	}
	if sym == nil && (k == kGOT || k == kLoad || k == kSize || k >= kGD) {
		return errors.New("it needs a symbol")
	}
	if k >= kGD && sym.State == model.Defined && !sym.ThreadLocal() {
		return errors.New("the symbol is not thread-local")
	}
	return nil
}

// scanCode is scan for all but TLS.
func (t *target) scanCode(e *model.Env, s *model.Section, r *model.Reloc, k kind, sym *model.Symbol) {
	switch k {
	case kWord:
		t.scanWord(e, s, r, sym)
	case kNarrow:
		if sym != nil && e.PIC() && (sym.Preempt || sym.Movable() && !sym.Script) {
			t.fault(e, s, r, sym, e.FixedError())
		}
		sym.WantAddress()
	case kPC:
		t.scanPC(e, s, r, sym)
	case kPLT, kPLTOff:
		if sym != nil && (sym.Preempt || sym.IFunc()) {
			sym.Want(model.NeedPLT)
		}
	case kGOT, kLoad:
		if k == kLoad && t.loadForm(e, s, r, sym) != keep {
			return
		}
		if err := t.baseless(e, s, r); err != nil {
			t.fault(e, s, r, sym, err)
		}
		sym.Want(model.NeedGOT)
	case kGOTOff:
		if sym != nil && sym.Preempt {
			t.fault(e, s, r, sym, e.FixedError())
		}
		sym.WantAddress()
	case kSize:
		if sym.Preempt {
			e.CountDynamic(s, r, t.name(r.Type), sym)
		}
	}
	if k == kGOTOff || k == kGOTBase || k == kPLTOff || k == kGOT && !t.wide {
		e.NeedGOTBase.Set()
	}
}

// scanWord is for an address as wide as addresses are: a loader can put it right.
func (t *target) scanWord(e *model.Env, s *model.Section, r *model.Reloc, sym *model.Symbol) {
	if !e.PIC() {
		sym.WantAddress()
		return
	}
	if sym != nil && sym.Preempt || sym.Movable() {
		e.CountDynamic(s, r, t.name(r.Type), sym)
	}
}

func (t *target) scanPC(e *model.Env, s *model.Section, r *model.Reloc, sym *model.Symbol) {
	switch {
	case sym == nil:
	case sym.Preempt:
		if t.wide || r.Type != r32PC32 {
			t.fault(e, s, r, sym, e.FixedError())
			return
		}
		e.CountDynamic(s, r, t.name(r.Type), sym)
	case e.PIC() && sym.Absolute() && !sym.Script:
		t.fault(e, s, r, sym, errors.New("the distance to a fixed address is not known where the output may be loaded anywhere"))
	case sym.IFunc() && e.PIC() && !t.wide:
		// The PLT entry counts on the GOT's address in a register.
		t.fault(e, s, r, sym, errors.New("an indirect function is called through the PLT (R_386_PLT32)"))
	default:
		sym.WantAddress()
	}
}

// fault reports a relocation that cannot be, before there are addresses.
func (t *target) fault(e *model.Env, s *model.Section, r *model.Reloc, sym *model.Symbol, err error) {
	e.RelocFault(s, r, t.name(r.Type), sym, err)
}

// overflow reports a value that does not fit.
func (t *target) overflow(e *model.Env, s *model.Section, r *model.Reloc, sym *model.Symbol, S, P uint64, err error) {
	e.RelocFailed(s, r, &model.RelocError{Name: t.name(r.Type), Symbol: sym, S: S, P: P, Err: err}, func() string {
		if !t.wide {
			return "" // the hints are about the code models of x86-64
		}
		return hint(t.kind(r.Type), sym)
	})
}

// hint says what to do about a value that does not fit.
func hint(k kind, sym *model.Symbol) string {
	if sym != nil && sym.State != model.Defined {
		return "nothing defines it, so its address is 0"
	}
	switch k {
	case kNarrow:
		return "the code expects it below 2 GiB, or in the last 2 GiB: -mcmodel=kernel, -mcmodel=medium, or -fPIC"
	case kPC, kPLT, kGOT, kLoad, kGOTBase:
		return "it is beyond 2 GiB: move the sections together, or -mcmodel=large"
	}
	return ""
}
