// Package object reads of an executable or shared object what a dynamic linker
// goes by: names of libraries and paths, flags, the dynamic symbol table with its
// hash tables and versions, relocations, the TLS segment. It decides nothing.
//
// All of it comes from the program headers; section headers are not looked at
// (gABI, "Dynamic Linking").
package object

import (
	"debug/elf"

	"elfwright/elffile"
	"elfwright/machine"
)

// Object is an executable or shared object as a dynamic linker sees it.
type Object struct {
	*elffile.File
	Machine *machine.Machine // nil: not one of those that machine/all knows

	Interp   string   // of PT_INTERP, "" if there is none
	Soname   string   // DT_SONAME, "" if there is none
	Needed   []string // DT_NEEDED, in the order of the dynamic section
	Filtees  []Filtee // DT_FILTER and DT_AUXILIARY, in their order
	Rpath    Path     // DT_RPATH
	Runpath  Path     // DT_RUNPATH
	Audit    string   // DT_AUDIT
	Depaudit string   // DT_DEPAUDIT
	Flags    elf.DynFlag
	Flags1   elf.DynFlag1
	Symbolic bool // DT_SYMBOLIC or DF_SYMBOLIC
	Textrel  bool // DT_TEXTREL or DF_TEXTREL
	BindNow  bool // DT_BIND_NOW, DF_BIND_NOW or DF_1_NOW

	Dynamic  *elffile.Dynamic     // never nil
	Symbols  *elffile.SymbolTable // nil where there is none
	Gnu      *elffile.GnuHash     // nil where there is none
	Sysv     *elffile.SysvHash    // nil where there is none
	Versions *elffile.Versions    // never nil
	Relocs   []*elffile.RelocTable
	TLS      *elffile.Prog // the last PT_TLS with p_memsz > 0, as glibc takes it; nil: none
}

// Path is a list of directories in an object, before its elements are taken apart.
type Path struct {
	Text string
	Set  bool // an empty text is not the same as none
}

// Filtee is the library whose definitions are taken before an object's own
// (gABI, "Dynamic Section", DT_FILTER and DT_AUXILIARY of Solaris).
type Filtee struct {
	Name      string
	Auxiliary bool // it may be missing
}
