package i386

import (
	m "elfwright/machine"
)

var relocs = m.NewTable(32, psABI, tls, others)

// Formulas that only i386 writes this way.
const (
	gotoff   m.Formula = "SA+O-" // S + A - GOT
	gotpc    m.Formula = "OA+P-" // GOT + A - P
	absolute m.Formula = "GO+A+" // G + GOT + A
	ntpoff   m.Formula = "SA+X-" // S + A - TP
	tpoff    m.Formula = "XS-A+" // TP - S + A
	dtpoff   m.Formula = "SA+Y-" // S + A - DTP
	indirect m.Formula = "BA+I"  // indirect(B + A)
	tlsdesc  m.Formula = "SA+j"  // TLSDESC(S + A)
	symbol   m.Formula = "S"
	module   m.Formula = "M"
)

// psABI is the table "Relocation Types" of the Intel386 psABI without its TLS
// part. It names no limits; those of the 8- and 16-bit types are GNU ld's,
// which lets them wrap around as 16-bit code does.
func psABI() []m.Reloc {
	return []m.Reloc{
		{Type: 0, Name: "R_386_NONE", Kind: m.Marker, Dynamic: true},
		{Type: 1, Name: "R_386_32", Formula: m.SA, Field: m.Word32, Dynamic: true},
		{Type: 2, Name: "R_386_PC32", Formula: m.SAP, Field: m.Word32, Dynamic: true},
		{Type: 3, Name: "R_386_GOT32", Formula: m.GA, Field: m.Word32, Note: noBase},
		{Type: 4, Name: "R_386_PLT32", Formula: m.LAP, Field: m.Word32},
		{Type: 5, Name: "R_386_COPY", Kind: m.Runtime, Dynamic: true, Note: "copies the symbol's data from its shared object"},
		{Type: 6, Name: "R_386_GLOB_DAT", Formula: symbol, Field: m.Slot32, Dynamic: true},
		{Type: 7, Name: "R_386_JUMP_SLOT", Formula: symbol, Field: m.Slot32, Dynamic: true, Alias: "R_386_JMP_SLOT"},
		{Type: 8, Name: "R_386_RELATIVE", Formula: m.BA, Field: m.Word32, Dynamic: true},
		{Type: 9, Name: "R_386_GOTOFF", Formula: gotoff, Field: m.Word32},
		{Type: 10, Name: "R_386_GOTPC", Formula: gotpc, Field: m.Word32},
		{Type: 11, Name: "R_386_32PLT", Formula: "LA+", Field: m.Word32, Note: "no linker makes or takes it"},
		{Type: 20, Name: "R_386_16", Formula: m.SA, Field: m.Word16, Check: m.Wrapped(16)},
		{Type: 21, Name: "R_386_PC16", Formula: m.SAP, Field: m.Word16, Check: m.Wrapped(16)},
		{Type: 22, Name: "R_386_8", Formula: m.SA, Field: m.Word8, Check: m.Wrapped(8)},
		{Type: 23, Name: "R_386_PC8", Formula: m.SAP, Field: m.Word8, Check: m.Signed(8)},
		{Type: 38, Name: "R_386_SIZE32", Formula: m.SAZ, Field: m.Word32, Dynamic: true},
		{Type: 42, Name: "R_386_IRELATIVE", Formula: indirect, Field: m.Word32, Kind: m.Runtime, Dynamic: true, Note: "calls the resolver at B + A"},
		{Type: 43, Name: "R_386_GOT32X", Formula: m.GA, Field: m.Word32, Note: noBase + "; may be relaxed"},
	}
}

const noBase = "G + GOT + A when the instruction has no base register"

// tls are the psABI's TLS types; the calculations are those of Drepper's "ELF
// Handling For Thread-Local Storage". DTPOFF32 and the GOT's other contents keep
// their addend in the place as well.
func tls() []m.Reloc {
	return []m.Reloc{
		{Type: 14, Name: "R_386_TLS_TPOFF", Formula: ntpoff, Field: m.Word32, Dynamic: true},
		{Type: 15, Name: "R_386_TLS_IE", Formula: absolute, Field: m.Word32, Note: "the entry holds a TPOFF"},
		{Type: 16, Name: "R_386_TLS_GOTIE", Formula: m.GA, Field: m.Word32, Note: "the entry holds a TPOFF"},
		{Type: 17, Name: "R_386_TLS_LE", Formula: ntpoff, Field: m.Word32},
		{Type: 18, Name: "R_386_TLS_GD", Formula: m.GA, Field: m.Word32, Note: "the entry is a tls_index"},
		{Type: 19, Name: "R_386_TLS_LDM", Formula: m.GA, Field: m.Word32, Note: "the entry is the module's tls_index"},
		{Type: 24, Name: "R_386_TLS_GD_32", Formula: m.GA, Field: m.Word32, Note: "Sun's form of GD"},
		{Type: 25, Name: "R_386_TLS_GD_PUSH", Kind: m.Hint, Note: "pushl of Sun's GD sequence"},
		{Type: 26, Name: "R_386_TLS_GD_CALL", Kind: m.Hint, Note: "call of Sun's GD sequence"},
		{Type: 27, Name: "R_386_TLS_GD_POP", Kind: m.Hint, Note: "popl of Sun's GD sequence"},
		{Type: 28, Name: "R_386_TLS_LDM_32", Formula: m.GA, Field: m.Word32, Note: "Sun's form of LDM"},
		{Type: 29, Name: "R_386_TLS_LDM_PUSH", Kind: m.Hint, Note: "pushl of Sun's LD sequence"},
		{Type: 30, Name: "R_386_TLS_LDM_CALL", Kind: m.Hint, Note: "call of Sun's LD sequence"},
		{Type: 31, Name: "R_386_TLS_LDM_POP", Kind: m.Hint, Note: "popl of Sun's LD sequence"},
		{Type: 32, Name: "R_386_TLS_LDO_32", Formula: dtpoff, Field: m.Word32},
		{Type: 33, Name: "R_386_TLS_IE_32", Formula: m.GA, Field: m.Word32, Note: "the entry holds a TPOFF32"},
		{Type: 34, Name: "R_386_TLS_LE_32", Formula: tpoff, Field: m.Word32},
		{Type: 35, Name: "R_386_TLS_DTPMOD32", Formula: module, Field: m.Word32, Dynamic: true},
		{Type: 36, Name: "R_386_TLS_DTPOFF32", Formula: dtpoff, Field: m.Word32, Dynamic: true},
		{Type: 37, Name: "R_386_TLS_TPOFF32", Formula: tpoff, Field: m.Word32, Dynamic: true},
		{Type: 39, Name: "R_386_TLS_GOTDESC", Formula: m.GA, Field: m.Word32, Note: "the entry is a TLS descriptor"},
		{Type: 40, Name: "R_386_TLS_DESC_CALL", Kind: m.Hint, Note: "marks the call through a TLS descriptor"},
		{Type: 41, Name: "R_386_TLS_DESC", Formula: tlsdesc, Kind: m.Runtime, Dynamic: true, Note: "fills two words: a function and its argument"},
	}
}

// others are numbers outside of the psABI that occur in files.
func others() []m.Reloc {
	return []m.Reloc{
		{Type: 200, Name: "R_386_USED_BY_INTEL_200", Kind: m.Reserved, Note: "Intel's compiler"},
		{Type: 250, Name: "R_386_GNU_VTINHERIT", Kind: m.Marker, Note: "GNU: class hierarchy, for --gc-sections"},
		{Type: 251, Name: "R_386_GNU_VTENTRY", Kind: m.Marker, Note: "GNU: use of a virtual table entry"},
	}
}
