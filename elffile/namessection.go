package elffile

import (
	"debug/elf"
	"fmt"
)

// SectionTypeName names sh_type on a machine, without "SHT_".
func SectionTypeName(m elf.Machine, t elf.SectionType) string {
	v := uint32(t)
	if s, ok := lookup(sectionMachineNames[m], v); ok {
		return s
	}
	if s, ok := sectionNames[v]; ok {
		return s
	}
	switch {
	case v >= 0x60000000 && v <= 0x6fffffff:
		return above("LOOS", v-0x60000000)
	case v >= 0x70000000 && v <= 0x7fffffff:
		return above("LOPROC", v-0x70000000)
	case v >= 0x80000000:
		return above("LOUSER", v-0x80000000)
	}
	return fmt.Sprintf("%08x: <unknown>", v)
}

var sectionNames = map[uint32]string{
	0: "NULL", 1: "PROGBITS", 2: "SYMTAB", 3: "STRTAB", 4: "RELA", 5: "HASH", 6: "DYNAMIC", 7: "NOTE", 8: "NOBITS", 9: "REL", 10: "SHLIB",
	11: "DYNSYM", 14: "INIT_ARRAY", 15: "FINI_ARRAY", 16: "PREINIT_ARRAY", 17: "GROUP", 18: "SYMTAB SECTION INDICES", 19: "RELR",

	uint32(shtCrel): "CREL", uint32(shtAndroidRel): "ANDROID_REL", uint32(shtAndroidRela): "ANDROID_RELA", uint32(shtAndroidRelr): "ANDROID_RELR",

	// LLVM, BinaryFormat/ELF.h
	0x6fff4c00: "LLVM_ODRTAB", 0x6fff4c01: "LLVM_LINKER_OPTIONS", 0x6fff4c03: "LLVM_ADDRSIG", 0x6fff4c04: "LLVM_DEPENDENT_LIBRARIES",
	0x6fff4c05: "LLVM_SYMPART", 0x6fff4c06: "LLVM_PART_EHDR", 0x6fff4c07: "LLVM_PART_PHDR", 0x6fff4c08: "LLVM_BB_ADDR_MAP_V0",
	0x6fff4c09: "LLVM_CALL_GRAPH_PROFILE", 0x6fff4c0a: "LLVM_BB_ADDR_MAP", 0x6fff4c0b: "LLVM_OFFLOADING", 0x6fff4c0c: "LLVM_LTO",

	0x6fff4700: "GNU_INCREMENTAL_INPUTS", 0x6ffffff5: "GNU_ATTRIBUTES", 0x6ffffff6: "GNU_HASH", 0x6ffffff7: "GNU_LIBLIST",
	0x6ffffffd: "VERDEF", 0x6ffffffe: "VERNEED", 0x6fffffff: "VERSYM", 0x7ffffffd: "AUXILIARY", 0x7fffffff: "FILTER",

	// Solaris, sys/elf.h; those numbers that GNU uses too are left to GNU
	0x6fffffee: "SUNW_ancillary", 0x6fffffef: "SUNW_capchain", 0x6ffffff1: "SUNW_symsort", 0x6ffffff2: "SUNW_tlssort", 0x6ffffff3: "SUNW_LDYNSYM",
	0x6ffffff4: "SUNW_dof", 0x6ffffff8: "SUNW_DEBUGSTR", 0x6ffffff9: "SUNW_DEBUG", 0x6ffffffa: "SUNW_move", 0x6ffffffb: "SUNW_COMDAT",
}

var sectionMachineNames = map[elf.Machine][]namedValue{
	elf.EM_X86_64: {
		{0x70000001, "X86_64_UNWIND"},
	},
	elf.EM_ARM: {
		{0x70000001, "ARM_EXIDX"}, {0x70000002, "ARM_PREEMPTMAP"}, {0x70000003, "ARM_ATTRIBUTES"}, {0x70000004, "ARM_DEBUGOVERLAY"},
		{0x70000005, "ARM_OVERLAYSECTION"},
	},
	elf.EM_AARCH64: {
		{0x70000003, "AARCH64_ATTRIBUTES"},
	},
	elf.EM_RISCV: {
		{0x70000003, "RISCV_ATTRIBUTES"},
	},
	elf.EM_MIPS: {
		{0x70000000, "MIPS_LIBLIST"}, {0x70000001, "MIPS_MSYM"}, {0x70000002, "MIPS_CONFLICT"}, {0x70000003, "MIPS_GPTAB"},
		{0x70000004, "MIPS_UCODE"}, {0x70000005, "MIPS_DEBUG"}, {0x70000006, "MIPS_REGINFO"}, {0x70000007, "MIPS_PACKAGE"},
		{0x70000008, "MIPS_PACKSYM"}, {0x70000009, "MIPS_RELD"}, {0x7000000b, "MIPS_IFACE"}, {0x7000000c, "MIPS_CONTENT"},
		{0x7000000d, "MIPS_OPTIONS"}, {0x70000010, "MIPS_SHDR"}, {0x70000011, "MIPS_FDESC"}, {0x70000012, "MIPS_EXTSYM"},
		{0x70000013, "MIPS_DENSE"}, {0x70000014, "MIPS_PDESC"}, {0x70000015, "MIPS_LOCSYM"}, {0x70000016, "MIPS_AUXSYM"},
		{0x70000017, "MIPS_OPTSYM"}, {0x70000018, "MIPS_LOCSTR"}, {0x70000019, "MIPS_LINE"}, {0x7000001a, "MIPS_RFDESC"},
		{0x7000001b, "MIPS_DELTASYM"}, {0x7000001c, "MIPS_DELTAINST"}, {0x7000001d, "MIPS_DELTACLASS"}, {0x7000001e, "MIPS_DWARF"},
		{0x7000001f, "MIPS_DELTADECL"}, {0x70000020, "MIPS_SYMBOL_LIB"}, {0x70000021, "MIPS_EVENTS"}, {0x70000022, "MIPS_TRANSLATE"},
		{0x70000023, "MIPS_PIXIE"}, {0x70000024, "MIPS_XLATE"}, {0x70000025, "MIPS_XLATE_DEBUG"}, {0x70000026, "MIPS_WHIRL"},
		{0x70000027, "MIPS_EH_REGION"}, {0x70000028, "MIPS_XLATE_OLD"}, {0x70000029, "MIPS_PDR_EXCEPTION"}, {0x7000002a, "MIPS_ABIFLAGS"},
		{0x7000002b, "MIPS_XHASH"},
	},
	elf.EM_PARISC: {
		{0x70000000, "PARISC_EXT"}, {0x70000001, "PARISC_UNWIND"}, {0x70000002, "PARISC_DOC"}, {0x70000003, "PARISC_ANNOT"},
		{0x70000004, "PARISC_DLKM"}, {0x70000008, "PARISC_SYMEXTN"}, {0x70000009, "PARISC_STUBS"},
	},
	elf.EM_IA_64: {
		{0x60000000, "VMS_TRACE"}, {0x60000001, "VMS_TIE_SIGNATURES"}, {0x60000002, "VMS_DEBUG"}, {0x60000003, "VMS_DEBUG_STR"},
		{0x60000004, "VMS_LINKAGES"}, {0x60000005, "VMS_SYMBOL_VECTOR"}, {0x60000006, "VMS_FIXUP"}, {0x70000000, "IA_64_EXT"},
		{0x70000001, "IA_64_UNWIND"},
	},
	elf.Machine(140): {
		{0x70000001, "C6000_UNWIND"}, {0x70000002, "C6000_PREEMPTMAP"}, {0x70000003, "C6000_ATTRIBUTES"},
	},
	elf.EM_V850: {
		{0x70000000, "V850 Small Common"}, {0x70000001, "V850 Tiny Common"}, {0x70000002, "V850 Zero Common"}, {0x80000000, "RENESAS IOP"},
	},
	elf.EM_MSP430: {
		{0x70000003, "MSP430_ATTRIBUTES"},
	},
	elf.EM_ARC_COMPACT2: {
		{0x70000001, "ARC_ATTRIBUTES"},
	},
	elf.Machine(252): {
		{0x70000001, "CSKY_ATTRIBUTES"},
	},
}
