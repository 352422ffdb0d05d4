package riscv64

import m "elfwright/machine"

// The instruction formats of the RISC-V Unprivileged ISA, "Base Instruction
// Formats" and "Compressed Instruction Formats".
var (
	uType = m.Insn("U-type", 4, m.Part{From: 12, Width: 20, To: 12, Carry: true})
	iType = m.Insn("I-type", 4, m.Part{From: 0, Width: 12, To: 20})
	sType = m.Insn("S-type", 4, m.Part{From: 0, Width: 5, To: 7}, m.Part{From: 5, Width: 7, To: 25})
	bType = m.Insn("B-type", 4,
		m.Part{From: 11, Width: 1, To: 7}, m.Part{From: 1, Width: 4, To: 8},
		m.Part{From: 5, Width: 6, To: 25}, m.Part{From: 12, Width: 1, To: 31})
	jType = m.Insn("J-type", 4,
		m.Part{From: 12, Width: 8, To: 12}, m.Part{From: 11, Width: 1, To: 20},
		m.Part{From: 1, Width: 10, To: 21}, m.Part{From: 20, Width: 1, To: 31})
	cbType = m.Insn("CB-type", 2,
		m.Part{From: 5, Width: 1, To: 2}, m.Part{From: 1, Width: 2, To: 3},
		m.Part{From: 6, Width: 2, To: 5}, m.Part{From: 3, Width: 2, To: 10},
		m.Part{From: 8, Width: 1, To: 12})
	cjType = m.Insn("CJ-type", 2,
		m.Part{From: 5, Width: 1, To: 2}, m.Part{From: 1, Width: 3, To: 3},
		m.Part{From: 7, Width: 1, To: 6}, m.Part{From: 6, Width: 1, To: 7},
		m.Part{From: 10, Width: 1, To: 8}, m.Part{From: 8, Width: 2, To: 9},
		m.Part{From: 4, Width: 1, To: 11}, m.Part{From: 11, Width: 1, To: 12})
	// AUIPC and the JALR behind it: two little-endian instructions read as one
	// number, the JALR's immediate in its upper half.
	callPair = m.Insn("U+I-type", 8,
		m.Part{From: 12, Width: 20, To: 12, Carry: true}, m.Part{From: 0, Width: 12, To: 32 + 20})

	// DW_CFA_advance_loc keeps a 6-bit delta in an opcode byte.
	word6 = m.Bits("word6", 1, m.Part{Width: 6})
)
