package aarch64

import (
	m "elfwright/machine"
)

// ILP32 has 32-bit pointers in 64-bit registers whose upper half must be zero: ADRP has to reach with 33 bits, and nothing wraps around. So
// values have 64 bits here, of addresses with 32.
var relocsP32 = m.NewTable(64, p32, p32TLS, p32Dynamic)

// AAELF64's column "ELF32 Code" without TLS. It takes a limit of 32 bits for no
// limit.
func p32() []m.Reloc {
	return []m.Reloc{
		{Type: 0, Name: "R_AARCH64_NONE", Kind: m.Marker, Dynamic: true},
		{Type: 1, Name: "R_AARCH64_P32_ABS32", Formula: sa, Field: m.Word32, Check: m.Either(32), Dynamic: true},
		{Type: 2, Name: "R_AARCH64_P32_ABS16", Formula: sa, Field: m.Word16, Check: m.Either(16)},
		{Type: 3, Name: "R_AARCH64_P32_PREL32", Formula: sap, Field: m.Word32},
		{Type: 4, Name: "R_AARCH64_P32_PREL16", Formula: sap, Field: m.Word16, Check: m.Signed(16)},
		{Type: 5, Name: "R_AARCH64_P32_MOVW_UABS_G0", Formula: sa, Field: movw[0], Check: m.Unsigned(16)},
		{Type: 6, Name: "R_AARCH64_P32_MOVW_UABS_G0_NC", Formula: sa, Field: movw[0]},
		{Type: 7, Name: "R_AARCH64_P32_MOVW_UABS_G1", Formula: sa, Field: movw[1]},
		{Type: 8, Name: "R_AARCH64_P32_MOVW_SABS_G0", Formula: sa, Field: movwSigned[0], Check: m.Signed(17)},
		{Type: 9, Name: "R_AARCH64_P32_LD_PREL_LO19", Formula: sap, Field: lit19, Check: s21by4},
		{Type: 10, Name: "R_AARCH64_P32_ADR_PREL_LO21", Formula: sap, Field: adr, Check: s21},
		{Type: 11, Name: "R_AARCH64_P32_ADR_PREL_PG_HI21", Formula: page, Field: adrp, Check: s33},
		{Type: 12, Name: "R_AARCH64_P32_ADD_ABS_LO12_NC", Formula: sa, Field: addLo},
		{Type: 13, Name: "R_AARCH64_P32_LDST8_ABS_LO12_NC", Formula: sa, Field: ldst8},
		{Type: 14, Name: "R_AARCH64_P32_LDST16_ABS_LO12_NC", Formula: sa, Field: ldst16, Check: by2},
		{Type: 15, Name: "R_AARCH64_P32_LDST32_ABS_LO12_NC", Formula: sa, Field: ldst32, Check: by4},
		{Type: 16, Name: "R_AARCH64_P32_LDST64_ABS_LO12_NC", Formula: sa, Field: ldst64, Check: by8},
		{Type: 17, Name: "R_AARCH64_P32_LDST128_ABS_LO12_NC", Formula: sa, Field: ldst128, Check: by16},
		{Type: 18, Name: "R_AARCH64_P32_TSTBR14", Formula: sap, Field: imm14, Check: s16},
		{Type: 19, Name: "R_AARCH64_P32_CONDBR19", Formula: sap, Field: imm19, Check: s21by4},
		{Type: 20, Name: "R_AARCH64_P32_JUMP26", Formula: sap, Field: imm26, Check: s28},
		{Type: 21, Name: "R_AARCH64_P32_CALL26", Formula: sap, Field: imm26, Check: s28},
		{Type: 22, Name: "R_AARCH64_P32_MOVW_PREL_G0", Formula: sap, Field: movwSigned[0], Check: m.Signed(17)},
		{Type: 23, Name: "R_AARCH64_P32_MOVW_PREL_G0_NC", Formula: sap, Field: movw[0]},
		{Type: 24, Name: "R_AARCH64_P32_MOVW_PREL_G1", Formula: sap, Field: movwSigned[1]},
		{Type: 25, Name: "R_AARCH64_P32_GOT_LD_PREL19", Formula: gotPC, Field: lit19, Check: s21by4},
		{Type: 26, Name: "R_AARCH64_P32_ADR_GOT_PAGE", Formula: gotPage, Field: adrp, Check: s33},
		{Type: 27, Name: "R_AARCH64_P32_LD32_GOT_LO12_NC", Formula: gotEntry, Field: ldst32, Check: by4},
		{Type: 28, Name: "R_AARCH64_P32_LD32_GOTPAGE_LO14", Formula: gotInGOT, Field: got14, Check: m.Unsigned(14).Aligned(4)},
		{Type: 29, Name: "R_AARCH64_P32_PLT32", Formula: sap, Field: m.Word32},
	}
}

// AAELF64, "Relocations for thread-local storage", ELF32 codes.
func p32TLS() []m.Reloc {
	return []m.Reloc{
		{Type: 80, Name: "R_AARCH64_P32_TLSGD_ADR_PREL21", Formula: gdPC, Field: adr, Check: s21},
		{Type: 81, Name: "R_AARCH64_P32_TLSGD_ADR_PAGE21", Formula: gdPage, Field: adrp, Check: s33},
		{Type: 82, Name: "R_AARCH64_P32_TLSGD_ADD_LO12_NC", Formula: gdEntry, Field: addLo},
		{Type: 83, Name: "R_AARCH64_P32_TLSLD_ADR_PREL21", Formula: ldPC, Field: adr, Check: s21},
		{Type: 84, Name: "R_AARCH64_P32_TLSLD_ADR_PAGE21", Formula: ldPage, Field: adrp, Check: s33},
		{Type: 85, Name: "R_AARCH64_P32_TLSLD_ADD_LO12_NC", Formula: ldEntry, Field: addLo},
		{Type: 86, Name: "R_AARCH64_P32_TLSLD_LD_PREL19", Formula: ldPC, Field: lit19, Check: s21by4},
		{Type: 87, Name: "R_AARCH64_P32_TLSLD_MOVW_DTPREL_G1", Formula: dtprel, Field: movwSigned[1]},
		{Type: 88, Name: "R_AARCH64_P32_TLSLD_MOVW_DTPREL_G0", Formula: dtprel, Field: movwSigned[0], Check: m.Signed(17)},
		{Type: 89, Name: "R_AARCH64_P32_TLSLD_MOVW_DTPREL_G0_NC", Formula: dtprel, Field: movw[0]},
		{Type: 90, Name: "R_AARCH64_P32_TLSLD_ADD_DTPREL_HI12", Formula: dtprel, Field: addHi, Check: u24},
		{Type: 91, Name: "R_AARCH64_P32_TLSLD_ADD_DTPREL_LO12", Formula: dtprel, Field: addLo, Check: u12},
		{Type: 92, Name: "R_AARCH64_P32_TLSLD_ADD_DTPREL_LO12_NC", Formula: dtprel, Field: addLo},
		{Type: 93, Name: "R_AARCH64_P32_TLSLD_LDST8_DTPREL_LO12", Formula: dtprel, Field: ldst8, Check: u12},
		{Type: 94, Name: "R_AARCH64_P32_TLSLD_LDST8_DTPREL_LO12_NC", Formula: dtprel, Field: ldst8},
		{Type: 95, Name: "R_AARCH64_P32_TLSLD_LDST16_DTPREL_LO12", Formula: dtprel, Field: ldst16, Check: u12.Aligned(2)},
		{Type: 96, Name: "R_AARCH64_P32_TLSLD_LDST16_DTPREL_LO12_NC", Formula: dtprel, Field: ldst16, Check: by2},
		{Type: 97, Name: "R_AARCH64_P32_TLSLD_LDST32_DTPREL_LO12", Formula: dtprel, Field: ldst32, Check: u12.Aligned(4)},
		{Type: 98, Name: "R_AARCH64_P32_TLSLD_LDST32_DTPREL_LO12_NC", Formula: dtprel, Field: ldst32, Check: by4},
		{Type: 99, Name: "R_AARCH64_P32_TLSLD_LDST64_DTPREL_LO12", Formula: dtprel, Field: ldst64, Check: u12.Aligned(8)},
		{Type: 100, Name: "R_AARCH64_P32_TLSLD_LDST64_DTPREL_LO12_NC", Formula: dtprel, Field: ldst64, Check: by8},
		{Type: 101, Name: "R_AARCH64_P32_TLSLD_LDST128_DTPREL_LO12", Formula: dtprel, Field: ldst128, Check: u12.Aligned(16)},
		{Type: 102, Name: "R_AARCH64_P32_TLSLD_LDST128_DTPREL_LO12_NC", Formula: dtprel, Field: ldst128, Check: by16},
		{Type: 103, Name: "R_AARCH64_P32_TLSIE_ADR_GOTTPREL_PAGE21", Formula: iePage, Field: adrp, Check: s33},
		{Type: 104, Name: "R_AARCH64_P32_TLSIE_LD32_GOTTPREL_LO12_NC", Formula: ieEntry, Field: ldst32, Check: by4},
		{Type: 105, Name: "R_AARCH64_P32_TLSIE_LD_GOTTPREL_PREL19", Formula: iePC, Field: lit19, Check: s21by4},
		{Type: 106, Name: "R_AARCH64_P32_TLSLE_MOVW_TPREL_G1", Formula: tprel, Field: movwSigned[1]},
		{Type: 107, Name: "R_AARCH64_P32_TLSLE_MOVW_TPREL_G0", Formula: tprel, Field: movwSigned[0], Check: m.Signed(17)},
		{Type: 108, Name: "R_AARCH64_P32_TLSLE_MOVW_TPREL_G0_NC", Formula: tprel, Field: movw[0]},
		{Type: 109, Name: "R_AARCH64_P32_TLSLE_ADD_TPREL_HI12", Formula: tprel, Field: addHi, Check: u24},
		{Type: 110, Name: "R_AARCH64_P32_TLSLE_ADD_TPREL_LO12", Formula: tprel, Field: addLo, Check: u12},
		{Type: 111, Name: "R_AARCH64_P32_TLSLE_ADD_TPREL_LO12_NC", Formula: tprel, Field: addLo},
		{Type: 112, Name: "R_AARCH64_P32_TLSLE_LDST8_TPREL_LO12", Formula: tprel, Field: ldst8, Check: u12},
		{Type: 113, Name: "R_AARCH64_P32_TLSLE_LDST8_TPREL_LO12_NC", Formula: tprel, Field: ldst8},
		{Type: 114, Name: "R_AARCH64_P32_TLSLE_LDST16_TPREL_LO12", Formula: tprel, Field: ldst16, Check: u12.Aligned(2)},
		{Type: 115, Name: "R_AARCH64_P32_TLSLE_LDST16_TPREL_LO12_NC", Formula: tprel, Field: ldst16, Check: by2},
		{Type: 116, Name: "R_AARCH64_P32_TLSLE_LDST32_TPREL_LO12", Formula: tprel, Field: ldst32, Check: u12.Aligned(4)},
		{Type: 117, Name: "R_AARCH64_P32_TLSLE_LDST32_TPREL_LO12_NC", Formula: tprel, Field: ldst32, Check: by4},
		{Type: 118, Name: "R_AARCH64_P32_TLSLE_LDST64_TPREL_LO12", Formula: tprel, Field: ldst64, Check: u12.Aligned(8)},
		{Type: 119, Name: "R_AARCH64_P32_TLSLE_LDST64_TPREL_LO12_NC", Formula: tprel, Field: ldst64, Check: by8},
		{Type: 120, Name: "R_AARCH64_P32_TLSLE_LDST128_TPREL_LO12", Formula: tprel, Field: ldst128, Check: u12.Aligned(16)},
		{Type: 121, Name: "R_AARCH64_P32_TLSLE_LDST128_TPREL_LO12_NC", Formula: tprel, Field: ldst128, Check: by16},
		{Type: 122, Name: "R_AARCH64_P32_TLSDESC_LD_PREL19", Formula: descPC, Field: lit19, Check: s21by4},
		{Type: 123, Name: "R_AARCH64_P32_TLSDESC_ADR_PREL21", Formula: descPC, Field: adr, Check: s21},
		{Type: 124, Name: "R_AARCH64_P32_TLSDESC_ADR_PAGE21", Formula: descPage, Field: adrp, Check: s33},
		{Type: 125, Name: "R_AARCH64_P32_TLSDESC_LD32_LO12", Formula: descEntry, Field: ldst32, Check: by4, Alias: "R_AARCH64_P32_TLSDESC_LD32_LO12_NC"},
		{Type: 126, Name: "R_AARCH64_P32_TLSDESC_ADD_LO12", Formula: descEntry, Field: addLo, Alias: "R_AARCH64_P32_TLSDESC_ADD_LO12_NC"},
		{Type: 127, Name: "R_AARCH64_P32_TLSDESC_CALL", Kind: m.Hint, Note: "marks the call through a TLS descriptor"},
	}
}

// AAELF64, "Dynamic relocations", ELF32 codes.
func p32Dynamic() []m.Reloc {
	return []m.Reloc{
		{Type: 180, Name: "R_AARCH64_P32_COPY", Kind: m.Runtime, Dynamic: true, Note: "copies the symbol's data from its shared object"},
		{Type: 181, Name: "R_AARCH64_P32_GLOB_DAT", Formula: sa, Field: m.Word32, Dynamic: true},
		{Type: 182, Name: "R_AARCH64_P32_JUMP_SLOT", Formula: sa, Field: m.Word32, Dynamic: true},
		{Type: 183, Name: "R_AARCH64_P32_RELATIVE", Formula: "DA+", Field: m.Word32, Dynamic: true},
		{Type: 184, Name: "R_AARCH64_P32_TLS_DTPMOD", Formula: "h", Field: m.Word32, Dynamic: true},
		{Type: 185, Name: "R_AARCH64_P32_TLS_DTPREL", Formula: dtprel, Field: m.Word32, Dynamic: true},
		{Type: 186, Name: "R_AARCH64_P32_TLS_TPREL", Formula: tprel, Field: m.Word32, Dynamic: true},
		{Type: 187, Name: "R_AARCH64_P32_TLSDESC", Formula: "SA+j", Kind: m.Runtime, Dynamic: true, Note: "fills two words: a function and its argument"},
		{Type: 188, Name: "R_AARCH64_P32_IRELATIVE", Formula: "DA+N", Field: m.Word32, Kind: m.Runtime, Dynamic: true, Note: "calls the resolver at Delta + A"},
	}
}
