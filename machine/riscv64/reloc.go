package riscv64

import (
	"strconv"

	m "elfwright/machine"
)

var (
	relocs     = m.NewTable(64, func() []m.Reloc { return dynamic(m.Word64) }, static, hints, vendor)
	relocsRV32 = m.NewTable(32, func() []m.Reloc { return dynamic(m.Word32) }, static, hints, vendor)
)

// Formulas that only RISC-V writes this way. Where the psABI leaves the
// calculation of a TLS type out, its text and the dynamic types give it.
const (
	symbol   m.Formula = "S"
	dtprel   m.Formula = "SA+w-"   // S + A - TLS_DTV_OFFSET
	tprel    m.Formula = "SA+W+"   // S + A + TLSOFFSET
	gotPC    m.Formula = "GO+A+P-" // G + GOT + A - P
	add      m.Formula = "VS+A+"   // V + S + A
	sub      m.Formula = "VS-A-"   // V - S - A
	tlsdesc  m.Formula = "SA+j"    // TLSDESC(S + A)
	resolver m.Formula = "BA+R"    // ifunc_resolver(B + A)
)

// dynamic are the psABI's types that loaders process; word is its wordclass.
func dynamic(word *m.Field) []m.Reloc {
	return []m.Reloc{
		{Type: 0, Name: "R_RISCV_NONE", Kind: m.Marker, Dynamic: true},
		{Type: 1, Name: "R_RISCV_32", Formula: m.SA, Field: m.Word32, Dynamic: true},
		{Type: 2, Name: "R_RISCV_64", Formula: m.SA, Field: m.Word64, Dynamic: true},
		{Type: 3, Name: "R_RISCV_RELATIVE", Formula: m.BA, Field: word, Dynamic: true},
		{Type: 4, Name: "R_RISCV_COPY", Kind: m.Runtime, Dynamic: true, Note: "copies the symbol's data from its shared object"},
		{Type: 5, Name: "R_RISCV_JUMP_SLOT", Formula: symbol, Field: word, Dynamic: true},
		{Type: 6, Name: "R_RISCV_TLS_DTPMOD32", Formula: "u", Field: m.Word32, Dynamic: true},
		{Type: 7, Name: "R_RISCV_TLS_DTPMOD64", Formula: "u", Field: m.Word64, Dynamic: true},
		{Type: 8, Name: "R_RISCV_TLS_DTPREL32", Formula: dtprel, Field: m.Word32, Dynamic: true},
		{Type: 9, Name: "R_RISCV_TLS_DTPREL64", Formula: dtprel, Field: m.Word64, Dynamic: true},
		{Type: 10, Name: "R_RISCV_TLS_TPREL32", Formula: tprel, Field: m.Word32, Dynamic: true},
		{Type: 11, Name: "R_RISCV_TLS_TPREL64", Formula: tprel, Field: m.Word64, Dynamic: true},
		{Type: 12, Name: "R_RISCV_TLSDESC", Formula: tlsdesc, Kind: m.Runtime, Dynamic: true, Note: "fills two words: a function and its argument"},
		{Type: 58, Name: "R_RISCV_IRELATIVE", Formula: resolver, Field: word, Kind: m.Runtime, Dynamic: true, Note: "calls the resolver at B + A"},
	}
}

// hi is the limit of a high part: what a 32-bit signed distance can be, rounded.
// In the 32-bit class addresses wrap around and nothing overflows.
var hi = m.Check{Rule: m.SignedN, Bits: 32, Carry: 0x800}

const (
	// The pair's other half is where the symbol of this relocation points.
	ofHigh = "S, A and P are those of the high part that the symbol labels"
	uleb   = "half of a pair at one place; only the difference need fit"
)

// static are the types for static linkers. GNU ld 2.40 differs in two: SUBn adds
// the addend where the psABI and LLVM subtract it (assemblers write 0), and a
// PCREL_HI20 out of range turns AUIPC into LUI when the address itself fits.
func static() []m.Reloc {
	return []m.Reloc{
		{Type: 16, Name: "R_RISCV_BRANCH", Formula: m.SAP, Field: bType, Check: m.Signed(13).Aligned(2)},
		{Type: 17, Name: "R_RISCV_JAL", Formula: m.SAP, Field: jType, Check: m.Signed(21).Aligned(2)},
		{Type: 18, Name: "R_RISCV_CALL", Formula: m.SAP, Field: callPair, Check: hi, Note: "deprecated, as CALL_PLT"},
		{Type: 19, Name: "R_RISCV_CALL_PLT", Formula: m.SAP, Field: callPair, Check: hi, Note: "S may be the PLT entry"},
		{Type: 20, Name: "R_RISCV_GOT_HI20", Formula: gotPC, Field: uType, Check: hi},
		{Type: 21, Name: "R_RISCV_TLS_GOT_HI20", Formula: gotPC, Field: uType, Check: hi, Note: "the entry holds a TLS_TPREL"},
		{Type: 22, Name: "R_RISCV_TLS_GD_HI20", Formula: gotPC, Field: uType, Check: hi, Note: "the entry is a tls_index"},
		{Type: 23, Name: "R_RISCV_PCREL_HI20", Formula: m.SAP, Field: uType, Check: hi},
		{Type: 24, Name: "R_RISCV_PCREL_LO12_I", Formula: m.SAP, Field: iType, Kind: m.Pair, Note: ofHigh},
		{Type: 25, Name: "R_RISCV_PCREL_LO12_S", Formula: m.SAP, Field: sType, Kind: m.Pair, Note: ofHigh},
		{Type: 26, Name: "R_RISCV_HI20", Formula: m.SA, Field: uType, Check: hi},
		{Type: 27, Name: "R_RISCV_LO12_I", Formula: m.SA, Field: iType},
		{Type: 28, Name: "R_RISCV_LO12_S", Formula: m.SA, Field: sType},
		{Type: 29, Name: "R_RISCV_TPREL_HI20", Formula: tprel, Field: uType, Check: hi},
		{Type: 30, Name: "R_RISCV_TPREL_LO12_I", Formula: tprel, Field: iType},
		{Type: 31, Name: "R_RISCV_TPREL_LO12_S", Formula: tprel, Field: sType},
		{Type: 33, Name: "R_RISCV_ADD8", Formula: add, Field: m.Word8},
		{Type: 34, Name: "R_RISCV_ADD16", Formula: add, Field: m.Word16},
		{Type: 35, Name: "R_RISCV_ADD32", Formula: add, Field: m.Word32},
		{Type: 36, Name: "R_RISCV_ADD64", Formula: add, Field: m.Word64},
		{Type: 37, Name: "R_RISCV_SUB8", Formula: sub, Field: m.Word8},
		{Type: 38, Name: "R_RISCV_SUB16", Formula: sub, Field: m.Word16},
		{Type: 39, Name: "R_RISCV_SUB32", Formula: sub, Field: m.Word32},
		{Type: 40, Name: "R_RISCV_SUB64", Formula: sub, Field: m.Word64},
		{Type: 41, Name: "R_RISCV_GOT32_PCREL", Formula: gotPC, Field: m.Word32, Alias: "R_RISCV_GNU_VTINHERIT"},
		{Type: 44, Name: "R_RISCV_RVC_BRANCH", Formula: m.SAP, Field: cbType, Check: m.Signed(9).Aligned(2)},
		{Type: 45, Name: "R_RISCV_RVC_JUMP", Formula: m.SAP, Field: cjType, Check: m.Signed(12).Aligned(2)},
		{Type: 52, Name: "R_RISCV_SUB6", Formula: sub, Field: word6},
		{Type: 53, Name: "R_RISCV_SET6", Formula: m.SA, Field: word6},
		{Type: 54, Name: "R_RISCV_SET8", Formula: m.SA, Field: m.Word8},
		{Type: 55, Name: "R_RISCV_SET16", Formula: m.SA, Field: m.Word16},
		{Type: 56, Name: "R_RISCV_SET32", Formula: m.SA, Field: m.Word32},
		{Type: 57, Name: "R_RISCV_32_PCREL", Formula: m.SAP, Field: m.Word32},
		{Type: 59, Name: "R_RISCV_PLT32", Formula: m.SAP, Field: m.Word32, Note: "S may be the PLT entry"},
		// The length of the number stays; Apply takes the value modulo what it holds,
		// so that the second of a pair gives the right difference.
		{Type: 60, Name: "R_RISCV_SET_ULEB128", Formula: m.SA, Field: m.ULEB128, Kind: m.Pair, Note: uleb},
		{Type: 61, Name: "R_RISCV_SUB_ULEB128", Formula: sub, Field: m.ULEB128, Kind: m.Pair, Note: uleb},
		// The psABI writes S + A - P, where S is the descriptor in the GOT.
		{Type: 62, Name: "R_RISCV_TLSDESC_HI20", Formula: gotPC, Field: uType, Check: hi, Note: "the entry is a TLS descriptor"},
		{Type: 63, Name: "R_RISCV_TLSDESC_LOAD_LO12", Formula: gotPC, Field: iType, Kind: m.Pair, Note: ofHigh},
		{Type: 64, Name: "R_RISCV_TLSDESC_ADD_LO12", Formula: gotPC, Field: iType, Kind: m.Pair, Note: ofHigh},
	}
}

// hints have no value, or are left from linkers that used them within: binutils
// writes 46 to 50 only while it relaxes, and the psABI has since withdrawn them.
func hints() []m.Reloc {
	return []m.Reloc{
		{Type: 32, Name: "R_RISCV_TPREL_ADD", Kind: m.Hint, Note: "marks the add of the thread pointer"},
		{Type: 42, Name: "R_RISCV_GNU_VTENTRY", Kind: m.Reserved, Note: "GNU: use of a virtual table entry; withdrawn"},
		{Type: 43, Name: "R_RISCV_ALIGN", Kind: m.Hint, Note: "A bytes of nop, of which a linker deletes what alignment does not need"},
		{Type: 46, Name: "R_RISCV_RVC_LUI", Kind: m.Reserved, Note: "within linkers: c.lui"},
		{Type: 47, Name: "R_RISCV_GPREL_I", Kind: m.Reserved, Note: "within linkers: offset from gp"},
		{Type: 48, Name: "R_RISCV_GPREL_S", Kind: m.Reserved, Note: "within linkers: offset from gp"},
		{Type: 49, Name: "R_RISCV_TPREL_I", Kind: m.Reserved, Note: "within linkers: offset from tp"},
		{Type: 50, Name: "R_RISCV_TPREL_S", Kind: m.Reserved, Note: "within linkers: offset from tp"},
		{Type: 51, Name: "R_RISCV_RELAX", Kind: m.Hint, Note: "the relocation before it may be relaxed"},
		{Type: 65, Name: "R_RISCV_TLSDESC_CALL", Kind: m.Hint, Note: "marks the call through a TLS descriptor"},
		{Type: 191, Name: "R_RISCV_VENDOR", Kind: m.Marker, Note: "the symbol says whose the next relocation is"},
	}
}

// vendor are the numbers for nonstandard extensions, under the names that the
// psABI prescribes when the vendor is not known.
func vendor() []m.Reloc {
	var rows []m.Reloc
	for t := uint32(192); t <= 255; t++ {
		rows = append(rows, m.Reloc{Type: t, Name: "R_RISCV_CUSTOM" + strconv.Itoa(int(t)),
			Kind: m.Reserved, Note: "a vendor's; see the R_RISCV_VENDOR before it"})
	}
	return rows
}
