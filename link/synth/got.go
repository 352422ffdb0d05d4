package synth

import (
	"debug/elf"
	"fmt"
	"slices"

	"elfwright/link/model"
	"elfwright/machine"
)

// The tables of addresses, as GNU ld 2.40 lays them out (measured):
//
//	x86      .got: entries                     .got.plt: _DYNAMIC 0 0, PLT slots
//	AArch64  .got: _DYNAMIC, entries           .got.plt: 0 0 0, PLT slots
//	Arm      .got: entries                     .got.plt: _DYNAMIC 0 0, PLT slots
//	RISC-V   .got: _DYNAMIC, entries           .got.plt: -1 0, PLT slots
//
// _GLOBAL_OFFSET_TABLE_ is the one that begins with _DYNAMIC. The reserved words
// are there if anything refers to it, or to an entry; in what is loaded anywhere
// AArch64, Arm and RISC-V always have those that begin with _DYNAMIC.

// slotKind says what is in an entry of .got, of one word or two.
type slotKind uint8

const (
	slotAddr  slotKind = iota // the symbol's address
	slotTP                    // its offset from the thread pointer
	slotGD                    // module, offset
	slotLD                    // module, 0
	slotDesc                  // a TLS descriptor
	slotIFunc                 // the address of an IFUNC's PLT entry
)

type slot struct {
	sym  *model.Symbol
	off  uint64
	kind slotKind
}

func (s *Set) createGOT() {
	e := s.env
	s.table(".got")
	s.got = s.words(".got", s.writeGOT)
	s.gotplt = s.words(".got.plt", s.writeGOTPLT)
	e.SecGOT, e.SecGOTPLT = s.got, s.gotplt
}

// base is the section that _GLOBAL_OFFSET_TABLE_ begins.
func (s *Set) base() *model.Section {
	switch s.Object.Machine {
	case elf.EM_AARCH64, elf.EM_RISCV:
		return s.got
	}
	return s.gotplt
}

// reserve decides on the reserved words. used tells that something needs the
// tables.
func (s *Set) reserve(used bool) {
	pic := s.env.PIC()
	var got, plt uint64
	switch s.Object.Machine {
	case elf.EM_AARCH64:
		if used || pic {
			got, plt = 1, 3
		}
	case elf.EM_ARM:
		if used || pic {
			plt = 3
		}
	case elf.EM_RISCV:
		if used {
			plt = 2
		}
		if used || pic {
			got = 1
		}
	default:
		if used {
			plt = 3
		}
	}
	s.gotHeader, s.gotplt.Size = got*s.word, plt*s.word
}

// needs goes over all symbols and gives them entries in the order of objects and
// their symbols, so that it does not depend on who scanned what when.
func (s *Set) needs() {
	e := s.env
	need := func(sym *model.Symbol) uint32 {
		if sym == nil {
			return 0
		}
		return sym.Need.Load() &^ model.NeedDynamic
	}
	some := make([]bool, len(e.Objects)) // few have any
	model.Each(e.Opt.Workers(), len(e.Objects), func(i int) {
		some[i] = slices.ContainsFunc(e.Objects[i].Symbols, func(sym *model.Symbol) bool { return need(sym) != 0 })
	})
	for i, o := range e.Objects {
		if !some[i] {
			continue
		}
		for _, sym := range o.Symbols {
			if need(sym) != 0 && sym.Aux == nil {
				s.give(sym, sym.Need.Load())
			}
		}
	}
	e.TLSLDOff = -1
	if e.NeedTLSLD.Get() {
		e.TLSLDOff = s.slot(nil, slotLD)
	}
}

// give makes the entries that a symbol needs.
func (s *Set) give(sym *model.Symbol, need uint32) {
	a := &model.Aux{GOT: -1, GOTTP: -1, TLSGD: -1, TLSDesc: -1, PLT: -1, GOTPLT: -1}
	sym.Aux = a
	ifunc := sym.IFunc() && !sym.Preempt
	const code = model.NeedPLT | model.NeedAddress | model.NeedGOT
	switch {
	case ifunc && need&code != 0:
		a.IPLT = true
		s.iplts = append(s.iplts, sym)
		s.env.GnuABI.Set()
	case sym.Preempt && need&model.NeedPLT != 0:
		s.plts = append(s.plts, sym)
	}
	if need&model.NeedGOT != 0 {
		kind := slotAddr
		if ifunc {
			kind = slotIFunc
		}
		a.GOT = s.slot(sym, kind)
	}
	if need&model.NeedGOTTP != 0 {
		a.GOTTP = s.slot(sym, slotTP)
	}
	if need&model.NeedTLSGD != 0 {
		a.TLSGD = s.slot(sym, slotGD)
	}
	if need&model.NeedTLSDesc != 0 {
		a.TLSDesc = s.slot(sym, slotDesc)
	}
}

// slot makes an entry and returns its offset, to which the reserved words are
// added by placeSlots.
func (s *Set) slot(sym *model.Symbol, k slotKind) int64 {
	off := s.got.Size
	s.slots = append(s.slots, slot{sym, off, k})
	s.got.Size += s.word
	if k == slotGD || k == slotLD || k == slotDesc {
		s.got.Size += s.word
	}
	return int64(off)
}

// placeSlots puts the reserved words before the entries.
func (s *Set) placeSlots() {
	h := s.gotHeader
	s.got.Size += h
	if h == 0 {
		return
	}
	for i := range s.slots {
		x := &s.slots[i]
		x.off += h
		if x.kind == slotLD {
			s.env.TLSLDOff += int64(h)
			continue
		}
		a := x.sym.Aux
		switch x.kind {
		case slotAddr, slotIFunc:
			a.GOT += int64(h)
		case slotTP:
			a.GOTTP += int64(h)
		case slotGD:
			a.TLSGD += int64(h)
		case slotDesc:
			a.TLSDesc += int64(h)
		}
	}
}

// fixed says whether the loader leaves the symbol's value alone: it is a number,
// or a weak symbol that nothing defines. Whether a script's symbol is a number is
// not known before addresses are; it is taken for an address.
func fixed(sym *model.Symbol) bool {
	return sym.State != model.Defined || sym.Absolute() && !sym.Script
}

// dynamicOf is how many dynamic relocations an entry needs.
func (s *Set) dynamicOf(x *slot) int {
	e := s.env
	if !e.PIC() {
		return 0
	}
	preempt := x.sym != nil && x.sym.Preempt
	switch x.kind {
	case slotAddr:
		if preempt || !fixed(x.sym) {
			return 1
		}
		return 0
	case slotIFunc:
		return 1
	case slotTP:
		if preempt || e.Opt.Shared {
			return 1
		}
		return 0
	case slotGD:
		switch {
		case preempt:
			return 2
		case e.Opt.Shared:
			return 1
		}
		return 0
	case slotLD:
		if e.Opt.Shared {
			return 1
		}
		return 0
	}
	return 1 // slotDesc
}

// writeGOT fills .got and the dynamic relocations of its entries.
func (s *Set) writeGOT(b []byte) {
	if s.gotHeader != 0 {
		s.putWord(b, addr(s.dynamic))
	}
	next := int(s.got.DynFirst)
	for i := range s.slots {
		x := &s.slots[i]
		n := s.dynamicOf(x)
		s.writeSlot(x, b[x.off:], s.env.Dynamic[next:next+n])
		next += n
	}
}

// writeSlot makes an entry: its words and its dynamic relocations. Where those
// are REL the words are their addends.
func (s *Set) writeSlot(x *slot, b []byte, rel []model.DynReloc) {
	at := s.got.Addr(x.off)
	var S uint64
	if x.sym != nil && x.sym.State == model.Defined && !x.sym.Preempt {
		S = value(x.sym)
	}
	switch x.kind {
	case slotAddr:
		switch {
		case len(rel) == 0:
			s.putWord(b, S)
		case x.sym.Preempt:
			rel[0] = model.DynReloc{Off: at, Sym: x.sym, Type: s.dyn.globDat}
		case x.sym.Absolute(): // a script's: the relocation that was counted is none
			s.putWord(b, S)
		default:
			rel[0] = model.DynReloc{Off: at, Addend: int64(S), Type: s.dyn.relative}
			s.putAddend(b, S)
		}
	case slotIFunc:
		if len(rel) == 0 {
			s.putWord(b, s.ipltAddr(x.sym))
			return
		}
		rel[0] = model.DynReloc{Off: at, Addend: int64(S), Type: s.dyn.irelative}
		s.putAddend(b, S)
	default:
		s.writeTLS(x, b, rel, at, S)
	}
}

func (s *Set) writeTLS(x *slot, b []byte, rel []model.DynReloc, at, S uint64) {
	e := s.env
	preempt := x.sym != nil && x.sym.Preempt
	var sym *model.Symbol
	off := int64(S - e.TLSStart)
	if preempt {
		sym, off = x.sym, 0
	}
	switch x.kind {
	case slotTP:
		if len(rel) == 0 {
			if x.sym.State == model.Defined {
				s.putWord(b, uint64(e.TPOff(S)))
			}
			return
		}
		rel[0] = model.DynReloc{Off: at, Sym: sym, Addend: off, Type: s.dyn.tpoff}
		if e.Target.Machine().REL {
			s.putWord(b, uint64(off))
		}
	case slotGD, slotLD:
		switch len(rel) {
		case 0:
			s.putWord(b, 1) // the executable is module 1
		default:
			rel[0] = model.DynReloc{Off: at, Sym: sym, Type: s.dyn.dtpmod}
		}
		if len(rel) == 2 {
			rel[1] = model.DynReloc{Off: at + s.word, Sym: sym, Type: s.dyn.dtpoff}
		} else if x.kind == slotGD {
			s.putWord(b[s.word:], uint64(e.DTPOff(S)))
		}
	case slotDesc:
		if len(rel) == 0 {
			e.Report.Error(fmt.Errorf("%s: a TLS descriptor, which only a dynamic linker can fill, in a program without one", e.Report.Label(x.sym)))
			return
		}
		rel[0] = model.DynReloc{Off: at, Sym: sym, Addend: off, Type: s.dyn.tlsdesc}
		if m := e.Target.Machine(); m.REL {
			s.putWord(b[argument(m)*s.word:], uint64(off))
		}
	}
}

// argument is which word of a TLS descriptor its function takes the offset from:
// the first on Arm, else the second.
func argument(m *machine.Machine) uint64 {
	if m.ELF == elf.EM_ARM {
		return 0
	}
	return 1
}

// putAddend writes the addend of a relative relocation into its place: it must be
// there where relocations are REL or packed, and GNU ld has it there on x86-64 and
// AArch64.
func (s *Set) putAddend(b []byte, v uint64) {
	m := s.env.Target.Machine()
	if m.REL || s.relr != nil || m.ELF == elf.EM_X86_64 || m.ELF == elf.EM_AARCH64 && !s.env.Opt.NoApplyDynamic {
		s.putWord(b, v)
	}
}

// value is a symbol's address, with the bit that marks Thumb code.
func value(sym *model.Symbol) uint64 {
	v := sym.Addr()
	if sym.Thumb {
		v |= 1
	}
	return v
}

// writeGOTPLT fills .got.plt: reserved words, then what a call does before the
// dynamic linker has looked the function up.
func (s *Set) writeGOTPLT(b []byte) {
	h := s.pltSlots()
	switch {
	case h == 0:
	case s.Object.Machine == elf.EM_RISCV:
		s.putWord(b, ^uint64(0))
	case s.Object.Machine != elf.EM_AARCH64:
		s.putWord(b, addr(s.dynamic))
	}
	s.writePLTSlots(b)
}
