package aarch64

import (
	m "elfwright/machine"
)

// AAELF64 writes <CLS> for AARCH64 or AARCH64_P32: two tables. The private and
// platform ranges (0xE000 to 0xFFFF, 0xE0 to 0xFF) have no names.
var relocs = m.NewTable(64, data, movwGroups, pcrel, got, tlsGD, tlsLD, tlsIE, tlsLE, tlsdesc, pauth, dynamic)

// The formulas, named for what they compute.
const (
	sa   = m.SA  // S + A
	sap  = m.SAP // S + A - P
	page = m.Formula("SA+pPp-")

	gotEntry = m.Formula("g")     // G(GDAT(S))
	gotGOT   = m.Formula("gO-")   // G(GDAT(S)) - GOT
	gotPC    = m.Formula("gP-")   // G(GDAT(S)) - P
	gotPage  = m.Formula("gpPp-") // Page(G(GDAT(S))) - Page(P)
	gotInGOT = m.Formula("gOp-")  // G(GDAT(S)) - Page(GOT)

	dtprel = m.Formula("SA+q") // DTPREL(S + A)
	tprel  = m.Formula("SA+r") // TPREL(S + A)
)

// Limits. AAELF64 gives each; a MOVW group's signed limit counts one bit more
// than it stores, since MOVN holds negative values.
var (
	none     = m.Check{}
	s33      = m.Signed(33)
	s21      = m.Signed(21)
	s28, s16 = m.Signed(28).Aligned(4), m.Signed(16).Aligned(4)
	s21by4   = m.Signed(21).Aligned(4)
	by2      = none.Aligned(2)
	by4      = none.Aligned(4)
	by8      = none.Aligned(8)
	by16     = none.Aligned(16)
	u12      = m.Unsigned(12)
	u24      = m.Unsigned(24)
)

// AAELF64, "Static miscellaneous relocations" and "Static Data relocations". GNU
// ld takes no negative value for ABS32 and ABS16; AAELF64 and LLVM do.
func data() []m.Reloc {
	return []m.Reloc{
		{Type: 0, Name: "R_AARCH64_NONE", Kind: m.Marker, Dynamic: true},
		{Type: 256, Name: "R_AARCH64_NULL", Kind: m.Marker, Dynamic: true, Note: "withdrawn; the same as NONE"},
		{Type: 257, Name: "R_AARCH64_ABS64", Formula: sa, Field: m.Word64, Dynamic: true},
		{Type: 258, Name: "R_AARCH64_ABS32", Formula: sa, Field: m.Word32, Check: m.Either(32)},
		{Type: 259, Name: "R_AARCH64_ABS16", Formula: sa, Field: m.Word16, Check: m.Either(16)},
		{Type: 260, Name: "R_AARCH64_PREL64", Formula: sap, Field: m.Word64},
		{Type: 261, Name: "R_AARCH64_PREL32", Formula: sap, Field: m.Word32, Check: m.Signed(32)},
		{Type: 262, Name: "R_AARCH64_PREL16", Formula: sap, Field: m.Word16, Check: m.Signed(16)},
		{Type: 307, Name: "R_AARCH64_GOTREL64", Formula: "SA+O-", Field: m.Word64},
		{Type: 308, Name: "R_AARCH64_GOTREL32", Formula: "SA+O-", Field: m.Word32, Check: m.Signed(32)},
		{Type: 314, Name: "R_AARCH64_PLT32", Formula: sap, Field: m.Word32, Check: m.Signed(32)},
		{Type: 315, Name: "R_AARCH64_GOTPCREL32", Formula: "gP-A+", Field: m.Word32, Check: m.Signed(32)},
		{Type: 316, Name: "R_AARCH64_PATCHINST", Formula: sa, Field: insn32, Check: m.Unsigned(32), Note: "no effect if the symbol is undefined"},
		{Type: 317, Name: "R_AARCH64_FUNCINIT64", Formula: "SA+f", Field: m.Word64, Kind: m.Runtime, Note: "becomes an IRELATIVE"},
	}
}

// AAELF64, "Group relocations to create … data value or address inline".
func movwGroups() []m.Reloc {
	return []m.Reloc{
		{Type: 263, Name: "R_AARCH64_MOVW_UABS_G0", Formula: sa, Field: movw[0], Check: m.Unsigned(16)},
		{Type: 264, Name: "R_AARCH64_MOVW_UABS_G0_NC", Formula: sa, Field: movw[0]},
		{Type: 265, Name: "R_AARCH64_MOVW_UABS_G1", Formula: sa, Field: movw[1], Check: m.Unsigned(32)},
		{Type: 266, Name: "R_AARCH64_MOVW_UABS_G1_NC", Formula: sa, Field: movw[1]},
		{Type: 267, Name: "R_AARCH64_MOVW_UABS_G2", Formula: sa, Field: movw[2], Check: m.Unsigned(48)},
		{Type: 268, Name: "R_AARCH64_MOVW_UABS_G2_NC", Formula: sa, Field: movw[2]},
		{Type: 269, Name: "R_AARCH64_MOVW_UABS_G3", Formula: sa, Field: movw[3]},
		{Type: 270, Name: "R_AARCH64_MOVW_SABS_G0", Formula: sa, Field: movwSigned[0], Check: m.Signed(17)},
		{Type: 271, Name: "R_AARCH64_MOVW_SABS_G1", Formula: sa, Field: movwSigned[1], Check: m.Signed(33)},
		{Type: 272, Name: "R_AARCH64_MOVW_SABS_G2", Formula: sa, Field: movwSigned[2], Check: m.Signed(49)},
		{Type: 287, Name: "R_AARCH64_MOVW_PREL_G0", Formula: sap, Field: movwSigned[0], Check: m.Signed(17)},
		{Type: 288, Name: "R_AARCH64_MOVW_PREL_G0_NC", Formula: sap, Field: movw[0]},
		{Type: 289, Name: "R_AARCH64_MOVW_PREL_G1", Formula: sap, Field: movwSigned[1], Check: m.Signed(33)},
		{Type: 290, Name: "R_AARCH64_MOVW_PREL_G1_NC", Formula: sap, Field: movw[1]},
		{Type: 291, Name: "R_AARCH64_MOVW_PREL_G2", Formula: sap, Field: movwSigned[2], Check: m.Signed(49)},
		{Type: 292, Name: "R_AARCH64_MOVW_PREL_G2_NC", Formula: sap, Field: movw[2]},
		{Type: 293, Name: "R_AARCH64_MOVW_PREL_G3", Formula: sap, Field: movwSigned[3]},
		{Type: 300, Name: "R_AARCH64_MOVW_GOTOFF_G0", Formula: gotGOT, Field: movwSigned[0], Check: m.Signed(17)},
		{Type: 301, Name: "R_AARCH64_MOVW_GOTOFF_G0_NC", Formula: gotGOT, Field: movw[0]},
		{Type: 302, Name: "R_AARCH64_MOVW_GOTOFF_G1", Formula: gotGOT, Field: movwSigned[1], Check: m.Signed(33)},
		{Type: 303, Name: "R_AARCH64_MOVW_GOTOFF_G1_NC", Formula: gotGOT, Field: movw[1]},
		{Type: 304, Name: "R_AARCH64_MOVW_GOTOFF_G2", Formula: gotGOT, Field: movwSigned[2], Check: m.Signed(49)},
		{Type: 305, Name: "R_AARCH64_MOVW_GOTOFF_G2_NC", Formula: gotGOT, Field: movw[2]},
		{Type: 306, Name: "R_AARCH64_MOVW_GOTOFF_G3", Formula: gotGOT, Field: movwSigned[3]},
	}
}

// AAELF64, "Relocations to generate 19, 21 and 33 bit PC-relative addresses" and
// "Relocations for control-flow instructions", whose distances are multiples of 4:
// GNU ld drops the low bits of others.
func pcrel() []m.Reloc {
	return []m.Reloc{
		{Type: 273, Name: "R_AARCH64_LD_PREL_LO19", Formula: sap, Field: lit19, Check: s21by4},
		{Type: 274, Name: "R_AARCH64_ADR_PREL_LO21", Formula: sap, Field: adr, Check: s21},
		{Type: 275, Name: "R_AARCH64_ADR_PREL_PG_HI21", Formula: page, Field: adrp, Check: s33},
		{Type: 276, Name: "R_AARCH64_ADR_PREL_PG_HI21_NC", Formula: page, Field: adrp},
		{Type: 277, Name: "R_AARCH64_ADD_ABS_LO12_NC", Formula: sa, Field: addLo},
		{Type: 278, Name: "R_AARCH64_LDST8_ABS_LO12_NC", Formula: sa, Field: ldst8},
		{Type: 284, Name: "R_AARCH64_LDST16_ABS_LO12_NC", Formula: sa, Field: ldst16, Check: by2},
		{Type: 285, Name: "R_AARCH64_LDST32_ABS_LO12_NC", Formula: sa, Field: ldst32, Check: by4},
		{Type: 286, Name: "R_AARCH64_LDST64_ABS_LO12_NC", Formula: sa, Field: ldst64, Check: by8},
		{Type: 299, Name: "R_AARCH64_LDST128_ABS_LO12_NC", Formula: sa, Field: ldst128, Check: by16},
		{Type: 279, Name: "R_AARCH64_TSTBR14", Formula: sap, Field: imm14, Check: s16},
		{Type: 280, Name: "R_AARCH64_CONDBR19", Formula: sap, Field: imm19, Check: s21by4},
		{Type: 282, Name: "R_AARCH64_JUMP26", Formula: sap, Field: imm26, Check: s28},
		{Type: 283, Name: "R_AARCH64_CALL26", Formula: sap, Field: imm26, Check: s28},
	}
}

// AAELF64, "GOT-relative instruction relocations".
func got() []m.Reloc {
	return []m.Reloc{
		{Type: 309, Name: "R_AARCH64_GOT_LD_PREL19", Formula: gotPC, Field: lit19, Check: s21by4},
		{Type: 310, Name: "R_AARCH64_LD64_GOTOFF_LO15", Formula: gotGOT, Field: got15, Check: m.Unsigned(15).Aligned(8)},
		{Type: 311, Name: "R_AARCH64_ADR_GOT_PAGE", Formula: gotPage, Field: adrp, Check: s33},
		{Type: 312, Name: "R_AARCH64_LD64_GOT_LO12_NC", Formula: gotEntry, Field: ldst64, Check: by8},
		{Type: 313, Name: "R_AARCH64_LD64_GOTPAGE_LO15", Formula: gotInGOT, Field: got15, Check: m.Unsigned(15).Aligned(8)},
	}
}

// AAELF64, "Dynamic relocations". Which of 1028 and 1029 is DTPMOD is left to
// the platform; Linux took this order. The editions before 2020 write
// TLS_DTPMOD64, as every tool does.
func dynamic() []m.Reloc {
	return []m.Reloc{
		{Type: 1024, Name: "R_AARCH64_COPY", Kind: m.Runtime, Dynamic: true, Note: "copies the symbol's data from its shared object"},
		{Type: 1025, Name: "R_AARCH64_GLOB_DAT", Formula: sa, Field: m.Word64, Dynamic: true},
		{Type: 1026, Name: "R_AARCH64_JUMP_SLOT", Formula: sa, Field: m.Word64, Dynamic: true},
		{Type: 1027, Name: "R_AARCH64_RELATIVE", Formula: "DA+", Field: m.Word64, Dynamic: true},
		{Type: 1028, Name: "R_AARCH64_TLS_DTPMOD64", Formula: "h", Field: m.Word64, Dynamic: true, Alias: "R_AARCH64_TLS_DTPMOD"},
		{Type: 1029, Name: "R_AARCH64_TLS_DTPREL64", Formula: dtprel, Field: m.Word64, Dynamic: true, Alias: "R_AARCH64_TLS_DTPREL"},
		{Type: 1030, Name: "R_AARCH64_TLS_TPREL64", Formula: tprel, Field: m.Word64, Dynamic: true, Alias: "R_AARCH64_TLS_TPREL"},
		{Type: 1031, Name: "R_AARCH64_TLSDESC", Formula: "SA+j", Kind: m.Runtime, Dynamic: true, Note: "fills two words: a function and its argument"},
		{Type: 1032, Name: "R_AARCH64_IRELATIVE", Formula: "DA+N", Field: m.Word64, Kind: m.Runtime, Dynamic: true, Note: "calls the resolver at Delta + A"},
	}
}
