package aarch64

import (
	"debug/elf"
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
	}
	sym, ok := e.Refer(s, r)
	if !ok {
		return 0
	}
	if err := t.place(s, r, k, sym); err != nil {
		t.fault(e, s, r, sym, err)
		return 0
	}
	if k < kGD {
		t.scanCode(e, s, r, k, sym)
		return 0
	}
	n, err := t.scanTLS(e, s, i, k, sym)
	if err != nil {
		t.fault(e, s, r, sym, err)
	}
	return n
}

func notStatic(k kind) error {
	if k == kRuntime {
		return model.ErrRuntime
	}
	return model.ErrType
}

// place checks what the relocation is about, as far as that needs no address.
func (t *target) place(s *model.Section, r *model.Reloc, k kind, sym *model.Symbol) error {
	size := max(t.rows[r.Type].Width(), 4)
	if k == kWord || k == kAbs || k == kPC {
		size = t.rows[r.Type].Width()
	}
	if n := uint64(len(s.Data)); r.Off > n || n-r.Off < uint64(size) {
		return fmt.Errorf("the place needs %d bytes at %#x, the section has %#x", size, r.Off, n)
	}
	if sym == nil && (k == kGOT || k >= kGD) {
		return errors.New("it needs a symbol")
	}
	if k >= kGD && k != kLD && sym.State == model.Defined && !sym.ThreadLocal() {
		return errors.New("the symbol is not thread-local")
	}
	return nil
}

// scanCode is scan for all but TLS.
func (t *target) scanCode(e *model.Env, s *model.Section, r *model.Reloc, k kind, sym *model.Symbol) {
	switch k {
	case kWord:
		if !e.PIC() {
			sym.WantAddress()
		} else if sym != nil && sym.Preempt || sym.Movable() {
			e.CountDynamic(s, r, t.name(r.Type), sym)
		}
	case kAbs:
		if sym != nil && e.PIC() && (sym.Preempt || sym.Movable() && !sym.Script) {
			t.fault(e, s, r, sym, e.FixedError())
			return
		}
		sym.WantAddress()
	case kLow, kPC, kNear, kGOTRel, kPatch:
		if sym != nil && sym.Preempt && e.PIC() {
			t.fault(e, s, r, sym, e.FixedError())
			return
		}
		if k == kPC && bound(e, s, sym) {
			t.fault(e, s, r, sym, errBound)
			return
		}
		sym.WantAddress()
	case kBranch:
		if sym != nil && (sym.Preempt || sym.IFunc()) {
			sym.Want(model.NeedPLT)
		}
		if sym == nil || sym.Script || sym.Absolute() {
			t.anywhere.Store(true)
		}
	case kGOT:
		sym.Want(model.NeedGOT)
		e.NeedGOTBase.Set()
	}
	if k == kGOTRel {
		e.NeedGOTBase.Set()
	}
}

// errBound is for code that holds the distance to what a dynamic linker may find.
var errBound = errors.New("nothing here defines the weak symbol, the dynamic linker may, and the code holds a distance to it; recompile with -fPIE, or link with --no-dynamic-linker")

// bound says whether a dynamic linker may bind an undefined weak symbol that a
// read-only place refers to by a distance. GNU ld refuses that too.
func bound(e *model.Env, s *model.Section, sym *model.Symbol) bool {
	return sym != nil && sym.State != model.Defined && sym.Weak() && sym.Vis == elf.STV_DEFAULT &&
		e.Opt.PIE && !e.Opt.Shared && !e.Opt.NoDynamicLinker && s.Flags&elf.SHF_WRITE == 0
}

// fault reports a relocation that cannot be, before there are addresses.
func (t *target) fault(e *model.Env, s *model.Section, r *model.Reloc, sym *model.Symbol, err error) {
	e.RelocFault(s, r, t.name(r.Type), sym, err)
}

// overflow reports a value that does not fit.
func (t *target) overflow(e *model.Env, s *model.Section, r *model.Reloc, sym *model.Symbol, S, P uint64, err error) {
	e.RelocFailed(s, r, &model.RelocError{Name: t.name(r.Type), Symbol: sym, S: S, P: P, Err: err}, func() string { return hint(t.kind(r.Type), r.Type, sym) })
}

// hint says what to do about a value that does not fit.
func hint(k kind, typ uint32, sym *model.Symbol) string {
	if sym != nil && sym.State != model.Defined {
		return "nothing defines it, so its address is 0"
	}
	switch {
	case k == kBranch && typ != rPLT32:
		return "no veneer is near enough: a single section is larger than what a branch reaches, or is no code; compile with -ffunction-sections"
	case k == kNear:
		return "a conditional branch gets no veneer: move the sections together"
	case typ == rADRPage || k == kGOT:
		return "it is beyond 4 GiB: move the sections together, or -mcmodel=large"
	case k == kLow:
		return "the place that is read is not aligned for the instruction"
	case k == kPC:
		return "move the sections together"
	case k == kAbs:
		return "the code expects a smaller address: -mcmodel"
	}
	return ""
}
