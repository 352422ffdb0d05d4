package riscv

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"elfwright/link/model"
)

// Scan notes what the relocations of a section need. It puts them into the order
// of their places, by which pairs are found.
func (t *target) Scan(e *model.Env, s *model.Section) {
	byPlace := func(a, b model.Reloc) int { return cmp.Compare(a.Off, b.Off) }
	if !slices.IsSortedFunc(s.Relocs, byPlace) {
		slices.SortStableFunc(s.Relocs, byPlace)
	}
	end := uint64(0)
	for i := range s.Relocs {
		t.scan(e, s, i)
		end = t.apart(e, s, &s.Relocs[i], end)
	}
}

// apart reports instructions that could be taken out and lie over each other. It
// returns the end of the last one.
func (t *target) apart(e *model.Env, s *model.Section, r *model.Reloc, end uint64) uint64 {
	n := uint64(4)
	switch r.Type {
	case rHi20, rPCRelHi20, rTPRelHi20, rTPRelAdd:
	case rCall, rCallPLT:
		n = 8
	case rAlign:
		n = uint64(r.Addend)
	default:
		return end
	}
	if r.Off < end {
		t.fault(e, s, r, nil, fmt.Errorf("its instruction begins within another one, which ends at %#x", end))
	}
	return r.Off + n
}

func (t *target) scan(e *model.Env, s *model.Section, i int) {
	r := &s.Relocs[i]
	k := t.kind(r.Type)
	switch k {
	case kNone:
		return
	case kUnknown:
		t.fault(e, s, r, nil, model.ErrType)
		return
	case kRuntime:
		t.fault(e, s, r, nil, model.ErrRuntime)
		return
	}
	sym, ok := e.Refer(s, r)
	if !ok {
		return
	}
	err := t.place(s, r, k, sym)
	if err == nil {
		err = t.needs(e, s, i, k, sym)
	}
	if err != nil {
		t.fault(e, s, r, sym, err)
	}
}

// place checks what the relocation is about, as far as that needs no address.
func (t *target) place(s *model.Section, r *model.Reloc, k kind, sym *model.Symbol) error {
	size := uint64(4)
	switch row := t.rows[r.Type]; {
	case k == kAlign:
		size = uint64(r.Addend)
	case row.Field != nil && row.Field.Size != 0:
		size = uint64(row.Field.Size)
	case row.Field != nil:
		size = 1
	}
	if n := uint64(len(s.Data)); r.Off > n || n-r.Off < size {
		return fmt.Errorf("the place needs %d bytes at %#x, the section has %#x", size, r.Off, n)
	}
	if sym == nil && k != kAlign && (k >= kPCLo && k <= kGOT || k >= kIE) {
		return errors.New("it needs a symbol")
	}
	tls := k >= kIE && k != kDescLo && k != kDescCall
	if tls && sym.State == model.Defined && !sym.ThreadLocal() {
		return errors.New("the symbol is not thread-local")
	}
	return nil
}

// needs is scan for a relocation that can be carried out.
func (t *target) needs(e *model.Env, s *model.Section, i int, k kind, sym *model.Symbol) error {
	r := &s.Relocs[i]
	switch k {
	case kWord:
		return t.needsWord(e, s, r, sym)
	case kNarrow, kAbs:
		if e.PIC() && (sym != nil && sym.Preempt || sym.Movable() && !sym.Script) {
			return e.FixedError()
		}
		sym.WantAddress()
	case kPC, kPCHi:
		if sym != nil && sym.Preempt && sym.State == model.Defined {
			return e.FixedError()
		}
		sym.WantAddress()
	case kJump, kCall:
		if sym != nil && (sym.Preempt || sym.IFunc()) {
			sym.Want(model.NeedPLT)
		}
	case kPCLo, kDescLo, kDescCall:
		h, err := t.high(s, r)
		if err == nil && (t.kind(h.Type) == kDesc) != (k != kPCLo) {
			err = fmt.Errorf("the high part at its label is of another kind, %s", t.name(h.Type))
		}
		return err
	case kGOT:
		sym.Want(model.NeedGOT)
	case kIE:
		sym.Want(model.NeedGOTTP)
		if e.Opt.Shared {
			e.StaticTLS.Set()
		}
	case kGD:
		sym.Want(model.NeedTLSGD)
	case kLE, kLEAdd:
		if e.Opt.Shared {
			return e.FixedError()
		}
	case kDesc:
		switch {
		case e.Opt.Shared:
			sym.Want(model.NeedTLSDesc)
		case sym.Preempt:
			sym.Want(model.NeedGOTTP)
		}
	case kULEB:
		_, err := pair(s, i)
		return err
	}
	return nil
}

// needsWord is for an address that a loader can put right.
func (t *target) needsWord(e *model.Env, s *model.Section, r *model.Reloc, sym *model.Symbol) error {
	switch {
	case !e.PIC():
		sym.WantAddress()
	case sym != nil && sym.Preempt || sym.Movable():
		e.CountDynamic(s, r, t.name(r.Type), sym)
	}
	return nil
}

// high finds the relocation of the high part whose label a low part names.
func (t *target) high(s *model.Section, r *model.Reloc) (*model.Reloc, error) {
	label := s.Symbol(r)
	if label == nil || label.Sec != s {
		return nil, errors.New("its symbol is no label of a high part in this section")
	}
	i, _ := slices.BinarySearchFunc(s.Relocs, label.Value, func(x model.Reloc, off uint64) int { return cmp.Compare(x.Off, off) })
	for ; i < len(s.Relocs) && s.Relocs[i].Off == label.Value; i++ {
		h := &s.Relocs[i]
		if h.Type == goneAUIPC {
			return h, nil
		}
		switch t.kind(h.Type) {
		case kPCHi, kGOT, kIE, kGD, kDesc:
			return h, nil
		}
	}
	return nil, fmt.Errorf("there is no relocation of a high part at the label %s (%#x)", label.Label(), label.Value)
}

// pair checks that a SUB_ULEB128 follows a SET_ULEB128 at the same place, and
// returns the other half.
func pair(s *model.Section, i int) (*model.Reloc, error) {
	r, other := &s.Relocs[i], i+1
	want := uint32(rSubULEB128)
	if r.Type == rSubULEB128 {
		other, want = i-1, rSetULEB128
	}
	if other < 0 || other >= len(s.Relocs) || s.Relocs[other].Off != r.Off || s.Relocs[other].Type != want {
		return nil, errors.New("SET_ULEB128 and SUB_ULEB128 come in pairs")
	}
	return &s.Relocs[other], nil
}

func (t *target) name(typ uint32) string {
	typ = public(typ)
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
	e.RelocFailed(s, r, &model.RelocError{Name: t.name(r.Type), Symbol: sym, S: S, P: P, Err: err}, func() string { return hint(t.kind(public(r.Type)), sym) })
}

// hint says what to do about a value that does not fit.
func hint(k kind, sym *model.Symbol) string {
	if sym != nil && sym.State != model.Defined {
		return "nothing defines it, so its address is 0"
	}
	switch k {
	case kAbs:
		return "the code expects it within 2 GiB of address 0: -mcmodel=medany"
	case kPCHi, kCall, kGOT:
		return "it is beyond 2 GiB: move the sections together"
	case kPC, kJump:
		return "it is beyond the reach of the instruction: use call or tail, or move the sections together"
	}
	return ""
}
