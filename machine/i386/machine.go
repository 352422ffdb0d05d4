// Package i386 describes the Intel386 psABI.
//
// What is peculiar about i386:
//
//   - Relocations are REL: the addend is what the place holds. Applying one
//     destroys it, so a file must not be relocated twice.
//   - Addresses wrap around at 2^32: no 32-bit field can overflow.
//   - There is no PC-relative addressing except in branches. Code finds the GOT
//     by calling the next instruction and adding R_386_GOTPC to what it popped;
//     then G (an offset from GOT) and S - GOT are what it needs. Without a base
//     register the same R_386_GOT32 and GOT32X mean the entry's absolute
//     address: the ModRM byte before the place decides, and whoever applies the
//     row passes the absolute address as G in that case.
//   - There are two conventions for offsets from the thread pointer, and types
//     for both: Sun's are positive and subtracted (TPOFF32, IE_32, LE_32), GNU's
//     are negative and added (TPOFF, IE, GOTIE, LE).
//   - There are no e_flags.
package i386

import (
	"debug/elf"

	"elfwright/machine"
)

// Machine is i386.
var Machine = &machine.Machine{
	ELF:         elf.EM_386,
	Class:       elf.ELFCLASS32,
	Name:        "i386",
	Orders:      []elf.Data{elf.ELFDATA2LSB},
	CodeLittle:  true,
	PageSize:    0x1000,
	MaxPageSize: 0x1000,
	REL:         true,
	Relocs:      relocs,
	DWARF:       dwarf,
	Status:      status,
	RegSets:     regSets,
	Linux:       linux,
	Prelude:     prelude,
	Reset:       reset,
}
