package model

import (
	"debug/elf"

	"elfwright/ldscript"
)

// Output is a section of the output. It is made by link/layout.
type Output struct {
	Name    string
	Type    elf.SectionType
	Flags   elf.SectionFlag
	Align   uint64
	Entsize uint64
	Addr    uint64 // sh_addr: VMA; of the address space even where not SHF_ALLOC
	LMA     uint64
	Size    uint64
	FileOff int64
	Index   int // in the section header table
	LinkTo  *Output
	Info    uint32

	// Items fill it in ascending order of Off. What no item covers is filled
	// with the Fill of the item before, or the section's own.
	Items []Item
	Fill  []byte // nil: the machine's for code, else zeros

	Stmt      *ldscript.OutSection // nil for an orphan
	Region    string               // the memory region of its VMA, or empty
	LMARegion string
	Why       Why // how its addresses came about
}

// Item is a part of an output section.
type Item struct {
	Off, Size uint64
	Section   *Section // an input section, or
	Bytes     []byte   // data of a BYTE … QUAD, ASCIZ statement, or
	Fill      []byte   // padding: the pattern from here on; from FILL too
}

// Why tells where addresses come from, in words for people.
type Why struct {
	Addr   string // "script: . = 0x8000 at k.lds:4"
	LMA    string // "inherits AT>ROM of .data"
	Phdrs  string
	Orphan string // "no pattern matches; after .text, as code"
}

// Place is which statement took an input section.
type Place struct {
	Spec    *ldscript.InputSpec // nil for an orphan
	Pattern int                 // index in Spec.Patterns, -1 for none
	Script  string              // "" or "default"
}

// Segment is a program header of the output.
type Segment struct {
	Name   string // of PHDRS, or empty
	Type   elf.ProgType
	Flags  elf.ProgFlag
	Off    uint64
	Vaddr  uint64
	Paddr  uint64
	Filesz uint64
	Memsz  uint64
	Align  uint64

	Filehdr, Phdrs bool // has the ELF header, the program header table
	Sections       []*Output
	Extra          bool // of --add-phdr or PHDRS { DEFAULT; … }
}
