package aarch64

import m "elfwright/machine"

// GOT entries that hold signed pointers; see machine.Formula.
const (
	authEntry = m.Formula("c")     // G(ENCD(GDAT(S)))
	authGOT   = m.Formula("cO-")   // G(ENCD(GDAT(S))) - GOT
	authPC    = m.Formula("cP-")   // G(ENCD(GDAT(S))) - P
	authPage  = m.Formula("cpPp-") // Page(G(ENCD(GDAT(S)))) - Page(P)
	authInGOT = m.Formula("cOp-")  // G(ENCD(GDAT(S))) - Page(GOT)

	authDesc     = m.Formula("k")     // G(ENCD(GTLSDESC(S)))
	authDescPage = m.Formula("kpPp-") // Page(G(ENCD(GTLSDESC(S)))) - Page(P)
)

const signs = "signs the pointer with the schema that the place holds"

// PAuthABI, "AUTH variant GOT generating relocations" and the dynamic types. The
// code is relocated like that without AUTH in the name; what differs is the
// entry. The document writes G(…) - Page(P) for ADR_GOT_PAGE; an ADRP can only
// hold the difference of two pages, as in AAELF64's ADR_GOT_PAGE.
func pauth() []m.Reloc {
	return []m.Reloc{
		{Type: 580, Name: "R_AARCH64_AUTH_ABS64", Formula: "SA+s", Field: m.Word64, Kind: m.Runtime, Dynamic: true, Note: signs},
		{Type: 581, Name: "R_AARCH64_AUTH_MOVW_GOTOFF_G0", Formula: authGOT, Field: movwSigned[0], Check: m.Signed(17)},
		{Type: 582, Name: "R_AARCH64_AUTH_MOVW_GOTOFF_G0_NC", Formula: authGOT, Field: movw[0]},
		{Type: 583, Name: "R_AARCH64_AUTH_MOVW_GOTOFF_G1", Formula: authGOT, Field: movwSigned[1], Check: s33},
		{Type: 584, Name: "R_AARCH64_AUTH_MOVW_GOTOFF_G1_NC", Formula: authGOT, Field: movw[1]},
		{Type: 585, Name: "R_AARCH64_AUTH_MOVW_GOTOFF_G2", Formula: authGOT, Field: movwSigned[2], Check: m.Signed(49)},
		{Type: 586, Name: "R_AARCH64_AUTH_MOVW_GOTOFF_G2_NC", Formula: authGOT, Field: movw[2]},
		{Type: 587, Name: "R_AARCH64_AUTH_MOVW_GOTOFF_G3", Formula: authGOT, Field: movwSigned[3]},
		{Type: 588, Name: "R_AARCH64_AUTH_GOT_LD_PREL19", Formula: authPC, Field: lit19, Check: s21by4},
		{Type: 589, Name: "R_AARCH64_AUTH_LD64_GOTOFF_LO15", Formula: authGOT, Field: got15, Check: m.Unsigned(15).Aligned(8)},
		{Type: 590, Name: "R_AARCH64_AUTH_ADR_GOT_PAGE", Formula: authPage, Field: adrp, Check: s33},
		{Type: 591, Name: "R_AARCH64_AUTH_LD64_GOT_LO12_NC", Formula: authEntry, Field: ldst64, Check: by8},
		{Type: 592, Name: "R_AARCH64_AUTH_LD64_GOTPAGE_LO15", Formula: authInGOT, Field: got15, Check: m.Unsigned(15).Aligned(8)},
		{Type: 593, Name: "R_AARCH64_AUTH_GOT_ADD_LO12_NC", Formula: authEntry, Field: addLo},
		{Type: 594, Name: "R_AARCH64_AUTH_GOT_ADR_PREL_LO21", Formula: authPC, Field: adr, Check: s21},
		{Type: 595, Name: "R_AARCH64_AUTH_TLSDESC_ADR_PAGE21", Formula: authDescPage, Field: adrp, Check: s33},
		{Type: 596, Name: "R_AARCH64_AUTH_TLSDESC_LD64_LO12", Formula: authDesc, Field: ldst64, Check: by8},
		{Type: 597, Name: "R_AARCH64_AUTH_TLSDESC_ADD_LO12", Formula: authDesc, Field: addLo},
		{Type: 1041, Name: "R_AARCH64_AUTH_RELATIVE", Formula: "DA+s", Field: m.Word64, Kind: m.Runtime, Dynamic: true, Note: signs},
		{Type: 1042, Name: "R_AARCH64_AUTH_GLOB_DAT", Formula: "SA+s", Field: m.Word64, Kind: m.Runtime, Dynamic: true, Note: signs},
		{Type: 1043, Name: "R_AARCH64_AUTH_TLSDESC", Formula: "SA+js", Field: m.Word64, Kind: m.Runtime, Dynamic: true, Note: signs},
		{Type: 1044, Name: "R_AARCH64_AUTH_IRELATIVE", Formula: "SA+Ns", Field: m.Word64, Kind: m.Runtime, Dynamic: true, Note: signs},
	}
}
