// Package arm describes the ELF psABI of the Arm 32-bit architecture (AAELF32).
//
// What is peculiar about Arm:
//
//   - Two instruction sets. Bit 0 of a function's address says Thumb; S in the
//     formulas has it cleared, and T is that bit, so (S + A) | T is what a pointer
//     or an interworking branch takes. A BL whose target runs in the other state
//     becomes a BLX, and back: the row for CALL writes the opcode too.
//   - Relocations are mostly REL: the addend is the immediate in the instruction.
//     It includes the distance between the instruction and what it reads as PC,
//     8 in Arm state and 4 in Thumb state. RELA is allowed and handled.
//   - Addresses wrap around at 2^32.
//   - A 32-bit Thumb instruction is two halfwords, the first the more significant.
//   - Big-endian object files have big-endian code. An executable for Armv6 or
//     later (EF_ARM_BE8) has its code swapped back by the linker, data not.
//   - "Group" types split a value into chunks that rotated 8-bit immediates hold:
//     each relocates one ADD, SUB or load of a sequence, and only the last checks.
//   - ADD and SUB, and the U bit of loads, follow the value's sign.
//   - The thread pointer is below the static TLS block: offsets are positive.
//   - Executables must be ready for 64 KiB pages.
package arm

import (
	"debug/elf"

	"elfwright/machine"
)

// Machine is Arm.
var Machine = &machine.Machine{
	ELF:         elf.EM_ARM,
	Class:       elf.ELFCLASS32,
	Name:        "ARM",
	Orders:      []elf.Data{elf.ELFDATA2LSB, elf.ELFDATA2MSB},
	PageSize:    0x1000,
	MaxPageSize: 0x10000,
	REL:         true,
	Relocs:      relocs,
	Flags:       flags,
	DWARF:       dwarf,
	Status:      status,
	RegSets:     regSets,
	Linux:       linux,
	Prelude:     prelude,
	Reset:       reset,
	ResetThumb:  resetThumb,
}

// e_flags: the ABI version decides what the other bits mean. AAELF32 defines
// those of version 5; the older ones are GNU's (include/elf/arm.h).
const (
	abiMask = 0xff000000
	v0      = 0 << 24
	v1      = 1 << 24
	v2      = 2 << 24
	v4      = 4 << 24
	v5      = 5 << 24
)

var flags = []machine.Flag{
	{Mask: 0x1, Value: 0x1, Name: "relocatable executable"},
	{Mask: 0x20, Value: 0x20, Name: "position independent"},
	{Mask: abiMask, Value: v0, Name: "GNU EABI"},
	{Mask: abiMask, Value: v1, Name: "Version1 EABI"},
	{Mask: abiMask, Value: v2, Name: "Version2 EABI"},
	{Mask: abiMask, Value: 3 << 24, Name: "Version3 EABI"},
	{Mask: abiMask, Value: v4, Name: "Version4 EABI"},
	{Mask: abiMask, Value: v5, Name: "Version5 EABI"},
	on(v0, 0x4, "interworking enabled"),
	on(v0, 0x8, "uses APCS/26"),
	on(v0, 0x10, "uses APCS/float"),
	on(v0, 0x40, "8 bit structure alignment"),
	on(v0, 0x80, "uses new ABI"),
	on(v0, 0x100, "uses old ABI"),
	on(v0, 0x200, "software FP"),
	on(v0, 0x400, "VFP"),
	on(v0, 0x800, "Maverick FP"),
	on(v1, 0x4, "sorted symbol tables"),
	on(v2, 0x4, "sorted symbol tables"),
	on(v2, 0x8, "dynamic symbols use segment index"),
	on(v2, 0x10, "mapping symbols precede others"),
	on(v5, 0x200, "soft-float ABI"),
	on(v5, 0x400, "hard-float ABI"),
	on(v4, 0x400000, "LE8"),
	on(v4, 0x800000, "BE8"),
	on(v5, 0x400000, "LE8"),
	on(v5, 0x800000, "BE8"),
}

// on is a flag of one bit that only this ABI version has.
func on(version, bit uint32, name string) machine.Flag {
	return machine.Flag{Mask: bit, Value: bit, Name: name, WhenMask: abiMask, When: version}
}
