package model

import (
	"debug/elf"
	"encoding/binary"
	"sync/atomic"
)

// Object is an input file that takes part: an object, an archive's member, or
// the linker's own (Linker set), whose sections have a Synth.
type Object struct {
	File    string // "main.o", "lib.a(m.o)": as messages and the map print it
	Path    string // the file's name as given or found: what a file pattern matches
	Archive string // the archive's name as given or found, or empty
	Member  string // the member's name in it

	Rank   int32 // order on the command line, by which everything is decided
	Linker bool  // made by the linker

	Class   elf.Class
	Order   binary.ByteOrder
	Machine elf.Machine
	Flags   uint32 // e_flags
	OSABI   elf.OSABI

	Sections []*Section // by section index; nil: a table (symbols, relocations, groups) or not there
	Symbols  []*Symbol  // by symbol index; [0] is nil; locals are the object's own, globals shared
	Locals   int        // symbols below this index are local

	JustSymbols bool // --just-symbols: it gives its symbols' values and nothing else
}

// Section is an input section, or one that the linker makes.
type Section struct {
	// As in Symbol, what every relocation and every round of layout asks for comes
	// first and close together.

	// Set by layout.
	Out *Output // nil while not placed, and when discarded
	Off uint64  // in Out
	// Map is set where the bytes are not copied as they are. See Section.At.
	Map Mapper
	// Moves is machine's own: where relaxation took bytes out, in order.
	Moves []Move

	// Set by the passes before matching: Live, not dropped as a duplicate
	// COMDAT and not collected. Sections of debugging data are live.
	Live bool
	// Kept by KEEP, --keep, SHF_GNU_RETAIN …: a root of the collection.
	Keep   bool
	Common bool // made for the common symbols of Obj
	// Dropped says why it is not in the output, for the map and for messages.
	Dropped Reason
	// Needed is set while the collection goes on.
	Needed atomic.Bool

	Obj   *Object
	Type  elf.SectionType
	Flags elf.SectionFlag
	// Size is what it takes in the output. It is set from the input, and
	// changed by synth, and by relaxation.
	Size  uint64
	Align uint64 // a power of two, at least 1
	// Data are the bytes of the input, uncompressed; nil for SHT_NOBITS.
	Data  []byte
	Index int32 // in Obj.Sections
	// RelocSection is the index of its relocation section in the object, or 0.
	RelocSection int32
	// Relocs are its relocations in the order of r_offset as far as the input
	// has it; the addend of a REL relocation is read from the place already.
	Relocs []Reloc

	// Synth makes the bytes of a linker's section; nil for one from a file.
	Synth Synth
	After []*Section // set by layout: thunks, placed directly behind it, in this order

	Name    string
	LinkTo  *Section // sh_link of SHF_LINK_ORDER sections, and of the linker's tables
	InfoTo  *Section // sh_info of a linker's section with SHF_INFO_LINK
	Info    uint32
	Entsize uint64
	Group   *Group // that it is a member of, or nil
	Place   *Place // which statement took it, for explain; set by layout

	// DynRelocs is how many dynamic relocations Scan found that it needs, and
	// DynFirst where in .rela.dyn its own begin.
	DynRelocs int32
	DynFirst  int32
}

// Reason is why a section is not in the output.
type Reason uint8

// The reasons.
const (
	NotDropped Reason = iota
	Duplicate         // a COMDAT group of the same signature came first
	Collected         // by --gc-sections
	Discarded         // by /DISCARD/, --orphan-handling=discard
	Stripped          // by --strip-all, --strip-debug
	Excluded          // SHF_EXCLUDE, or of a kind that the linker consumes
	Empty             // a linker's section that nothing needed
)

// Group is a section group (gABI, "Section Groups").
type Group struct {
	Obj       *Object
	Index     int32  // of its section in Obj
	Symbol    uint32 // index in Obj.Symbols of the one that is its signature
	Signature string
	Comdat    bool
	Members   []*Section
}

// Reloc is a relocation, of either form. Its layout is that of Elf64_Rela in a
// little-endian file, so that a table of those need not be decoded.
type Reloc struct {
	Off    uint64 // r_offset: in the section
	Type   uint32
	Sym    uint32 // index in Object.Symbols
	Addend int64
}

// Mapper is a section whose pieces move: merged data, .eh_frame.
type Mapper interface {
	// At gives the section and offset in it where the byte at an input offset
	// is in the output; false if it is dropped.
	At(off uint64) (s *Section, out uint64, ok bool)
}

// Move tells that N bytes before input offset Off and after the previous Move
// were taken out: all bytes from Off on lie Total bytes lower than before.
type Move struct {
	Off   uint64
	Total uint64
}

// Synth makes the bytes of a section that has no file.
type Synth interface {
	// Write fills b, which has the section's Size and is zero.
	Write(e *Env, s *Section, b []byte)
}

// Late is a Synth that is written when all other sections are, since it holds
// what was found while they were.
type Late interface {
	Synth
	Late()
}

// At is the output section and offset in it of a byte of the input; ok is false
// if the byte, or the whole section, is not in the output.
func (s *Section) At(off uint64) (out *Output, pos uint64, ok bool) {
	if s.Map != nil {
		t, pos, ok := s.Map.At(off)
		if !ok || t.Out == nil {
			return nil, 0, false
		}
		return t.Out, t.Off + pos, true
	}
	if s.Out == nil {
		return nil, 0, false
	}
	return s.Out, s.Off + s.Moved(off), true
}

// Moved is the offset, in the section as it is after relaxation, of a byte of
// the input.
func (s *Section) Moved(off uint64) uint64 {
	if len(s.Moves) == 0 {
		return off
	}
	lo, hi := 0, len(s.Moves)
	for lo < hi { // the first Move beyond off
		mid := int(uint(lo+hi) >> 1)
		if s.Moves[mid].Off <= off {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == 0 {
		return off
	}
	return off - s.Moves[lo-1].Total
}

// Addr is the address of a byte of the input; 0 if it is not in the output.
func (s *Section) Addr(off uint64) uint64 {
	if s.Map == nil && s.Moves == nil && s.Out != nil {
		return s.Out.Addr + s.Off + off
	}
	out, pos, ok := s.At(off)
	if !ok {
		return 0
	}
	return out.Addr + pos
}
