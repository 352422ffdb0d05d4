package input

import (
	"debug/elf"
	"encoding/binary"

	"elfwright/link/model"
)

// Settings are what a link knows of symbols before it reads objects.
type Settings struct {
	Entry       string // of ENTRY, if there is no -e
	Externs     []string
	Definitions []Definition // of scripts and --defsym, in order
	// Of FORCE_COMMON_ALLOCATION, INHIBIT_COMMON_ALLOCATION.
	ForceCommon, InhibitCommon bool
}

// Definition is a symbol that a script, or --defsym, assigns.
type Definition struct {
	Name            string
	Provide, Hidden bool
	Own             bool     // its expression names the symbol itself: an object's definition is needed
	Refers          []string // the symbols that its expression names
	// What assigns it, by number from 1: a script of Options.Scripts, one of
	// Options.Defsyms, one of Files.Scripts. Without any it comes last.
	Script, Defsym, Text int
}

// Set is the objects of a link with their symbols settled.
type Set struct {
	Class   elf.Class
	Order   binary.ByteOrder
	Machine elf.Machine
	Flags   uint32 // e_flags of the output

	// StackExec is an object that asks for an executable stack, StackSilent one
	// that does not say (GNU ld takes that for a request too, on some machines).
	StackExec, StackSilent *model.Object

	Pulled []Pull   // why members of archives were taken
	Notes  []string // of --trace and --trace-symbol

	objs    []*model.Object
	objects []*object
	opt     *model.Options
	rep     *model.Report
	table   *model.Table
	roots   []string // names that options and scripts refer to
}

// Pull is why a member was taken: a symbol, and the object that referred to it
// first; nil for an option or a script.
type Pull struct {
	Object *model.Object
	Symbol string
	By     *model.Object
}

// StackNote is what .note.GNU-stack says of an object.
type StackNote uint8

// The notes.
const (
	StackSilent StackNote = iota
	StackPlain
	StackExec
)

// Objects returns the objects in the order in which they take part.
func (s *Set) Objects() []*model.Object { return s.objs }

// Load opens the inputs of a link, reads them, and settles the symbols. What is
// wrong is in the report; the set then has what could be read.
func Load(opt *model.Options, cmds Commands, parse Parse, with Settings, table *model.Table, rep *model.Report) *Set {
	return Open(opt, cmds, parse, rep).Load(with, table)
}
