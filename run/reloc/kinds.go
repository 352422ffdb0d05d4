package reloc

import "debug/elf"

// kind is what a dynamic relocation does, in words that all machines share. Types
// that have none here are carried out by their row of the machine's table.
type kind uint8

const (
	byRow     kind = iota
	none           // nothing
	word           // S + A
	symbol         // S; the addend is ignored
	slot           // S + A, of a function that may be bound late
	slotOnly       // S, likewise
	relative       // B + A
	copyData       // the symbol's data
	module         // M
	dtpoff         // S + A, in the block of the module
	tpoff          // T + S + A
	tpoffNeg       // -(T + S + A)
	tlsdesc        // function and argument
	irelative      // what the resolver at B + A returns
)

// kinds are the types of a machine, by number.
type kinds struct {
	list     []kind
	relative uint32 // the type of B + A in RELA tables of 64-bit little-endian files, 0: none
	bias     uint64 // is taken from dtpoff: 0x800 on RISC-V, where signed 12-bit offsets begin at the middle
	swapped  bool   // TLS descriptors hold the argument first
}

func (k *kinds) of(typ uint32) kind {
	if uint64(typ) < uint64(len(k.list)) {
		return k.list[typ]
	}
	return byRow
}

// x86-64 psABI, "Relocation Types"; glibc, sysdeps/x86_64/dl-machine.h, which leaves
// the addend of GLOB_DAT and JUMP_SLOT alone.
var amd64 = kinds{relative: 8, list: []kind{
	0: none, 1: word, 5: copyData, 6: symbol, 7: slotOnly, 8: relative, 16: module, 17: dtpoff, 18: tpoff,
	36: tlsdesc, 37: irelative, 38: relative,
}}

// i386 psABI; glibc, sysdeps/i386/dl-machine.h.
var i386 = kinds{list: []kind{
	0: none, 1: word, 5: copyData, 6: symbol, 7: slotOnly, 8: relative, 14: tpoff, 35: module, 36: dtpoff, 37: tpoffNeg,
	41: tlsdesc, 42: irelative,
}}

// AAELF64, "Dynamic relocations".
var aarch64 = kinds{relative: 1027, list: []kind{
	0: none, 256: none, 257: word, 1024: copyData, 1025: word, 1026: slot, 1027: relative, 1028: module, 1029: dtpoff, 1030: tpoff,
	1031: tlsdesc, 1032: irelative,
}}

// AAELF32; its descriptors hold the argument first (glibc, sysdeps/arm/dl-tlsdesc.h).
// A slot holds the address of the PLT's first entry before: no addend.
var arm = kinds{swapped: true, list: []kind{
	0: none, 2: word, 13: tlsdesc, 17: module, 18: dtpoff, 19: tpoff, 20: copyData, 21: symbol, 22: slotOnly, 23: relative, 160: irelative,
}}

// RISC-V ELF psABI, "Relocations": 2 is the word of RV64.
var riscv64 = kinds{relative: 3, bias: 0x800, list: []kind{
	0: none, 2: word, 3: relative, 4: copyData, 5: slot, 7: module, 9: dtpoff, 11: tpoff, 12: tlsdesc, 58: irelative,
}}

// kindsOf finds the types of a machine and class; nil: not known here.
func kindsOf(m elf.Machine, c elf.Class) *kinds {
	switch {
	case m == elf.EM_X86_64 && c == elf.ELFCLASS64:
		return &amd64
	case m == elf.EM_386 && c == elf.ELFCLASS32:
		return &i386
	case m == elf.EM_AARCH64 && c == elf.ELFCLASS64:
		return &aarch64
	case m == elf.EM_ARM && c == elf.ELFCLASS32:
		return &arm
	case m == elf.EM_RISCV && c == elf.ELFCLASS64:
		return &riscv64
	}
	return nil
}
