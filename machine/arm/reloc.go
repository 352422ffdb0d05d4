package arm

import (
	"fmt"

	m "elfwright/machine"
)

var relocs = m.NewTable(32, data, dynamic, tls, arm32, groups, thumb32, thumb16, others, private)

// Where GNU ld 2.40 differs from AAELF32, these rows do as AAELF32 says: ld
// computes with 64 bits, so that a sum that wraps around overflows; takes the
// addend of ABS8, ABS16 and ABS12 as unsigned; refuses a negative THM_PC12; reads
// a rotated immediate of a group wrongly on 64-bit hosts; does not shift THM_ABS5
// into its field and leaves the highest bit of THM_JUMP6 unused; checks neither THM_PC8 nor the BF types; and
// knows no SBREL32, BASE_ABS, PLT32_ABS, GOT_ABS, GOT_BREL12, GOTOFF12, TLS_LE12,
// TLS_LDO12 and TLS_IE12GP.

// The formulas of AAELF32, named for their parts: s S + A, t (S + A) | T, p P,
// pa Pa, b B(S), g GOT(S) + A, o GOT_ORG.
const (
	s   = m.SA
	t   = m.Formula("SA+T|")
	sp  = m.SAP
	tp  = m.Formula("SA+T|P-")
	spa = m.Formula("SA+a-")
	tpa = m.Formula("SA+T|a-")
	sb  = m.Formula("SA+b-")
	tb  = m.Formula("SA+T|b-")
	so  = m.Formula("SA+o-")
	to  = m.Formula("SA+T|o-")
	g   = m.Formula("eA+")
	gp  = m.Formula("eA+P-")
	g0  = m.Formula("eA+o-")

	dtp = m.Formula("SA+y-") // S + A - TLS
	tpo = m.Formula("SA+x-") // S + A - tp
)

// AAELF32, "Static Data relocations" and the data types among the miscellaneous.
func data() []m.Reloc {
	return []m.Reloc{
		{Type: 0, Name: "R_ARM_NONE", Kind: m.Marker, Dynamic: true},
		{Type: 2, Name: "R_ARM_ABS32", Formula: t, Field: m.Word32, Dynamic: true},
		{Type: 3, Name: "R_ARM_REL32", Formula: tp, Field: m.Word32, Dynamic: true},
		{Type: 5, Name: "R_ARM_ABS16", Formula: s, Field: m.Word16, Check: m.Either(16)},
		{Type: 8, Name: "R_ARM_ABS8", Formula: s, Field: m.Word8, Check: m.Either(8)},
		{Type: 9, Name: "R_ARM_SBREL32", Formula: tb, Field: m.Word32},
		{Type: 24, Name: "R_ARM_GOTOFF32", Formula: to, Field: m.Word32, Alias: "R_ARM_GOTOFF"},
		{Type: 25, Name: "R_ARM_BASE_PREL", Formula: "bA+P-", Field: m.Word32, Alias: "R_ARM_GOTPC"},
		{Type: 26, Name: "R_ARM_GOT_BREL", Formula: g0, Field: m.Word32, Alias: "R_ARM_GOT32"},
		{Type: 31, Name: "R_ARM_BASE_ABS", Formula: "bA+", Field: m.Word32},
		// A platform chooses; so does Linux: TARGET1 as ABS32, TARGET2 as GOT_PREL.
		{Type: 38, Name: "R_ARM_TARGET1", Formula: t, Field: m.Word32, Note: "or ((S + A) | T) - P, as the platform says"},
		{Type: 39, Name: "R_ARM_SBREL31", Formula: tb, Field: prel31, Check: m.Signed(31), Note: "deprecated", Alias: "R_ARM_ROSEGREL32"},
		{Type: 41, Name: "R_ARM_TARGET2", Formula: gp, Field: m.Word32, Note: "or (S + A) | T, or ((S + A) | T) - P, as the platform says"},
		{Type: 42, Name: "R_ARM_PREL31", Formula: tp, Field: prel31, Check: m.Signed(31)},
		{Type: 55, Name: "R_ARM_ABS32_NOI", Formula: s, Field: m.Word32},
		{Type: 56, Name: "R_ARM_REL32_NOI", Formula: sp, Field: m.Word32},
		{Type: 94, Name: "R_ARM_PLT32_ABS", Formula: "lA+", Field: m.Word32},
		{Type: 95, Name: "R_ARM_GOT_ABS", Formula: g, Field: m.Word32},
		{Type: 96, Name: "R_ARM_GOT_PREL", Formula: gp, Field: m.Word32},
	}
}

// AAELF32, "Dynamic relocations". A PLT slot holds the address of the lazy stub:
// its addend is 0. So it is for GLOB_DAT in glibc, though not in AAELF32.
func dynamic() []m.Reloc {
	return []m.Reloc{
		{Type: 12, Name: "R_ARM_BREL_ADJ", Formula: "CA+", Field: m.Word32, Dynamic: true, Alias: "R_ARM_AMP_VCALL9"},
		{Type: 13, Name: "R_ARM_TLS_DESC", Formula: "SA+j", Kind: m.Runtime, Dynamic: true, Alias: "R_ARM_SWI24", Note: "fills two words: a function and its argument"},
		{Type: 17, Name: "R_ARM_TLS_DTPMOD32", Formula: "n", Field: m.Word32, Dynamic: true},
		{Type: 18, Name: "R_ARM_TLS_DTPOFF32", Formula: dtp, Field: m.Word32, Dynamic: true},
		{Type: 19, Name: "R_ARM_TLS_TPOFF32", Formula: tpo, Field: m.Word32, Dynamic: true},
		{Type: 20, Name: "R_ARM_COPY", Kind: m.Runtime, Dynamic: true, Note: "copies the symbol's data from its shared object"},
		{Type: 21, Name: "R_ARM_GLOB_DAT", Formula: t, Field: m.Word32, Dynamic: true},
		{Type: 22, Name: "R_ARM_JUMP_SLOT", Formula: t, Field: m.Slot32, Dynamic: true},
		{Type: 23, Name: "R_ARM_RELATIVE", Formula: "bA+", Field: m.Word32, Dynamic: true},
		{Type: 160, Name: "R_ARM_IRELATIVE", Formula: "bA+N", Field: m.Word32, Kind: m.Runtime, Dynamic: true, Note: "calls the resolver at B + A"},
	}
}

// AAELF32, "Relocations for thread-local storage".
func tls() []m.Reloc {
	return []m.Reloc{
		{Type: 90, Name: "R_ARM_TLS_GOTDESC", Kind: m.Hint, Note: "rewritten as a group: TLS descriptor sequence"},
		{Type: 91, Name: "R_ARM_TLS_CALL", Kind: m.Hint, Note: "rewritten as a group: TLS descriptor sequence"},
		{Type: 92, Name: "R_ARM_TLS_DESCSEQ", Kind: m.Hint, Note: "rewritten as a group: TLS descriptor sequence"},
		{Type: 93, Name: "R_ARM_THM_TLS_CALL", Kind: m.Hint, Note: "rewritten as a group: TLS descriptor sequence"},
		{Type: 104, Name: "R_ARM_TLS_GD32", Formula: gp, Field: m.Word32, Note: "the entry is a tls_index"},
		{Type: 105, Name: "R_ARM_TLS_LDM32", Formula: gp, Field: m.Word32, Note: "the entry is the module's tls_index"},
		{Type: 106, Name: "R_ARM_TLS_LDO32", Formula: dtp, Field: m.Word32},
		{Type: 107, Name: "R_ARM_TLS_IE32", Formula: gp, Field: m.Word32, Note: "the entry holds a TPOFF32"},
		{Type: 108, Name: "R_ARM_TLS_LE32", Formula: tpo, Field: m.Word32},
		{Type: 109, Name: "R_ARM_TLS_LDO12", Formula: dtp, Field: imm12, Check: m.Magnitude(12)},
		{Type: 110, Name: "R_ARM_TLS_LE12", Formula: tpo, Field: imm12, Check: m.Magnitude(12)},
		{Type: 111, Name: "R_ARM_TLS_IE12GP", Formula: g0, Field: imm12, Check: m.Magnitude(12)},
		{Type: 129, Name: "R_ARM_THM_TLS_DESCSEQ16", Kind: m.Hint, Note: "rewritten as a group: TLS descriptor sequence", Alias: "R_ARM_THM_TLS_DESCSEQ"},
		{Type: 130, Name: "R_ARM_THM_TLS_DESCSEQ32", Kind: m.Hint, Note: "rewritten as a group: TLS descriptor sequence"},
	}
}

// AAELF32, "Static Arm relocations" without groups.
func arm32() []m.Reloc {
	return []m.Reloc{
		{Type: 1, Name: "R_ARM_PC24", Formula: tp, Field: imm24, Check: m.Signed(26), Dynamic: true, Note: "deprecated"},
		{Type: 6, Name: "R_ARM_ABS12", Formula: s, Field: imm12, Check: m.Magnitude(12)},
		{Type: 27, Name: "R_ARM_PLT32", Formula: tp, Field: imm24, Check: m.Signed(26), Note: "deprecated"},
		{Type: 28, Name: "R_ARM_CALL", Formula: tp, Field: call24, Check: m.Signed(26)},
		{Type: 29, Name: "R_ARM_JUMP24", Formula: tp, Field: imm24, Check: m.Signed(26)},
		{Type: 35, Name: "R_ARM_LDR_SBREL_11_0_NC", Formula: sb, Field: imm12, Note: "deprecated", Alias: "R_ARM_LDR_SBREL_11_10_NC"},
		{Type: 36, Name: "R_ARM_ALU_SBREL_19_12_NC", Formula: sb, Field: alu19, Note: "deprecated"},
		{Type: 37, Name: "R_ARM_ALU_SBREL_27_20_CK", Formula: sb, Field: alu27, Check: m.Unsigned(28), Note: "deprecated"},
		{Type: 40, Name: "R_ARM_V4BX", Kind: m.Hint, Note: "marks a BX, which a linker may make MOV PC for Armv4"},
		{Type: 43, Name: "R_ARM_MOVW_ABS_NC", Formula: t, Field: movw},
		{Type: 44, Name: "R_ARM_MOVT_ABS", Formula: s, Field: movt},
		{Type: 45, Name: "R_ARM_MOVW_PREL_NC", Formula: tp, Field: movw},
		{Type: 46, Name: "R_ARM_MOVT_PREL", Formula: sp, Field: movt},
		{Type: 84, Name: "R_ARM_MOVW_BREL_NC", Formula: tb, Field: movw},
		{Type: 85, Name: "R_ARM_MOVT_BREL", Formula: sb, Field: movt},
		{Type: 86, Name: "R_ARM_MOVW_BREL", Formula: tb, Field: movw, Check: m.Unsigned(16)},
		{Type: 97, Name: "R_ARM_GOT_BREL12", Formula: g0, Field: imm12, Check: m.Magnitude(12)},
		{Type: 98, Name: "R_ARM_GOTOFF12", Formula: so, Field: imm12, Check: m.Magnitude(12)},
	}
}

// AAELF32, "Group relocations".
func groups() []m.Reloc {
	return []m.Reloc{
		{Type: 4, Name: "R_ARM_LDR_PC_G0", Formula: sp, Field: ldr.field(0), Check: ldr.check(0), Alias: "R_ARM_PC13"},
		{Type: 57, Name: "R_ARM_ALU_PC_G0_NC", Formula: tp, Field: alu(0)},
		{Type: 58, Name: "R_ARM_ALU_PC_G0", Formula: tp, Field: alu(0), Check: aluCheck(0)},
		{Type: 59, Name: "R_ARM_ALU_PC_G1_NC", Formula: tp, Field: alu(1)},
		{Type: 60, Name: "R_ARM_ALU_PC_G1", Formula: tp, Field: alu(1), Check: aluCheck(1)},
		{Type: 61, Name: "R_ARM_ALU_PC_G2", Formula: tp, Field: alu(2), Check: aluCheck(2)},
		{Type: 62, Name: "R_ARM_LDR_PC_G1", Formula: sp, Field: ldr.field(1), Check: ldr.check(1)},
		{Type: 63, Name: "R_ARM_LDR_PC_G2", Formula: sp, Field: ldr.field(2), Check: ldr.check(2)},
		{Type: 64, Name: "R_ARM_LDRS_PC_G0", Formula: sp, Field: ldrs.field(0), Check: ldrs.check(0)},
		{Type: 65, Name: "R_ARM_LDRS_PC_G1", Formula: sp, Field: ldrs.field(1), Check: ldrs.check(1)},
		{Type: 66, Name: "R_ARM_LDRS_PC_G2", Formula: sp, Field: ldrs.field(2), Check: ldrs.check(2)},
		{Type: 67, Name: "R_ARM_LDC_PC_G0", Formula: sp, Field: ldc.field(0), Check: ldc.check(0)},
		{Type: 68, Name: "R_ARM_LDC_PC_G1", Formula: sp, Field: ldc.field(1), Check: ldc.check(1)},
		{Type: 69, Name: "R_ARM_LDC_PC_G2", Formula: sp, Field: ldc.field(2), Check: ldc.check(2)},
		{Type: 70, Name: "R_ARM_ALU_SB_G0_NC", Formula: tb, Field: alu(0)},
		{Type: 71, Name: "R_ARM_ALU_SB_G0", Formula: tb, Field: alu(0), Check: aluCheck(0)},
		{Type: 72, Name: "R_ARM_ALU_SB_G1_NC", Formula: tb, Field: alu(1)},
		{Type: 73, Name: "R_ARM_ALU_SB_G1", Formula: tb, Field: alu(1), Check: aluCheck(1)},
		{Type: 74, Name: "R_ARM_ALU_SB_G2", Formula: tb, Field: alu(2), Check: aluCheck(2)},
		{Type: 75, Name: "R_ARM_LDR_SB_G0", Formula: sb, Field: ldr.field(0), Check: ldr.check(0)},
		{Type: 76, Name: "R_ARM_LDR_SB_G1", Formula: sb, Field: ldr.field(1), Check: ldr.check(1)},
		{Type: 77, Name: "R_ARM_LDR_SB_G2", Formula: sb, Field: ldr.field(2), Check: ldr.check(2)},
		{Type: 78, Name: "R_ARM_LDRS_SB_G0", Formula: sb, Field: ldrs.field(0), Check: ldrs.check(0)},
		{Type: 79, Name: "R_ARM_LDRS_SB_G1", Formula: sb, Field: ldrs.field(1), Check: ldrs.check(1)},
		{Type: 80, Name: "R_ARM_LDRS_SB_G2", Formula: sb, Field: ldrs.field(2), Check: ldrs.check(2)},
		{Type: 81, Name: "R_ARM_LDC_SB_G0", Formula: sb, Field: ldc.field(0), Check: ldc.check(0)},
		{Type: 82, Name: "R_ARM_LDC_SB_G1", Formula: sb, Field: ldc.field(1), Check: ldc.check(1)},
		{Type: 83, Name: "R_ARM_LDC_SB_G2", Formula: sb, Field: ldc.field(2), Check: ldc.check(2)},
	}
}

// AAELF32, "Static Thumb32 relocations" and those of Armv8.1-M Branch Future,
// whose instruction a linker makes a NOP when the value does not fit.
func thumb32() []m.Reloc {
	return []m.Reloc{
		{Type: 10, Name: "R_ARM_THM_CALL", Formula: tp, Field: thmCall, Check: m.Signed(25), Alias: "R_ARM_THM_PC22"},
		{Type: 30, Name: "R_ARM_THM_JUMP24", Formula: tp, Field: thmJump24, Check: m.Signed(25)},
		{Type: 47, Name: "R_ARM_THM_MOVW_ABS_NC", Formula: t, Field: thmMovw},
		{Type: 48, Name: "R_ARM_THM_MOVT_ABS", Formula: s, Field: thmMovt},
		{Type: 49, Name: "R_ARM_THM_MOVW_PREL_NC", Formula: tp, Field: thmMovw},
		{Type: 50, Name: "R_ARM_THM_MOVT_PREL", Formula: sp, Field: thmMovt},
		{Type: 51, Name: "R_ARM_THM_JUMP19", Formula: tp, Field: thmJump19, Check: m.Signed(21)},
		{Type: 53, Name: "R_ARM_THM_ALU_PREL_11_0", Formula: tpa, Field: thmAdr, Check: m.Magnitude(12)},
		{Type: 54, Name: "R_ARM_THM_PC12", Formula: spa, Field: thmLdr, Check: m.Magnitude(12)},
		{Type: 87, Name: "R_ARM_THM_MOVW_BREL_NC", Formula: tb, Field: thmMovw},
		{Type: 88, Name: "R_ARM_THM_MOVT_BREL", Formula: sb, Field: thmMovt},
		{Type: 89, Name: "R_ARM_THM_MOVW_BREL", Formula: tb, Field: thmMovw, Check: m.Unsigned(16)},
		{Type: 131, Name: "R_ARM_THM_GOT_BREL12", Formula: g0, Field: thmImm12, Check: m.Unsigned(12)},
		{Type: 136, Name: "R_ARM_THM_BF16", Formula: tp, Field: thmBF16, Check: m.Signed(17)},
		{Type: 137, Name: "R_ARM_THM_BF12", Formula: tp, Field: thmBF12, Check: m.Signed(13)},
		{Type: 138, Name: "R_ARM_THM_BF18", Formula: tp, Field: thmBF18, Check: m.Signed(19)},
	}
}

// AAELF32, "Static Thumb16 relocations".
func thumb16() []m.Reloc {
	return []m.Reloc{
		{Type: 7, Name: "R_ARM_THM_ABS5", Formula: s, Field: thmAbs5, Check: m.Unsigned(7).Aligned(4)},
		{Type: 11, Name: "R_ARM_THM_PC8", Formula: spa, Field: thmPC8, Check: m.Unsigned(10).Aligned(4)},
		{Type: 52, Name: "R_ARM_THM_JUMP6", Formula: sp, Field: thmJump6, Check: m.Unsigned(7)},
		{Type: 102, Name: "R_ARM_THM_JUMP11", Formula: sp, Field: thmJump11, Check: m.Signed(12)},
		{Type: 103, Name: "R_ARM_THM_JUMP8", Formula: sp, Field: thmJump8, Check: m.Signed(9)},
		{Type: 132, Name: "R_ARM_THM_ALU_ABS_G0_NC", Formula: t, Field: thmImm8[0]},
		{Type: 133, Name: "R_ARM_THM_ALU_ABS_G1_NC", Formula: s, Field: thmImm8[1]},
		{Type: 134, Name: "R_ARM_THM_ALU_ABS_G2_NC", Formula: s, Field: thmImm8[2]},
		{Type: 135, Name: "R_ARM_THM_ALU_ABS_G3", Formula: s, Field: thmImm8[3], Alias: "R_ARM_THM_ALU_ABS_G3_NC"},
	}
}

// AAELF32, "Obsolete relocations" and such as have no operation. Numbers from 249
// on are unallocated today; the names are those of the Arm ELF of the 1990s.
func others() []m.Reloc {
	return []m.Reloc{
		{Type: 14, Name: "R_ARM_THM_SWI8", Kind: m.Reserved, Note: "obsolete"},
		{Type: 15, Name: "R_ARM_XPC25", Kind: m.Reserved, Note: "obsolete"},
		{Type: 16, Name: "R_ARM_THM_XPC22", Kind: m.Reserved, Note: "obsolete"},
		{Type: 32, Name: "R_ARM_ALU_PCREL_7_0", Kind: m.Reserved, Note: "obsolete", Alias: "R_ARM_ALU_PCREL7_0"},
		{Type: 33, Name: "R_ARM_ALU_PCREL_15_8", Kind: m.Reserved, Note: "obsolete", Alias: "R_ARM_ALU_PCREL15_8"},
		{Type: 34, Name: "R_ARM_ALU_PCREL_23_15", Kind: m.Reserved, Note: "obsolete", Alias: "R_ARM_ALU_PCREL23_15"},
		{Type: 99, Name: "R_ARM_GOTRELAX", Kind: m.Hint, Note: "reserved for optimizing GOT sequences"},
		{Type: 100, Name: "R_ARM_GNU_VTENTRY", Kind: m.Marker, Note: "deprecated; GNU: use of a virtual table entry"},
		{Type: 101, Name: "R_ARM_GNU_VTINHERIT", Kind: m.Marker, Note: "deprecated; GNU: class hierarchy"},
		{Type: 128, Name: "R_ARM_ME_TOO", Kind: m.Reserved, Note: "obsolete"},
		{Type: 249, Name: "R_ARM_RXPC25", Kind: m.Reserved, Note: "obsolete"},
		{Type: 250, Name: "R_ARM_RSBREL32", Kind: m.Reserved, Note: "obsolete"},
		{Type: 251, Name: "R_ARM_THM_RPC22", Kind: m.Reserved, Note: "obsolete"},
		{Type: 252, Name: "R_ARM_RREL32", Kind: m.Reserved, Note: "obsolete"},
		{Type: 253, Name: "R_ARM_RABS32", Kind: m.Reserved, Note: "obsolete"},
		{Type: 254, Name: "R_ARM_RPC24", Kind: m.Reserved, Note: "obsolete"},
		{Type: 255, Name: "R_ARM_RBASE", Kind: m.Reserved, Note: "obsolete"},
	}
}

// private are the numbers whose meaning EI_OSABI tells. FDPIC (ELFOSABI_ARM_FDPIC)
// uses the first of the second range, under the names given as aliases.
func private() []m.Reloc {
	fdpic := []string{"GOTFUNCDESC", "GOTOFFFUNCDESC", "FUNCDESC", "FUNCDESC_VALUE",
		"TLS_GD32_FDPIC", "TLS_LDM32_FDPIC", "TLS_IE32_FDPIC"}
	var rows []m.Reloc
	for n := uint32(0); n < 32; n++ {
		r := m.Reloc{Type: 112 + n, Name: fmt.Sprintf("R_ARM_PRIVATE_%d", n), Kind: m.Reserved, Note: "private"}
		if n >= 16 {
			r.Type = 161 + n - 16
		}
		if n >= 16 && int(n-16) < len(fdpic) {
			r.Alias = "R_ARM_" + fdpic[n-16]
		}
		rows = append(rows, r)
	}
	return rows
}
