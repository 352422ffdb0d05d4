package model

import (
	"debug/elf"
	"sync/atomic"
)

// Symbol is a local symbol of one object, or a global one that all share. Of a
// global, everything but Need is settled by link/input before anything is
// placed; script symbols get their values from link/layout.
type Symbol struct {
	// What every relocation asks for comes first and close together: a link is slow
	// where it waits for memory.
	State   State
	Thumb   bool  // Arm: code of the Thumb instruction set; Value has no bit 0
	Other   uint8 // bits of st_other above the visibility (AArch64 variant PCS, RISC-V variant CC)
	Local   bool  // a local symbol of Obj
	Script  bool  // defined by a script, or by --defsym
	Provide bool  // by PROVIDE: defined only if it is referenced
	Large   bool  // common of the large model (SHN_X86_64_LCOMMON)
	// Used is set when any live relocation or option names the symbol.
	Used bool
	// Exported symbols are in .dynsym; Preempt may be bound to another object.
	Exported bool
	Preempt  bool
	Default  bool // foo@@V, or an unversioned definition
	Hidden   bool // made local by a version script
	Asked    bool // -u, EXTERN or the entry point name it
	// Noded: a version script gave the Version, no object did in the name.
	Noded bool

	Type  elf.SymType
	Sec   *Section // that it lies in; nil for an absolute and for a script's symbol
	Out   *Output  // script symbols: the section that Value is an offset in
	Value uint64   // offset in Sec or Out, else the value; the alignment of a common one
	Bind  elf.SymBind

	Need atomic.Uint32 // bits of Need*, set by Scan from many goroutines
	// Order counts the global symbols from 1 as the walk over the inputs met
	// them; 0 is one that no input names.
	Order int32

	Obj  *Object    // that defines it; the first that refers to it while undefined
	Vis  elf.SymVis // the most constraining of all that name it
	Size uint64

	Name    string // without version
	Version string // "V" of foo@V and foo@@V, or given by a version script

	// Index of what synth made for it, -1 or 0 while there is none.
	Aux *Aux
	// DynIndex is its place in .dynsym, 0: not there.
	DynIndex int32
	// Index is its place in .symtab, where relocations of the output name it.
	Index int32
}

// State is what is known of a symbol.
type State uint8

// The states.
const (
	Undefined State = iota
	Lazy            // an archive's member would define it
	Common          // tentative, not yet given a place
	Defined         // in a section, absolute or by a script
)

// What a symbol needs, as Scan found.
const (
	NeedGOT     = 1 << iota // a GOT entry with its address
	NeedPLT                 // a call through the PLT, if it is an IFUNC or may be preempted
	NeedAddress             // its address is taken: an IFUNC needs a PLT entry that stands for it
	NeedGOTTP               // a GOT entry with its offset from the thread pointer
	NeedTLSGD               // a pair of GOT entries: module, offset
	NeedTLSDesc             // a TLS descriptor in the GOT
	NeedDynamic             // some dynamic relocation names it
	NeedIndex               // a relocation section of the output names it
)

// Aux is where synth put what a symbol needs: offsets in their sections, -1
// for what it has not.
type Aux struct {
	GOT, GOTTP, TLSGD, TLSDesc int64 // in .got
	PLT, GOTPLT                int64 // in .plt or .iplt, and the slot in .got.plt
	IPLT                       bool  // the PLT entry is in .iplt
}

// Defined says whether it has a place or a value.
func (s *Symbol) Defined() bool { return s.State == Defined }

// Weak says whether its binding is weak.
func (s *Symbol) Weak() bool { return s.Bind == elf.STB_WEAK }

// IFunc says whether it is an indirect function of this link.
func (s *Symbol) IFunc() bool { return s.Type == elf.STT_GNU_IFUNC && s.State == Defined }

// Absolute says whether its value is a number that no address moves.
func (s *Symbol) Absolute() bool { return s.State == Defined && s.Sec == nil && s.Out == nil }

// Addr is its address or value, without bit 0 of a Thumb function; 0 for one
// that is undefined or whose section is not in the output.
func (s *Symbol) Addr() uint64 {
	switch {
	case s.Sec != nil:
		return s.Sec.Addr(s.Value)
	case s.Out != nil:
		return s.Out.Addr + s.Value
	case s.State == Defined:
		return s.Value
	}
	return 0
}

// ThreadLocal says whether a symbol that is defined is in the block of each thread.
func (s *Symbol) ThreadLocal() bool {
	switch {
	case s.Sec != nil:
		return s.Sec.Flags&elf.SHF_TLS != 0
	case s.Out != nil:
		return s.Out.Flags&elf.SHF_TLS != 0
	}
	return s.Type == elf.STT_TLS
}

// Gone says whether the symbol is in a section that is not in the output.
func (s *Symbol) Gone() bool { return s.Sec != nil && !s.Sec.Live && !s.Script }
