package model

import (
	"debug/elf"
	"encoding/binary"

	"elfwright/ldscript"
	"elfwright/machine"
)

// Target is what linking asks of a machine. Its methods are called for many
// sections at once from several goroutines, except Relax.
type Target interface {
	Machine() *machine.Machine

	// Scan looks at the relocations of a live section and says what they need:
	// Need bits on symbols and Env, Section.DynRelocs. It reports relocations
	// that cannot be (unknown type, TLS against code …). It may change the Type
	// of relocations whose instruction it will relax when they are applied.
	Scan(e *Env, s *Section)

	// Relax looks at all sections of code once addresses are known. It takes out
	// bytes (Section.Moves, Size), adds thunks (Section.After), and returns
	// whether anything changed. It is called again, with new addresses, until it
	// returns false; pass counts from 0. From some pass on it must only grow.
	Relax(e *Env, pass int) (changed bool)

	// Relocate applies a section's relocations to its bytes in the output:
	// b has the section's Size bytes, and holds its Data (with Moves carried
	// out by the target itself if it has any: then b is zero when it is called).
	// It fills its dynamic relocations through Env.Dynamic.
	Relocate(e *Env, s *Section, b []byte)

	// PLT describes procedure linkage; see PLT.
	PLT(e *Env) PLT
}

// Emitter is a Target that says what is left of a relocation when its place has
// been relocated, for --emit-relocs: relaxing may have left another instruction
// there, or none, which ok tells.
type Emitter interface {
	Emit(e *Env, s *Section, i int) (r Reloc, ok bool)
}

// PLT is the shape of a machine's procedure linkage table.
type PLT struct {
	Header, Entry, Align uint64 // bytes; an IPLT has no header
	// Lazy is where in an entry a slot of .got.plt leads before it is filled; 0
	// for the machines on which it leads to the header.
	Lazy uint64
	// State is bit 0 of an entry's address: 1 for Thumb code.
	State uint64
	// WriteHeader and WriteEntry fill b, which lies at address at. got is the
	// address of the GOT slot, gotplt that of .got.plt; index is the entry's
	// number in .rela.plt.
	WriteHeader func(e *Env, b []byte, at, gotplt uint64)
	WriteEntry  func(e *Env, b []byte, at, got uint64, index int)
	// IEntry and WriteIEntry are for .iplt where its entries are others; else
	// zero.
	IEntry      uint64
	WriteIEntry func(e *Env, b []byte, at, got uint64, index int)
	// TLSCall is how many bytes of code, behind the entries of .plt, call the
	// function of a TLS descriptor where the calls in the code go there
	// (Env.NeedTLSCall); 0 where none do.
	TLSCall      uint64
	WriteTLSCall func(e *Env, b []byte)
	// Tags are in .dynamic if .plt has entries; Variant, unless 0, if one of them
	// is for a symbol with OtherVariant.
	Tags    []elf.DynTag
	Variant elf.DynTag
}

// OtherVariant is the bit of st_other by which AArch64 and RISC-V mark functions
// with more registers for arguments than usual (STO_AARCH64_VARIANT_PCS,
// STO_RISCV_VARIANT_CC): the dynamic linker must not bind them lazily.
const OtherVariant = 0x80

// Env is what a relocation needs to know of the link as a whole. Its fields are
// set before Scan, addresses before the first Relax and again before each.
type Env struct {
	Opt    *Options
	Target Target
	Class  int              // 32 or 64
	Order  binary.ByteOrder // of data
	Code   binary.ByteOrder // of instructions
	Flags  uint32           // e_flags of the output

	Entry uint64 // e_entry

	Objects []*Object
	Outputs []*Output
	Table   *Table
	// Versions are the nodes of the version scripts, nil without one.
	Versions *ldscript.Version
	// Retain are the names of --retain-symbols-file, nil without it.
	Retain map[string]bool

	// GOT is the value of _GLOBAL_OFFSET_TABLE_.
	GOT uint64
	// The linker's sections; nil where the link has none.
	SecGOT, SecGOTPLT, SecPLT, SecIPLT, SecDyn, SecRelaPLT, SecRelaIPLT, SecDynamic *Section
	// SecIGOTPLT has the slots of .iplt.
	SecIGOTPLT *Section
	// SecBuildID is the note whose last bytes are the hash of the file.
	SecBuildID *Section
	// TLS is the PT_TLS segment's memory: [Start, Start+Size), its alignment.
	TLSStart, TLSSize, TLSAlign uint64
	// TLSLD is set by Scan when a module's own TLS index pair is needed, and
	// TLSLDOff is where it is in .got.
	NeedTLSLD Flag
	TLSLDOff  int64
	// NeedTLSCall is set by Scan when code calls TLS descriptors through .plt (see
	// PLT), and TLSCallOff is where in .plt.
	NeedTLSCall Flag
	TLSCallOff  uint64
	// NeedGOTBase is set by Scan when something is relative to the GOT.
	NeedGOTBase Flag
	// StaticTLS is set by Scan when a shared object needs static TLS (DF_STATIC_TLS).
	StaticTLS Flag
	// TextRel is set by Scan when a dynamic relocation is in a read-only section.
	TextRel Flag
	// GnuABI is set where the output has what only GNU systems know: IFUNC,
	// unique symbols.
	GnuABI Flag
	// GP is __global_pointer$ (RISC-V), 0 if there is none.
	GP uint64

	// Report takes an error (or a warning); the link goes on to find more.
	Report *Report

	// Dynamic has the slots of .rela.dyn, filled by Relocate and Synths.
	Dynamic []DynReloc
}

// DynReloc is a dynamic relocation. Sym is nil for RELATIVE and IRELATIVE.
type DynReloc struct {
	Off    uint64
	Addend int64
	Sym    *Symbol
	Type   uint32
}

// AddDynamic fills slot *next of Dynamic and goes on to the one after it: those
// that Scan counted for a section begin at its DynFirst. A relocation beyond what
// was counted, of a section that Scan reported faults in, has no slot.
func (e *Env) AddDynamic(next *int, d DynReloc) {
	if *next < len(e.Dynamic) {
		e.Dynamic[*next] = d
		*next++
	}
}

// PIC says whether the output may be loaded anywhere.
func (e *Env) PIC() bool { return e.Opt.Shared || e.Opt.PIE }

// Symbol is the symbol of a relocation of a section; nil for index 0, and for
// one that the object does not have.
func (s *Section) Symbol(r *Reloc) *Symbol {
	if syms := s.Obj.Symbols; int64(r.Sym) < int64(len(syms)) {
		return syms[r.Sym]
	}
	return nil
}
