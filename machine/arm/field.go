package arm

import m "elfwright/machine"

// A32 instructions; AAELF32, table "Arm relocation actions by instruction type".
var (
	prel31 = m.Bits("bits 30:0 of word32", 4, m.Part{Width: 31})

	imm24 = &m.Field{Name: "imm24 of B, BL<cond>", Size: 4, Decode: branchAddend,
		Encode: func(insn, x uint64) uint64 { return insn&0xff000000 | x>>2&0xffffff },
		Refuse: func(_, x uint64) string { return toThumb(x&1 == 1) }}
	call24 = &m.Field{Name: "imm24 of BL, BLX", Size: 4, Encode: encodeCall, Decode: branchAddend,
		Refuse: func(insn, x uint64) string { return toThumb(x&1 == 1 && insn>>28 < 0xe) }}

	movw = movImm(m.Bits("imm16 of MOVW", 4, m.Part{From: 0, Width: 12}, m.Part{From: 12, Width: 4, To: 16}))
	movt = movImm(m.Bits("imm16 of MOVT", 4, m.Part{From: 16, Width: 12}, m.Part{From: 28, Width: 4, To: 16}))

	// Eight bits at a fixed place of the value; the instruction has the rotation.
	alu19 = unsigned(m.Bits("imm8 of ADD, SUB", 4, m.Part{From: 12, Width: 8}))
	alu27 = unsigned(m.Bits("imm8 of ADD, SUB", 4, m.Part{From: 20, Width: 8}))

	imm12 = &m.Field{Name: "imm12 and U of LDR, STR", Size: 4, Encode: encodeImm12, Decode: decodeImm12}
)

func toThumb(yes bool) string {
	if yes {
		return "leads to Thumb code, where this instruction cannot go"
	}
	return ""
}

// branchAddend: BLX adds its H bit as half a word.
func branchAddend(insn uint64) int64 {
	x := m.SignExtend(insn<<2, 26)
	if insn>>25 == 0x7d && insn>>24&1 == 1 { // cond 1111, 101, H
		x += 2
	}
	return x
}

// encodeCall makes a BL of a call to Arm code and a BLX of one to Thumb code
// (bit 0 of x). A conditional BL has no Thumb form and is refused: a linker must
// send it through a veneer.
func encodeCall(insn, x uint64) uint64 {
	const blx, bl = 0xfa000000, 0xeb000000
	switch {
	case x&1 == 1:
		return blx | x>>1&1<<24 | x>>2&0xffffff
	case insn>>28 == 0xf:
		return bl | x>>2&0xffffff
	}
	return insn&0xff000000 | x>>2&0xffffff
}

// movImm gives a MOVW or MOVT its addend: the same 16 signed bits in both, never
// shifted.
func movImm(f *m.Field) *m.Field {
	f.Decode = func(insn uint64) int64 { return m.SignExtend(insn>>4&0xf000|insn&0xfff, 16) }
	return f
}

const upBit = 1 << 23 // U: the offset is added

func magnitude(x uint64) uint64 {
	if int64(x) < 0 {
		return -x
	}
	return x
}

func up(x uint64) uint64 {
	if int64(x) < 0 {
		return 0
	}
	return upBit
}

func signed(insn uint64, offset int64) int64 {
	if insn&upBit == 0 {
		return -offset
	}
	return offset
}

func encodeImm12(insn, x uint64) uint64 {
	return insn&^(upBit|0xfff) | up(x) | magnitude(x)&0xfff
}

func decodeImm12(insn uint64) int64 { return signed(insn, int64(insn&0xfff)) }
