package model

import (
	"debug/elf"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Refer is the symbol that a relocation of a live section refers to, for Scan.
// It is nil for symbol index 0. It reports a symbol that nothing defines, one
// that is in a section which was dropped, and an index that is no symbol's; ok is
// false then, and there is nothing to do for the relocation. A weak symbol that
// nothing defines is 0, as is one that options allow to be missing.
func (e *Env) Refer(s *Section, r *Reloc) (sym *Symbol, ok bool) {
	syms := s.Obj.Symbols
	if int64(r.Sym) >= int64(len(syms)) {
		e.Report.ErrorAt(s, r.Off, fmt.Errorf("relocation of symbol %d: the object has %d", r.Sym, len(syms)))
		return nil, false
	}
	sym = syms[r.Sym]
	if sym == nil {
		return nil, true
	}
	if sym.State == Defined {
		if sym.Gone() {
			return sym, e.gone(s, r, sym)
		}
		return sym, true
	}
	if sym.Weak() || sym.Preempt && e.Opt.Shared && !e.Opt.NoUndefined {
		return sym, true
	}
	return sym, e.missing(s, r, sym)
}

// missing decides about an undefined symbol, as --unresolved-symbols and the
// options beside it say.
func (e *Env) missing(s *Section, r *Reloc, sym *Symbol) bool {
	switch e.Opt.Unresolved {
	case "ignore-all", "ignore-in-object-files":
		return true
	}
	if slices.Contains(e.Opt.IgnoreUnresolved, sym.Name) {
		return true
	}
	e.Report.Undefined(s, r.Off, sym, e.Opt.WarnUnresolved)
	return e.Opt.WarnUnresolved
}

// gone decides about a symbol of a section that is not in the output. Tables of
// unwinding may have it: what they say about code that is not there is dropped,
// or never looked up.
func (e *Env) gone(s *Section, r *Reloc, sym *Symbol) bool {
	if s.Flags&elf.SHF_ALLOC == 0 || s.Name == ".eh_frame" || s.Name == ".sframe" || strings.HasPrefix(s.Name, ".gcc_except_table") {
		return false
	}
	e.Report.ErrorAt(s, r.Off, &DiscardedError{sym, e.Report.Label(sym)})
	return false
}

// DiscardedError tells of a reference to a symbol in a section that was dropped.
type DiscardedError struct {
	Symbol *Symbol
	Label  string // how messages call it
}

func (e *DiscardedError) Error() string {
	t := e.Symbol.Sec
	why := map[Reason]string{
		Duplicate: "a group of that name came before",
		Collected: "collected by --gc-sections",
		Discarded: "by /DISCARD/",
		Stripped:  "stripped",
		Excluded:  "excluded",
	}[t.Dropped]
	if why != "" {
		why = " (" + why + ")"
	}
	return fmt.Sprintf("%s is defined in discarded section %s of %s%s", e.Label, t.Name, t.Obj.File, why)
}

// Label is how messages call the symbol, as Report.Label spells it: a section symbol has no name of its own.
func (s *Symbol) Label() string {
	switch {
	case s == nil:
		return "no symbol"
	case s.Name != "":
		return s.Name
	case s.Sec != nil:
		return s.Sec.Name
	}
	return "a symbol without name"
}

// Tombstone is what a section that is not loaded holds in place of the address of
// something that is not in the output: 0, which no debugger takes for code; but in
// lists that a pair of zeros ends, 1. The option -z dead-reloc-in-nonalloc has
// other values, by patterns of section names.
func (e *Env) Tombstone(s *Section) uint64 {
	best := ""
	for pattern := range e.Opt.DeadReloc {
		if ok, err := path.Match(pattern, s.Name); ok && err == nil && pattern > best {
			best = pattern
		}
	}
	if best != "" {
		return e.Opt.DeadReloc[best]
	}
	switch s.Name {
	case ".debug_ranges", ".debug_loc":
		return 1
	}
	return 0
}

// CountDynamic notes, in Scan, that a place needs a dynamic relocation. One in a
// section that is read-only asks the loader to make it writable for a while,
// which GNU ld warns of; -z text refuses and -z notext does not mind.
func (e *Env) CountDynamic(s *Section, r *Reloc, name string, sym *Symbol) {
	s.DynRelocs++
	if sym != nil && sym.Preempt {
		sym.Want(NeedDynamic)
	}
	if s.Flags&elf.SHF_WRITE != 0 {
		return
	}
	e.TextRel.Set()
	if e.Opt.NoText {
		return
	}
	err := fmt.Errorf("%s against %s needs a dynamic relocation, but the section is read-only", name, e.Report.Label(sym))
	if e.Opt.Text_ {
		e.Report.ErrorAt(s, r.Off, err)
	} else if s.DynRelocs == 1 {
		e.Report.WarnAt(s, r.Off, err)
	}
}

// Want sets bits of Need.
func (s *Symbol) Want(bits uint32) {
	if s.Need.Load()&bits != bits {
		s.Need.Or(bits)
	}
}

// Movable says whether a loader that shifts the image changes the symbol's value.
// A script's symbol may turn out to be a number: before addresses are assigned
// the answer for one is yes.
func (s *Symbol) Movable() bool {
	return s != nil && s.State == Defined && (s.Sec != nil || s.Out != nil || s.Script)
}

// Linkage is the address of a symbol's PLT entry, if it has one.
func (e *Env) Linkage(sym *Symbol) (addr uint64, ok bool) {
	a := sym.Aux
	if a == nil || a.PLT < 0 {
		return 0, false
	}
	sec := e.SecPLT
	if a.IPLT {
		sec = e.SecIPLT
	}
	if sec == nil {
		return 0, false
	}
	return sec.Addr(uint64(a.PLT)), true
}

// String says the reason as a clause.
func (r Reason) String() string {
	switch r {
	case NotDropped:
		return "it was not placed"
	case Duplicate:
		return "a COMDAT group of the same signature came first"
	case Collected:
		return "--gc-sections found nothing that needs it"
	case Discarded:
		return "the script discards it"
	case Stripped:
		return "it was stripped"
	case Excluded:
		return "it is excluded (SHF_EXCLUDE), or only meant for the linker"
	case Empty:
		return "the linker made it, and nothing needed it"
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

// WantAddress is for what takes an address: an indirect function of this link has
// that of its PLT entry.
func (s *Symbol) WantAddress() {
	if s != nil && s.IFunc() && !s.Preempt {
		s.Want(NeedPLT | NeedAddress)
	}
}
