// Package amd64 describes the x86-64 psABI (LP64) and its 32-bit sibling x32.
//
// What is peculiar about x86-64:
//
//   - Relocations are RELA: the addend is in the table. PC-relative fields are
//     in the middle of an instruction while the processor counts from its end,
//     so the addend of a plain reference to a symbol is -4, or less when an
//     immediate follows.
//   - Addresses are 64 bits wide, fields mostly 32. A 32-bit field that the
//     instruction zero-extends (R_X86_64_32) and one that it sign-extends
//     (R_X86_64_32S) are different types with different limits.
//   - G is an offset from GOT, not an address: the entry is at G + GOT. GOT is
//     _GLOBAL_OFFSET_TABLE_, the start of .got.plt.
//   - GOTPCRELX and its REX and CODE_4/5/6 forms compute what GOTPCREL does. The
//     name only says how many bytes before the place the instruction begins
//     (a REX prefix, a REX2 prefix, or an EVEX prefix of APX), so that a linker
//     may replace the load by a lea or a mov.
//   - The thread pointer is above the static TLS block: offsets are negative.
//   - There are no e_flags.
package amd64

import (
	"debug/elf"

	"elfwright/machine"
)

// Machine is x86-64 with 64-bit addresses.
var Machine = &machine.Machine{
	ELF:         elf.EM_X86_64,
	Class:       elf.ELFCLASS64,
	Name:        "x86-64",
	Orders:      []elf.Data{elf.ELFDATA2LSB},
	CodeLittle:  true,
	PageSize:    0x1000,
	MaxPageSize: 0x1000,
	Relocs:      relocs,
	DWARF:       dwarf,
	Status:      status,
	RegSets:     regSets,
	Linux:       linux,
	Prelude:     prelude,
	Thaw:        thaw,
	Reset:       reset,
}

// X32 is x86-64 with 32-bit addresses: the same registers and relocation types
// in the 32-bit class.
var X32 = &machine.Machine{
	ELF:         elf.EM_X86_64,
	Class:       elf.ELFCLASS32,
	Name:        "x32",
	Orders:      []elf.Data{elf.ELFDATA2LSB},
	CodeLittle:  true,
	PageSize:    0x1000,
	MaxPageSize: 0x1000,
	Relocs:      relocsX32,
	DWARF:       dwarf,
	Status:      statusX32,
	RegSets:     regSets,
}
