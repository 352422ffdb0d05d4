package arm

import m "elfwright/machine"

// Thumb instructions; AAELF32, table "Thumb relocation actions by instruction
// type". A 32-bit instruction counts here as first halfword << 16 | second.
var (
	thmCall   = &m.Field{Name: "imm25 of BL, BLX (Thumb)", Size: 4, Halves: true, Encode: encodeThumbCall, Decode: decodeThumbBranch}
	thmJump24 = &m.Field{Name: "imm25 of B.W", Size: 4, Halves: true, Encode: encodeThumbBranch, Decode: decodeThumbBranch}
	thmJump19 = halves("imm21 of B<cond>.W", m.Part{From: 1, Width: 11}, m.Part{From: 12, Width: 6, To: 16},
		m.Part{From: 18, Width: 1, To: 13}, m.Part{From: 19, Width: 1, To: 11}, m.Part{From: 20, Width: 1, To: 26})

	thmMovw = thumbMov(0, "imm16 of MOVW (Thumb)")
	thmMovt = thumbMov(16, "imm16 of MOVT (Thumb)")

	thmAdr   = &m.Field{Name: "imm12 of ADR.W", Size: 4, Halves: true, Encode: encodeAdr, Decode: decodeAdr}
	thmLdr   = &m.Field{Name: "imm12 and U of LDR (literal, Thumb)", Size: 4, Halves: true, Encode: encodeImm12, Decode: decodeImm12}
	thmImm12 = unsigned(halves("imm12 of LDR (Thumb)", m.Part{Width: 12}))

	thmBF16 = branchFuture("imm of BF", 5)
	thmBF12 = branchFuture("imm of BFCSEL", 1)
	thmBF18 = branchFuture("imm of BFL", 7)

	thmAbs5   = unsigned(m.Bits("imm5 of LDR, STR (Thumb)", 2, m.Part{From: 2, Width: 5, To: 6}))
	thmPC8    = wrapped(m.Bits("imm8 of LDR (literal), ADR (Thumb)", 2, m.Part{From: 2, Width: 8}), 0x3ff)
	thmJump11 = m.Bits("imm11 of B (Thumb)", 2, m.Part{From: 1, Width: 11})
	thmJump8  = m.Bits("imm8 of B<cond> (Thumb)", 2, m.Part{From: 1, Width: 8})
	thmJump6  = wrapped(m.Bits("imm6 of CBZ, CBNZ", 2, m.Part{From: 1, Width: 5, To: 3}, m.Part{From: 6, Width: 1, To: 9}), 0x7f)
	thmImm8   = [4]*m.Field{thumbImm8(0), thumbImm8(8), thumbImm8(16), thumbImm8(24)}
)

func halves(name string, parts ...m.Part) *m.Field {
	f := m.Bits(name, 4, parts...)
	f.Halves = true
	return f
}

// unsigned fields have no sign to extend into the addend.
func unsigned(f *m.Field) *m.Field {
	parts := f.Parts
	f.Decode = func(insn uint64) int64 {
		var x uint64
		for _, p := range parts {
			x |= insn >> p.To & (1<<p.Width - 1) << p.From
		}
		return int64(x)
	}
	return f
}

// wrapped is AAELF32's rule for fields that cannot hold small negative numbers:
// ((imm + 4) & mask) - 4.
func wrapped(f *m.Field, mask int64) *m.Field {
	get := unsigned(f).Decode
	f.Decode = func(insn uint64) int64 { return (get(insn)+4)&mask - 4 }
	return f
}

func thumbImm8(from uint8) *m.Field {
	f := m.Bits("imm8 of ADD, MOV (Thumb)", 2, m.Part{From: from, Width: 8})
	f.Decode = func(insn uint64) int64 { return int64(insn & 0xff) }
	return f
}

func thumbMov(from uint8, name string) *m.Field {
	f := halves(name, m.Part{From: from, Width: 8}, m.Part{From: from + 8, Width: 3, To: 12},
		m.Part{From: from + 11, Width: 1, To: 26}, m.Part{From: from + 12, Width: 4, To: 16})
	f.Decode = func(insn uint64) int64 {
		return m.SignExtend(insn>>4&0xf000|insn>>15&0x800|insn>>4&0x700|insn&0xff, 16)
	}
	return f
}

// encodeThumbBranch: J1 and J2 are the next bits below the sign, each inverted
// and exclusive-ored with it, so that BL without them reads as it did before
// Thumb-2.
func encodeThumbBranch(insn, x uint64) uint64 {
	s := x >> 24 & 1
	j1, j2 := ^(x>>23)&1^s, ^(x>>22)&1^s
	return insn&0xf800d000 | s<<26 | x>>12&0x3ff<<16 | j1<<13 | j2<<11 | x>>1&0x7ff
}

func decodeThumbBranch(insn uint64) int64 {
	s := insn >> 26 & 1
	i1, i2 := ^(insn>>13^s)&1, ^(insn>>11^s)&1
	return m.SignExtend(s<<24|i1<<23|i2<<22|insn>>16&0x3ff<<12|insn&0x7ff<<1, 25)
}

// encodeThumbCall makes a BL of a call to Thumb code (bit 0 of x) and a BLX of
// one to Arm code. BLX counts from the PC rounded down to a word.
func encodeThumbCall(insn, x uint64) uint64 {
	const bl = 1 << 12
	if x&1 == 1 {
		return encodeThumbBranch(insn|bl, x)
	}
	return encodeThumbBranch(insn&^bl, (x+2)&^3)
}

const thumbSub = 0xa << 20 // ADDW and SUBW differ in these two bits

func encodeAdr(insn, x uint64) uint64 {
	insn &^= thumbSub | 1<<26 | 7<<12 | 0xff
	if int64(x) < 0 {
		insn |= thumbSub
	}
	x = magnitude(x)
	return insn | x>>11&1<<26 | x>>8&7<<12 | x&0xff
}

func decodeAdr(insn uint64) int64 {
	x := int64(insn>>15&0x800 | insn>>4&0x700 | insn&0xff)
	if insn&thumbSub != 0 {
		return -x
	}
	return x
}

// branchFuture is the offset in an Armv8.1-M Branch Future instruction; high is
// the number of its bits above bit 11.
func branchFuture(name string, high uint8) *m.Field {
	f := halves(name, m.Part{From: 2, Width: 10, To: 1}, m.Part{From: 1, Width: 1, To: 11},
		m.Part{From: 12, Width: high, To: 16})
	f.Decode = func(insn uint64) int64 {
		x := insn>>16&(1<<high-1)<<12 | insn>>1&0x3ff<<2 | insn>>11&1<<1 | 1
		return m.SignExtend(x, 12+high)
	}
	return f
}
