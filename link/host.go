package link

import "io"

// Host is what a link has of the world around it.
type Host struct {
	// Phase is called when a pass begins; what it returns when it ends. May be
	// nil.
	Phase func(name string) (done func())
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

