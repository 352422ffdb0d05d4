package aarch64

import m "elfwright/machine"

// The immediate fields of A64 instructions that relocations fill. Unless said
// otherwise, the immediate of a REL addend is what the bits say, scaled and with
// its sign (AAELF64, "Addends and PC-bias").
var (
	imm26 = m.Insn("imm26 of B, BL", 4, m.Part{From: 2, Width: 26})
	imm19 = m.Insn("imm19 of B.cond, CBZ", 4, m.Part{From: 2, Width: 19, To: 5})
	lit19 = m.Insn("imm19 of LDR (literal)", 4, m.Part{From: 2, Width: 19, To: 5})
	imm14 = m.Insn("imm14 of TBZ", 4, m.Part{From: 2, Width: 14, To: 5})

	adr  = m.Insn("imm21 of ADR", 4, m.Part{From: 0, Width: 2, To: 29}, m.Part{From: 2, Width: 19, To: 5})
	adrp = unscaledPage(m.Insn("imm21 of ADRP", 4, m.Part{From: 12, Width: 2, To: 29}, m.Part{From: 14, Width: 19, To: 5}))

	addLo = m.Insn("imm12 of ADD", 4, m.Part{From: 0, Width: 12, To: 10})
	addHi = m.Insn("imm12 of ADD, LSL 12", 4, m.Part{From: 12, Width: 12, To: 10})

	// Bits [11:n] of the value; the rest of imm12, which could reach further,
	// becomes zero.
	ldst8   = m.Insn("imm12 of LDRB, STRB", 4, m.Part{From: 0, Width: 12, To: 10})
	ldst16  = m.Insn("imm12 of LDRH, STRH", 4, m.Part{From: 1, Width: 11, To: 10}, m.Part{From: m.Zero, Width: 1, To: 21})
	ldst32  = m.Insn("imm12 of LDR, STR (32 bits)", 4, m.Part{From: 2, Width: 10, To: 10}, m.Part{From: m.Zero, Width: 2, To: 20})
	ldst64  = m.Insn("imm12 of LDR, STR (64 bits)", 4, m.Part{From: 3, Width: 9, To: 10}, m.Part{From: m.Zero, Width: 3, To: 19})
	ldst128 = m.Insn("imm12 of LDR, STR (128 bits)", 4, m.Part{From: 4, Width: 8, To: 10}, m.Part{From: m.Zero, Width: 4, To: 18})
	// A page-relative GOT offset uses all of imm12.
	got15 = m.Insn("imm12 of LDR (64 bits)", 4, m.Part{From: 3, Width: 12, To: 10})
	got14 = m.Insn("imm12 of LDR (32 bits)", 4, m.Part{From: 2, Width: 12, To: 10})

	insn32 = m.Insn("instruction", 4, m.Part{Width: 32})

	movw       = [4]*m.Field{movk(0), movk(1), movk(2), movk(3)}
	movwSigned = [4]*m.Field{movzn(0), movzn(1), movzn(2), movzn(3)}
)

// movk is the immediate of a MOVK or MOVZ that takes the nth 16 bits.
func movk(n uint8) *m.Field {
	f := m.Insn(movName(n), 4, m.Part{From: 16 * n, Width: 16, To: 5})
	f.Decode = movAddend
	return f
}

// movzn is the immediate of a MOVZ or MOVN that takes the nth 16 bits: AAELF64
// makes it MOVZ for X >= 0, and MOVN with the bits inverted for X < 0.
func movzn(n uint8) *m.Field {
	const movz, imm = 1 << 30, 0xffff << 5 // MOVN has opc (bits 30:29) 00, MOVZ has 10
	return &m.Field{Name: movName(n) + ", MOVN", Size: 4, Little: true, Decode: movAddend,
		Encode: func(insn, x uint64) uint64 {
			insn &^= 3<<29 | imm
			if int64(x) < 0 {
				x = ^x
			} else {
				insn |= movz
			}
			return insn | x>>(16*n)&0xffff<<5
		}}
}

func movName(n uint8) string {
	return [4]string{"imm16 of MOVZ", "imm16 of MOVZ, LSL 16", "imm16 of MOVZ, LSL 32", "imm16 of MOVZ, LSL 48"}[n]
}

// movAddend: the addend is never taken as shifted.
func movAddend(insn uint64) int64 { return m.SignExtend(insn>>5, 16) }

// unscaledPage: nor is ADRP's.
func unscaledPage(f *m.Field) *m.Field {
	f.Decode = func(insn uint64) int64 {
		return m.SignExtend(insn>>29&3|insn>>5&0x7ffff<<2, 21)
	}
	return f
}
