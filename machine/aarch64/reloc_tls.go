package aarch64

import m "elfwright/machine"

// GOT entries of the TLS models; see machine.Formula.
const (
	gdEntry = m.Formula("i")     // G(GTLSIDX(S))
	gdPC    = m.Formula("iP-")   // G(GTLSIDX(S)) - P
	gdPage  = m.Formula("ipPp-") // Page(G(GTLSIDX(S))) - Page(P)
	gdGOT   = m.Formula("iO-")   // G(GTLSIDX(S)) - GOT

	ldEntry = m.Formula("m")     // G(GLDM(S))
	ldPC    = m.Formula("mP-")   // G(GLDM(S)) - P
	ldPage  = m.Formula("mpPp-") // Page(G(GLDM(S))) - Page(P)
	ldGOT   = m.Formula("mO-")   // G(GLDM(S)) - GOT

	ieEntry = m.Formula("t")     // G(GTPREL(S))
	iePC    = m.Formula("tP-")   // G(GTPREL(S)) - P
	iePage  = m.Formula("tpPp-") // Page(G(GTPREL(S))) - Page(P)
	ieGOT   = m.Formula("tO-")   // G(GTPREL(S)) - GOT

	descEntry = m.Formula("d")     // G(GTLSDESC(S))
	descPC    = m.Formula("dP-")   // G(GTLSDESC(S)) - P
	descPage  = m.Formula("dpPp-") // Page(G(GTLSDESC(S))) - Page(P)
	descGOT   = m.Formula("dO-")   // G(GTLSDESC(S)) - GOT
)

// AAELF64, "General Dynamic TLS relocations".
func tlsGD() []m.Reloc {
	return []m.Reloc{
		{Type: 512, Name: "R_AARCH64_TLSGD_ADR_PREL21", Formula: gdPC, Field: adr, Check: s21},
		{Type: 513, Name: "R_AARCH64_TLSGD_ADR_PAGE21", Formula: gdPage, Field: adrp, Check: s33},
		{Type: 514, Name: "R_AARCH64_TLSGD_ADD_LO12_NC", Formula: gdEntry, Field: addLo},
		{Type: 515, Name: "R_AARCH64_TLSGD_MOVW_G1", Formula: gdGOT, Field: movwSigned[1], Check: s33},
		{Type: 516, Name: "R_AARCH64_TLSGD_MOVW_G0_NC", Formula: gdGOT, Field: movw[0]},
	}
}

// AAELF64, "Local Dynamic TLS relocations".
func tlsLD() []m.Reloc {
	return []m.Reloc{
		{Type: 517, Name: "R_AARCH64_TLSLD_ADR_PREL21", Formula: ldPC, Field: adr, Check: s21},
		{Type: 518, Name: "R_AARCH64_TLSLD_ADR_PAGE21", Formula: ldPage, Field: adrp, Check: s33},
		{Type: 519, Name: "R_AARCH64_TLSLD_ADD_LO12_NC", Formula: ldEntry, Field: addLo},
		{Type: 520, Name: "R_AARCH64_TLSLD_MOVW_G1", Formula: ldGOT, Field: movwSigned[1], Check: s33},
		{Type: 521, Name: "R_AARCH64_TLSLD_MOVW_G0_NC", Formula: ldGOT, Field: movw[0]},
		{Type: 522, Name: "R_AARCH64_TLSLD_LD_PREL19", Formula: ldPC, Field: lit19, Check: s21by4},
		{Type: 523, Name: "R_AARCH64_TLSLD_MOVW_DTPREL_G2", Formula: dtprel, Field: movwSigned[2], Check: m.Signed(49)},
		{Type: 524, Name: "R_AARCH64_TLSLD_MOVW_DTPREL_G1", Formula: dtprel, Field: movwSigned[1], Check: s33},
		{Type: 525, Name: "R_AARCH64_TLSLD_MOVW_DTPREL_G1_NC", Formula: dtprel, Field: movw[1]},
		{Type: 526, Name: "R_AARCH64_TLSLD_MOVW_DTPREL_G0", Formula: dtprel, Field: movwSigned[0], Check: m.Signed(17)},
		{Type: 527, Name: "R_AARCH64_TLSLD_MOVW_DTPREL_G0_NC", Formula: dtprel, Field: movw[0]},
		{Type: 528, Name: "R_AARCH64_TLSLD_ADD_DTPREL_HI12", Formula: dtprel, Field: addHi, Check: u24},
		{Type: 529, Name: "R_AARCH64_TLSLD_ADD_DTPREL_LO12", Formula: dtprel, Field: addLo, Check: u12},
		{Type: 530, Name: "R_AARCH64_TLSLD_ADD_DTPREL_LO12_NC", Formula: dtprel, Field: addLo},
		{Type: 531, Name: "R_AARCH64_TLSLD_LDST8_DTPREL_LO12", Formula: dtprel, Field: ldst8, Check: u12},
		{Type: 532, Name: "R_AARCH64_TLSLD_LDST8_DTPREL_LO12_NC", Formula: dtprel, Field: ldst8},
		{Type: 533, Name: "R_AARCH64_TLSLD_LDST16_DTPREL_LO12", Formula: dtprel, Field: ldst16, Check: u12.Aligned(2)},
		{Type: 534, Name: "R_AARCH64_TLSLD_LDST16_DTPREL_LO12_NC", Formula: dtprel, Field: ldst16, Check: by2},
		{Type: 535, Name: "R_AARCH64_TLSLD_LDST32_DTPREL_LO12", Formula: dtprel, Field: ldst32, Check: u12.Aligned(4)},
		{Type: 536, Name: "R_AARCH64_TLSLD_LDST32_DTPREL_LO12_NC", Formula: dtprel, Field: ldst32, Check: by4},
		{Type: 537, Name: "R_AARCH64_TLSLD_LDST64_DTPREL_LO12", Formula: dtprel, Field: ldst64, Check: u12.Aligned(8)},
		{Type: 538, Name: "R_AARCH64_TLSLD_LDST64_DTPREL_LO12_NC", Formula: dtprel, Field: ldst64, Check: by8},
		{Type: 572, Name: "R_AARCH64_TLSLD_LDST128_DTPREL_LO12", Formula: dtprel, Field: ldst128, Check: u12.Aligned(16)},
		{Type: 573, Name: "R_AARCH64_TLSLD_LDST128_DTPREL_LO12_NC", Formula: dtprel, Field: ldst128, Check: by16},
	}
}

// AAELF64, "Initial Exec TLS relocations".
func tlsIE() []m.Reloc {
	return []m.Reloc{
		{Type: 539, Name: "R_AARCH64_TLSIE_MOVW_GOTTPREL_G1", Formula: ieGOT, Field: movwSigned[1], Check: s33},
		{Type: 540, Name: "R_AARCH64_TLSIE_MOVW_GOTTPREL_G0_NC", Formula: ieGOT, Field: movw[0]},
		{Type: 541, Name: "R_AARCH64_TLSIE_ADR_GOTTPREL_PAGE21", Formula: iePage, Field: adrp, Check: s33},
		{Type: 542, Name: "R_AARCH64_TLSIE_LD64_GOTTPREL_LO12_NC", Formula: ieEntry, Field: ldst64, Check: by8},
		{Type: 543, Name: "R_AARCH64_TLSIE_LD_GOTTPREL_PREL19", Formula: iePC, Field: lit19, Check: s21by4},
	}
}

// AAELF64, "Local Exec TLS relocations".
func tlsLE() []m.Reloc {
	return []m.Reloc{
		{Type: 544, Name: "R_AARCH64_TLSLE_MOVW_TPREL_G2", Formula: tprel, Field: movwSigned[2], Check: m.Signed(49)},
		{Type: 545, Name: "R_AARCH64_TLSLE_MOVW_TPREL_G1", Formula: tprel, Field: movwSigned[1], Check: s33},
		{Type: 546, Name: "R_AARCH64_TLSLE_MOVW_TPREL_G1_NC", Formula: tprel, Field: movw[1]},
		{Type: 547, Name: "R_AARCH64_TLSLE_MOVW_TPREL_G0", Formula: tprel, Field: movwSigned[0], Check: m.Signed(17)},
		{Type: 548, Name: "R_AARCH64_TLSLE_MOVW_TPREL_G0_NC", Formula: tprel, Field: movw[0]},
		{Type: 549, Name: "R_AARCH64_TLSLE_ADD_TPREL_HI12", Formula: tprel, Field: addHi, Check: u24},
		{Type: 550, Name: "R_AARCH64_TLSLE_ADD_TPREL_LO12", Formula: tprel, Field: addLo, Check: u12},
		{Type: 551, Name: "R_AARCH64_TLSLE_ADD_TPREL_LO12_NC", Formula: tprel, Field: addLo},
		{Type: 552, Name: "R_AARCH64_TLSLE_LDST8_TPREL_LO12", Formula: tprel, Field: ldst8, Check: u12},
		{Type: 553, Name: "R_AARCH64_TLSLE_LDST8_TPREL_LO12_NC", Formula: tprel, Field: ldst8},
		{Type: 554, Name: "R_AARCH64_TLSLE_LDST16_TPREL_LO12", Formula: tprel, Field: ldst16, Check: u12.Aligned(2)},
		{Type: 555, Name: "R_AARCH64_TLSLE_LDST16_TPREL_LO12_NC", Formula: tprel, Field: ldst16, Check: by2},
		{Type: 556, Name: "R_AARCH64_TLSLE_LDST32_TPREL_LO12", Formula: tprel, Field: ldst32, Check: u12.Aligned(4)},
		{Type: 557, Name: "R_AARCH64_TLSLE_LDST32_TPREL_LO12_NC", Formula: tprel, Field: ldst32, Check: by4},
		{Type: 558, Name: "R_AARCH64_TLSLE_LDST64_TPREL_LO12", Formula: tprel, Field: ldst64, Check: u12.Aligned(8)},
		{Type: 559, Name: "R_AARCH64_TLSLE_LDST64_TPREL_LO12_NC", Formula: tprel, Field: ldst64, Check: by8},
		{Type: 570, Name: "R_AARCH64_TLSLE_LDST128_TPREL_LO12", Formula: tprel, Field: ldst128, Check: u12.Aligned(16)},
		{Type: 571, Name: "R_AARCH64_TLSLE_LDST128_TPREL_LO12_NC", Formula: tprel, Field: ldst128, Check: by16},
	}
}

// AAELF64, "TLS descriptor relocations". The last three only mark instructions
// for the linker. Earlier editions and debug/elf end two names in _NC.
func tlsdesc() []m.Reloc {
	return []m.Reloc{
		{Type: 560, Name: "R_AARCH64_TLSDESC_LD_PREL19", Formula: descPC, Field: lit19, Check: s21by4},
		{Type: 561, Name: "R_AARCH64_TLSDESC_ADR_PREL21", Formula: descPC, Field: adr, Check: s21},
		{Type: 562, Name: "R_AARCH64_TLSDESC_ADR_PAGE21", Formula: descPage, Field: adrp, Check: s33},
		{Type: 563, Name: "R_AARCH64_TLSDESC_LD64_LO12", Formula: descEntry, Field: ldst64, Check: by8, Alias: "R_AARCH64_TLSDESC_LD64_LO12_NC"},
		{Type: 564, Name: "R_AARCH64_TLSDESC_ADD_LO12", Formula: descEntry, Field: addLo, Alias: "R_AARCH64_TLSDESC_ADD_LO12_NC"},
		{Type: 565, Name: "R_AARCH64_TLSDESC_OFF_G1", Formula: descGOT, Field: movwSigned[1], Check: s33},
		{Type: 566, Name: "R_AARCH64_TLSDESC_OFF_G0_NC", Formula: descGOT, Field: movw[0]},
		{Type: 567, Name: "R_AARCH64_TLSDESC_LDR", Kind: m.Hint, Note: "marks the load of a TLS descriptor"},
		{Type: 568, Name: "R_AARCH64_TLSDESC_ADD", Kind: m.Hint, Note: "marks the address of a TLS descriptor"},
		{Type: 569, Name: "R_AARCH64_TLSDESC_CALL", Kind: m.Hint, Note: "marks the call through a TLS descriptor"},
	}
}
