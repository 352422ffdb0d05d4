package amd64

import (
	m "elfwright/machine"
)

// x32 has 32-bit pointers, zero-extended in 64-bit registers: instructions still
// compute with 64 bits, so values do. Only R_X86_64_32, where x32 keeps pointers,
// is looser there: GNU ld takes negative ones.
var (
	relocs    = m.NewTable(64, func() []m.Reloc { return rows(m.Word64, m.Unsigned(32)) })
	relocsX32 = m.NewTable(64, func() []m.Reloc { return rows(m.Word32, m.Wrapped(32)) })
)

// Formulas that only x86-64 writes this way.
const (
	gotoff    m.Formula = "SA+O-"   // S + A - GOT
	gotpc     m.Formula = "OA+P-"   // GOT + A - P
	pltoff    m.Formula = "LA+O-"   // L + A - GOT
	dtpoff    m.Formula = "SA+Y-"   // S + A - DTP
	tpoff     m.Formula = "SA+X-"   // S + A - TP
	gotEntry  m.Formula = "GO+A+P-" // G + GOT + A - P
	indirect  m.Formula = "BA+I"    // indirect(B + A)
	tlsdesc   m.Formula = "SA+j"    // TLSDESC(S + A)
	module    m.Formula = "M"
	symbol    m.Formula = "S"
	gotOffset m.Formula = "GA+" // G + A
)

// rows is the psABI's table "Relocation Types". word is its wordclass: word64
// for LP64, word32 for x32, and u32 the limit of R_X86_64_32. The psABI leaves the
// calculation of the TLS types to the TLS document; here it is.
//
// The psABI asks for a check on R_X86_64_32 and 32S only. The other limits are
// those of GNU ld, which lets 8 and 16 bits wrap around, as 16-bit code does. LLVM
// takes no value below -2^(N-1).
func rows(word *m.Field, u32 m.Check) []m.Reloc {
	s32, s8 := m.Signed(32), m.Signed(8)
	const (
		got4 = "as GOTPCREL; the instruction begins 4 bytes before the place"
		got5 = "as GOTPCREL; the instruction begins 5 bytes before the place"
		got6 = "as GOTPCREL; the instruction begins 6 bytes before the place"
		ie   = "as GOTTPOFF, for an instruction of APX"
		desc = "as GOTPC32_TLSDESC, for an instruction of APX"
	)
	return []m.Reloc{
		{Type: 0, Name: "R_X86_64_NONE", Kind: m.Marker, Dynamic: true},
		{Type: 1, Name: "R_X86_64_64", Formula: m.SA, Field: m.Word64, Dynamic: true},
		{Type: 2, Name: "R_X86_64_PC32", Formula: m.SAP, Field: m.Word32, Check: s32, Dynamic: true},
		{Type: 3, Name: "R_X86_64_GOT32", Formula: gotOffset, Field: m.Word32, Check: s32},
		{Type: 4, Name: "R_X86_64_PLT32", Formula: m.LAP, Field: m.Word32, Check: s32},
		{Type: 5, Name: "R_X86_64_COPY", Kind: m.Runtime, Dynamic: true, Note: "copies the symbol's data from its shared object"},
		{Type: 6, Name: "R_X86_64_GLOB_DAT", Formula: symbol, Field: word, Dynamic: true},
		{Type: 7, Name: "R_X86_64_JUMP_SLOT", Formula: symbol, Field: word, Dynamic: true, Alias: "R_X86_64_JMP_SLOT"},
		{Type: 8, Name: "R_X86_64_RELATIVE", Formula: m.BA, Field: word, Dynamic: true},
		{Type: 9, Name: "R_X86_64_GOTPCREL", Formula: gotEntry, Field: m.Word32, Check: s32},
		{Type: 10, Name: "R_X86_64_32", Formula: m.SA, Field: m.Word32, Check: u32, Dynamic: true},
		{Type: 11, Name: "R_X86_64_32S", Formula: m.SA, Field: m.Word32, Check: s32},
		{Type: 12, Name: "R_X86_64_16", Formula: m.SA, Field: m.Word16, Check: m.Wrapped(16)},
		{Type: 13, Name: "R_X86_64_PC16", Formula: m.SAP, Field: m.Word16, Check: m.Wrapped(16)},
		{Type: 14, Name: "R_X86_64_8", Formula: m.SA, Field: m.Word8, Check: m.Wrapped(8)},
		{Type: 15, Name: "R_X86_64_PC8", Formula: m.SAP, Field: m.Word8, Check: s8},
		{Type: 16, Name: "R_X86_64_DTPMOD64", Formula: module, Field: m.Word64, Dynamic: true},
		{Type: 17, Name: "R_X86_64_DTPOFF64", Formula: dtpoff, Field: m.Word64, Dynamic: true},
		{Type: 18, Name: "R_X86_64_TPOFF64", Formula: tpoff, Field: m.Word64, Dynamic: true},
		{Type: 19, Name: "R_X86_64_TLSGD", Formula: gotEntry, Field: m.Word32, Check: s32, Note: "the entry is a tls_index"},
		{Type: 20, Name: "R_X86_64_TLSLD", Formula: gotEntry, Field: m.Word32, Check: s32, Note: "the entry is the module's tls_index"},
		{Type: 21, Name: "R_X86_64_DTPOFF32", Formula: dtpoff, Field: m.Word32, Check: s32},
		{Type: 22, Name: "R_X86_64_GOTTPOFF", Formula: gotEntry, Field: m.Word32, Check: s32, Note: "the entry holds a TPOFF64"},
		{Type: 23, Name: "R_X86_64_TPOFF32", Formula: tpoff, Field: m.Word32, Check: s32},
		{Type: 24, Name: "R_X86_64_PC64", Formula: m.SAP, Field: m.Word64, Dynamic: true},
		{Type: 25, Name: "R_X86_64_GOTOFF64", Formula: gotoff, Field: m.Word64},
		{Type: 26, Name: "R_X86_64_GOTPC32", Formula: gotpc, Field: m.Word32, Check: s32},
		{Type: 27, Name: "R_X86_64_GOT64", Formula: gotOffset, Field: m.Word64},
		{Type: 28, Name: "R_X86_64_GOTPCREL64", Formula: gotEntry, Field: m.Word64},
		{Type: 29, Name: "R_X86_64_GOTPC64", Formula: gotpc, Field: m.Word64},
		{Type: 30, Name: "R_X86_64_GOTPLT64", Formula: gotOffset, Field: m.Word64, Note: "as GOT64, and the symbol wants a PLT entry"},
		{Type: 31, Name: "R_X86_64_PLTOFF64", Formula: pltoff, Field: m.Word64},
		{Type: 32, Name: "R_X86_64_SIZE32", Formula: m.SAZ, Field: m.Word32, Check: m.Unsigned(32), Dynamic: true},
		{Type: 33, Name: "R_X86_64_SIZE64", Formula: m.SAZ, Field: m.Word64, Dynamic: true},
		// GNU ld would take both signs here, which no distance needs.
		{Type: 34, Name: "R_X86_64_GOTPC32_TLSDESC", Formula: gotEntry, Field: m.Word32, Check: s32, Note: "the entry is a TLS descriptor"},
		{Type: 35, Name: "R_X86_64_TLSDESC_CALL", Kind: m.Hint, Note: "marks the call through a TLS descriptor"},
		{Type: 36, Name: "R_X86_64_TLSDESC", Formula: tlsdesc, Kind: m.Runtime, Dynamic: true, Note: "fills two words: a function and its argument"},
		{Type: 37, Name: "R_X86_64_IRELATIVE", Formula: indirect, Field: word, Kind: m.Runtime, Dynamic: true, Note: "calls the resolver at B + A"},
		{Type: 38, Name: "R_X86_64_RELATIVE64", Formula: m.BA, Field: m.Word64, Dynamic: true, Note: "x32 only"},
		// MPX; the current psABI only says that the numbers are taken.
		{Type: 39, Name: "R_X86_64_PC32_BND", Formula: m.SAP, Field: m.Word32, Check: s32, Note: "deprecated, as PC32"},
		{Type: 40, Name: "R_X86_64_PLT32_BND", Formula: m.LAP, Field: m.Word32, Check: s32, Note: "deprecated, as PLT32"},
		{Type: 41, Name: "R_X86_64_GOTPCRELX", Formula: gotEntry, Field: m.Word32, Check: s32, Note: "as GOTPCREL; may be relaxed"},
		{Type: 42, Name: "R_X86_64_REX_GOTPCRELX", Formula: gotEntry, Field: m.Word32, Check: s32, Note: "as GOTPCREL; may be relaxed, the instruction has a REX prefix"},
		{Type: 43, Name: "R_X86_64_CODE_4_GOTPCRELX", Formula: gotEntry, Field: m.Word32, Check: s32, Note: got4},
		{Type: 44, Name: "R_X86_64_CODE_4_GOTTPOFF", Formula: gotEntry, Field: m.Word32, Check: s32, Note: ie},
		{Type: 45, Name: "R_X86_64_CODE_4_GOTPC32_TLSDESC", Formula: gotEntry, Field: m.Word32, Check: s32, Note: desc},
		{Type: 46, Name: "R_X86_64_CODE_5_GOTPCRELX", Formula: gotEntry, Field: m.Word32, Check: s32, Note: got5},
		{Type: 47, Name: "R_X86_64_CODE_5_GOTTPOFF", Formula: gotEntry, Field: m.Word32, Check: s32, Note: ie},
		{Type: 48, Name: "R_X86_64_CODE_5_GOTPC32_TLSDESC", Formula: gotEntry, Field: m.Word32, Check: s32, Note: desc},
		{Type: 49, Name: "R_X86_64_CODE_6_GOTPCRELX", Formula: gotEntry, Field: m.Word32, Check: s32, Note: got6},
		{Type: 50, Name: "R_X86_64_CODE_6_GOTTPOFF", Formula: gotEntry, Field: m.Word32, Check: s32, Note: ie},
		{Type: 51, Name: "R_X86_64_CODE_6_GOTPC32_TLSDESC", Formula: gotEntry, Field: m.Word32, Check: s32, Note: desc},
		// Not in the psABI: GNU extensions for removing unused virtual functions.
		{Type: 250, Name: "R_X86_64_GNU_VTINHERIT", Kind: m.Marker, Note: "GNU: class hierarchy, for --gc-sections"},
		{Type: 251, Name: "R_X86_64_GNU_VTENTRY", Kind: m.Marker, Note: "GNU: use of a virtual table entry"},
	}
}
