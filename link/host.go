package link

import (
	"errors"
	"io"
)

// Host is what a link has of the world around it.
type Host struct {
	// Phase is called when a pass begins; what it returns when it ends. May be
	// nil.
	Phase func(name string) (done func())
	// Demangle is the source's spelling of a C++ name, or the name; what version
	// scripts mean by extern "C++", and unless Options.Demangle forbids it the
	// names in messages. May be nil.
	Demangle func(name string) string
}

func (h Host) phase(name string) func() {
	if h.Phase == nil {
		return func() {}
	}
	return h.Phase(name)
}

// Result is what a link has to say.
type Result struct {
	Output   string // the file written; empty: none
	Warnings []error
	Trace    []string // of --trace, --trace-symbol, for standard output
	Notes    []string // of --print-gc-sections and the like, for standard error
	Texts    []Text   // the map, tables, a rule of make
}

// Text is something to write besides the output.
type Text struct {
	File  string // "-" is standard output
	Write func(w io.Writer) error
}

// GNU is the version of GNU ld whose meaning is ours.
const GNU = "2.40"

// faults is what stops a link after a pass: errors in the report, or warnings
// with --fatal-warnings.
func (l *linkage) faults() error {
	errs := l.env.Report.Errors()
	if l.opt.FatalWarnings {
		errs = append(errs, l.env.Report.Warnings()...)
	}
	if len(errs) == 0 || l.opt.NoInhibitExec {
		return nil
	}
	return errors.Join(l.explained(errs)...)
}

func (l *linkage) result() *Result {
	r := &Result{Output: l.out, Notes: l.notes, Warnings: l.env.Report.Warnings()}
	if l.inputs != nil {
		r.Trace = l.inputs.Notes
	}
	if l.out != "" {
		r.Texts = l.texts()
	}
	return r
}
