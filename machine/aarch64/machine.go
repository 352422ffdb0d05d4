// Package aarch64 describes the ELF psABI of the Arm 64-bit architecture
// (AAELF64, with PAuthABI and the structure protection extension), and its
// 32-bit variant ILP32.
//
// What is peculiar about AArch64:
//
//   - Instructions are little-endian even in a big-endian file.
//   - Addresses are made in two steps: ADRP takes the distance between 4 KiB
//     pages, Page(S + A) - Page(P), whatever the real page size is; an ADD or the
//     offset of a load takes the low 12 bits, scaled by what the load reads. Only
//     the first step can overflow; the names of the others end in _NC, and they
//     may still be misaligned.
//   - MOVW types without _NC in the signed groups (SABS, PREL, TPREL, DTPREL,
//     GOTOFF) choose between MOVZ and MOVN by the value's sign. The instruction
//     already says which 16 bits of the register it fills.
//   - G(GDAT(S)) is the address of a GOT entry, not an offset; the other forms
//     inside G() say what kind of entry it is.
//   - The thread pointer is below the static TLS block, two words before it plus
//     alignment: offsets are positive.
//   - Static types begin at 257 and dynamic ones at 1024; in ILP32 at 1 and 180.
//   - Executables must be ready for 64 KiB pages.
//   - There are no e_flags.
package aarch64

import (
	"debug/elf"

	"elfwright/machine"
)

// Machine is AArch64 with 64-bit addresses.
var Machine = &machine.Machine{
	ELF:         elf.EM_AARCH64,
	Class:       elf.ELFCLASS64,
	Name:        "AArch64",
	Orders:      []elf.Data{elf.ELFDATA2LSB, elf.ELFDATA2MSB},
	CodeLittle:  true,
	PageSize:    0x1000,
	MaxPageSize: 0x10000,
	Relocs:      relocs,
	DWARF:       dwarf,
	Status:      status,
	RegSets:     regSets,
	Linux:       linux,
	Prelude:     prelude,
	Thaw:        thaw,
	Reset:       reset,
}

// ILP32 is AArch64 with 32-bit addresses. Linux never had it, so nothing is said
// about core files.
var ILP32 = &machine.Machine{
	ELF:         elf.EM_AARCH64,
	Class:       elf.ELFCLASS32,
	Name:        "AArch64 ILP32",
	Orders:      []elf.Data{elf.ELFDATA2LSB, elf.ELFDATA2MSB},
	CodeLittle:  true,
	PageSize:    0x1000,
	MaxPageSize: 0x10000,
	Relocs:      relocsP32,
	DWARF:       dwarf,
}
