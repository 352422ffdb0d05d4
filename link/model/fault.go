package model

import (
	"errors"
	"fmt"

	"elfwright/machine"
)

// RelocError tells that a relocation cannot be carried out.
type RelocError struct {
	Name   string // of the type
	Symbol *Symbol
	S, P   uint64 // where the symbol and the place are
	Err    error  // what is wrong
	Hint   string // what to do, or empty
	Label  string // how messages call the symbol
}

func (e *RelocError) Error() string {
	text := fmt.Sprintf("%s against %s: ", e.Name, e.Label)
	var over *machine.OverflowError
	if errors.As(e.Err, &over) {
		text += fmt.Sprintf("%s = %s %s", over.Reloc.Formula, signed(over.X), over.Reason)
	} else {
		text += e.Err.Error()
	}
	text += fmt.Sprintf("; %s is at %#x, the place at %#x", e.Label, e.S, e.P)
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

func (e *RelocError) Unwrap() error { return e.Err }

// RelocFault reports a relocation, of the type with this name, that cannot be
// before there are addresses. Without a symbol it is that of the relocation.
func (e *Env) RelocFault(s *Section, r *Reloc, name string, sym *Symbol, err error) {
	if sym == nil {
		sym = s.Symbol(r)
	}
	e.Report.ErrorAt(s, r.Off, fmt.Errorf("%s against %s: %w", name, e.Report.Label(sym), err))
}

// RelocFailed reports a relocation that was not carried out. For a value that does
// not fit hint says what to do about it.
func (e *Env) RelocFailed(s *Section, r *Reloc, x *RelocError, hint func() string) {
	x.Label = e.Report.Label(x.Symbol)
	var over *machine.OverflowError
	if errors.As(x.Err, &over) {
		x.Hint = hint()
	}
	e.Report.ErrorAt(s, r.Off, x)
}

// FixedError is for code that must be linked at a fixed address. It is only for
// an output that may be loaded anywhere.
func (e *Env) FixedError() error {
	if e.Opt.Shared {
		return errors.New("it cannot be in a shared object; recompile with -fPIC")
	}
	return errors.New("it cannot be in a position-independent executable; recompile with -fPIE")
}

func signed(x int64) string {
	if x < 0 {
		return fmt.Sprintf("-%#x", -uint64(x))
	}
	return fmt.Sprintf("%#x", x)
}

// UndefinedError tells of a symbol that nothing defines and who refers to it.
type UndefinedError struct {
	Symbol *Symbol
	Label  string    // how messages call it
	Places []Finding // the first three; their Err is nil
	Count  int       // of all references
	Near   string    // a symbol that was perhaps meant; set before it is told
}

func (e *UndefinedError) Error() string {
	first := e.Places[0]
	text := fmt.Sprintf("%s: undefined symbol %s", where(first), e.Label)
	for _, p := range e.Places[1:] {
		text += "; also in " + where(p)
	}
	if more := e.Count - len(e.Places); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	if e.Near != "" {
		text += fmt.Sprintf("; perhaps %s was meant", e.Near)
	}
	return text
}

func where(f Finding) string {
	return fmt.Sprintf("%s(%s+%#x)", f.Section.Obj.File, f.Section.Name, f.Off)
}

// Undefined takes a reference to a symbol that nothing defines. All references to
// a symbol make one error, or one warning.
func (r *Report) Undefined(s *Section, off uint64, sym *Symbol, warn bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.undefined == nil {
		r.undefined = map[*Symbol]*UndefinedError{}
	}
	u := r.undefined[sym]
	if u == nil {
		u = &UndefinedError{Symbol: sym, Label: r.Label(sym)}
		r.undefined[sym] = u
		f := Finding{Err: u}
		if warn {
			r.warnings = append(r.warnings, f)
		} else {
			r.errors = append(r.errors, f)
		}
	}
	u.add(Finding{Rank: s.Obj.Rank, Sec: s.Index, Off: off, Section: s})
}

// add keeps the first places, in the order of the inputs.
func (e *UndefinedError) add(f Finding) {
	const keep = 3
	e.Count++
	i := len(e.Places)
	for i > 0 && f.before(&e.Places[i-1]) {
		i--
	}
	if i == keep {
		return
	}
	e.Places = append(e.Places, Finding{})
	copy(e.Places[i+1:], e.Places[i:])
	e.Places[i] = f
	e.Places = e.Places[:min(len(e.Places), keep)]
}

// What a Target says of relocation types that it cannot carry out.
var (
	ErrType    = errors.New("this type is not supported")
	ErrRuntime = errors.New("only a dynamic linker makes use of this type")
)
