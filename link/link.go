// Package link is the linker: objects and archives, laid out by a script, become
// a program. Link lists its passes; each is carried out by a package of its own
// below this one, on the types of link/model.
package link

import (
	"elfwright/link/model"
)

// Link carries out a command line. The result has warnings and reports also where
// there is an error; then no output is written.
func Link(opt *model.Options, host Host) (*Result, error) {
	l := newLinkage(opt, host)
	for _, pass := range passes {
		done := host.phase(pass.name)
		err := pass.run(l)
		done()
		if err == nil {
			err = l.faults()
		}
		if err != nil {
			return l.result(), pointed(err)
		}
	}
	return l.result(), nil
}

// passes are all that a link does, in order. What stands beside one is true from
// there on.
var passes = []struct {
	name string
	run  func(*linkage) error
}{
	{"read scripts", (*linkage).readScripts},        // which names they define and refer to
	{"read inputs", (*linkage).readInputs},          // every symbol has its owner; of equal groups one is left
	{"choose the machine", (*linkage).chooseTarget}, // what relocations mean
	{"make own sections", (*linkage).makeOwn},       // GOT, PLT, notes, tables: all that may be needed
	{"collect sections", (*linkage).collect},        // Section.Live is final for what comes from files
	{"match patterns", (*linkage).match},            // every live section has its output
	{"merge", (*linkage).merge},                     // strings, constants, unwind tables
	{"scan relocations", (*linkage).scan},           // what every symbol needs
	{"size own sections", (*linkage).size},          // and where it is in GOT and PLT
	{"assign addresses", (*linkage).assign},         // everything has its address
	{"lay out segments", (*linkage).finish},         // program headers, file offsets
	{"check references", (*linkage).crossRefs},      // NOCROSSREFS
	{"write", (*linkage).write},                     // the file is there, under its name
}
