package model

import "debug/elf"

// TPOff is the offset from the thread pointer of an address in the TLS segment's
// image (ELF Handling For Thread-Local Storage, section 3; the psABIs of AArch64,
// Arm and RISC-V). On x86 the block ends at the thread pointer; on Arm's machines
// it begins behind two words; on RISC-V it begins there.
func (e *Env) TPOff(addr uint64) int64 {
	align := max(e.TLSAlign, 1)
	up := func(x uint64) uint64 { return (x + align - 1) &^ (align - 1) }
	off := int64(addr - e.TLSStart)
	switch e.Target.Machine().ELF {
	case elf.EM_X86_64, elf.EM_386:
		// The block's address is congruent to p_vaddr modulo the alignment.
		return off - int64(up(e.TLSSize+e.TLSStart&(align-1))-e.TLSStart&(align-1))
	case elf.EM_AARCH64:
		return off + int64(up(16))
	case elf.EM_ARM:
		return off + int64(up(8))
	}
	return off
}

// DTPOff is the offset from the module's TLS block, as __tls_get_addr takes it: on
// RISC-V less 0x800.
func (e *Env) DTPOff(addr uint64) int64 {
	off := int64(addr - e.TLSStart)
	if e.Target.Machine().ELF == elf.EM_RISCV {
		off -= 0x800
	}
	return off
}
