package aarch64

import "encoding/binary"

// Instructions that the linker writes; registers and immediates are added.
const (
	insnNop      = 0xd503201f // nop
	insnB        = 0x14000000 // b
	insnBL       = 0x94000000 // bl
	insnADR      = 0x10000000 // adr
	insnMRS      = 0xd53bd040 // mrs x0, tpidr_el0
	insnMovzLsl  = 0xd2a00000 // movz x0, #0, lsl #16
	insnMovz32   = 0xd2c00000 // movz x0, #0, lsl #32
	insnMovk     = 0xf2800000 // movk x0, #0
	insnMovk16   = 0xf2a00000 // movk x0, #0, lsl #16
	insnAddX0    = 0x8b000020 // add x0, x1, x0
	insnAddImm   = 0x91000000 // add x0, x0, #0
	insnAddHi    = 0x91400000 // add x0, x0, #0, lsl #12
	insnLoad     = 0xf9400000 // ldr x0, [x0]
	insnLiteral  = 0x58000000 // ldr x0, .
	rd, rnShift  = 31, 5
	branchReach  = 1 << 27 // of B and BL, in both directions
	pageReach    = 1 << 32 // of ADRP
	nearReach    = 1 << 20 // of ADR
	tcb          = 16      // between thread pointer and TLS block, before alignment
	maxAddImm    = 1 << 12
	pageMask     = 0xfff
	insnSize     = 4
	insnCondMask = 0x1c000000
)

func load(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

func store(b []byte, insn uint32) { binary.LittleEndian.PutUint32(b, insn) }

func isADRP(x uint32) bool    { return x&0x9f000000 == 0x90000000 }
func isADR(x uint32) bool     { return x&0x9f000000 == insnADR }
func isAddImm(x uint32) bool  { return x&0xffc00000 == insnAddImm }
func isAddReg(x uint32) bool  { return x&0xffe0fc00 == 0x8b000000 }
func isLoad(x uint32) bool    { return x&0xffc00000 == insnLoad }
func isLiteral(x uint32) bool { return x&0xff000000 == insnLiteral }
func isMove(x uint32) bool    { return x&0x9f800000 == 0x92800000 } // MOVN, MOVZ, MOVK of an X register
func isLoadReg(x uint32) bool { return x&0xffe0fc00 == 0xf8606800 }
func isBL(x uint32) bool      { return x&0xfc000000 == insnBL }
func isBLR(x uint32) bool     { return x&0xfffffc1f == 0xd63f0000 }

// branch encodes B to a distance that it reaches.
func branch(d uint64) uint32 { return insnB | uint32(d)>>2&0x3ffffff }

func reaches(d int64) bool { return d >= -branchReach && d < branchReach }

// page encodes the distance of pages into an ADRP.
func page(insn uint32, d uint64) uint32 {
	return insn&^(3<<29|0x7ffff<<5) | uint32(d>>12&3)<<29 | uint32(d>>14&0x7ffff)<<5
}

func pagesApart(to, from uint64) int64 { return int64(to&^pageMask - from&^pageMask) }

func pageReaches(d int64) bool { return d >= -pageReach && d < pageReach }
