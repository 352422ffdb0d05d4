// Package riscv64 describes the RISC-V ELF psABI for LP64, and for ILP32.
//
// What is peculiar about RISC-V:
//
//   - Instructions are little-endian in every file; a word32 of data is in the
//     file's order.
//   - An immediate's bits are scattered so that the sign is always bit 31. A high
//     part (U-type) is rounded up when the low part that follows is negative, so
//     its limit is 2^31 - 0x800, not 2^31.
//   - The low part of a PC-relative pair does not name the target: its symbol is
//     the label of the AUIPC, and S, A and P are those of the relocation there.
//   - Linkers delete bytes (R_RISCV_RELAX, R_RISCV_ALIGN), so no distance within
//     code is known before linking: the assembler leaves even the difference of
//     two labels to pairs of ADDn/SUBn or SETn/SUBn, which work on what the place
//     holds (V).
//   - R_RISCV_CALL_PLT fills two instructions, AUIPC and JALR.
//   - The thread pointer is at the start of the static TLS block; DTPREL values
//     are 0x800 less than the offset.
//   - Types 192 to 255 belong to vendors; a R_RISCV_VENDOR before says to whom.
package riscv64

import (
	"debug/elf"

	"elfwright/machine"
)

// Machine is RISC-V with 64-bit addresses.
var Machine = &machine.Machine{
	ELF:         elf.EM_RISCV,
	Class:       elf.ELFCLASS64,
	Name:        "RISC-V 64",
	Orders:      []elf.Data{elf.ELFDATA2LSB, elf.ELFDATA2MSB},
	CodeLittle:  true,
	PageSize:    0x1000,
	MaxPageSize: 0x1000,
	Relocs:      relocs,
	Flags:       flags,
	DWARF:       dwarf,
	Status:      status,
	RegSets:     regSets,
	Linux:       linux,
	Prelude:     prelude,
	Reset:       reset,
}

// RV32 is RISC-V with 32-bit addresses.
var RV32 = &machine.Machine{
	ELF:         elf.EM_RISCV,
	Class:       elf.ELFCLASS32,
	Name:        "RISC-V 32",
	Orders:      []elf.Data{elf.ELFDATA2LSB, elf.ELFDATA2MSB},
	CodeLittle:  true,
	PageSize:    0x1000,
	MaxPageSize: 0x1000,
	Relocs:      relocsRV32,
	Flags:       flags,
	DWARF:       dwarf,
	Status:      statusRV32,
	RegSets:     regSets,
	Reset:       reset32,
}

// RISC-V psABI, "File Header", e_flags.
var flags = []machine.Flag{
	{Mask: 0x1, Value: 0x1, Name: "RVC"},
	{Mask: 0x8, Value: 0x8, Name: "RVE"},
	{Mask: 0x10, Value: 0x10, Name: "TSO"},
	{Mask: 0x6, Value: 0x0, Name: "soft-float ABI"},
	{Mask: 0x6, Value: 0x2, Name: "single-float ABI"},
	{Mask: 0x6, Value: 0x4, Name: "double-float ABI"},
	{Mask: 0x6, Value: 0x6, Name: "quad-float ABI"},
	// Newer than binutils 2.40; the words are ours.
	{Mask: 0x20, Value: 0x20, Name: "RV64ILP32"},
	{Mask: 0x40, Value: 0x40, Name: "RVY"},
}
