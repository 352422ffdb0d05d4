// Package bind says which definition each reference of a process is bound to, and
// by which rule: scopes, hash tables, versions, visibility, unique symbols, as the
// dynamic linkers of glibc and of musl have them.
package bind

import (
	"elfwright/dyn/load"
)

// Class is the class of a relocation's look-up (glibc, elf_machine_type_class).
type Class uint8

const (
	Plain Class = iota
	PLT         // JUMP_SLOT, DTPMOD, DTPOFF, TPOFF, TLSDESC: an undefined symbol is no definition
	Copy        // COPY: the program is left out
)

// Binding is a symbol of an object, as one class of relocations asks for it, and
// where it is bound. Small, for there are millions.
type Binding struct {
	From   int32  // index of the object that refers
	To     int32  // index of the object that defines; -1: nothing does
	Symbol uint32 // in the symbol table of From
	Def    uint32 // in the symbol table of To
	Class  Class
	Rule   Rule
	Lazy   bool // of a slot that is bound when it is first called
}

// Rule is why a binding is what it is.
type Rule uint8

const (
	Scope     Rule = iota // the first acceptable definition in the scope
	Local                 // bound to itself without a search: local or hidden
	Symbolic              // DT_SYMBOLIC: itself first
	Protected             // another definition comes first, but its own is protected
	Unique                // STB_GNU_UNIQUE: the one that was entered first
	WeakZero              // nothing defines it, and the reference is weak
	Undefined             // nothing defines it
	LFS64                 // musl since 1.2.4: libc has no name64 any more, and its name without 64 is taken
)

// VersionFault is a version that is asked of an object which does not have it.
type VersionFault struct {
	By      *load.Object
	Of      *load.Object // nil: no object of that name is loaded
	File    string       // vn_file
	Version string
	Weak    bool // VER_FLG_WEAK: no error
	Warning bool // the object defines no versions at all
}

// Result is how a process is bound.
type Result struct {
	Process  *load.Process
	Bindings []Binding // by object in relocation order, in each by table and index, each symbol and class once
	Versions []VersionFault
	Order    []int // the objects in relocation order

	scope *scope
	from  []int // where in Bindings those of Order[i] begin, and the end
}
