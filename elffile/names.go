package elffile

import (
	"debug/elf"
	"fmt"
	"strings"
)

// The names in this and the other names files are those that readelf prints, so
// that both can be compared; what readelf does not know is named after the
// headers that define it, and a number without name is printed as readelf does.

// MachineName describes e_machine.
func MachineName(m elf.Machine) string {
	if s, ok := machineNames[m]; ok {
		return s
	}
	if s := m.String(); strings.HasPrefix(s, "EM_") && !strings.Contains(s, "+") {
		return s[len("EM_"):]
	}
	return fmt.Sprintf("<unknown>: 0x%x", uint16(m))
}

var machineNames = map[elf.Machine]string{
	elf.EM_NONE: "None", elf.EM_M32: "WE32100", elf.EM_SPARC: "Sparc", elf.EM_386: "Intel 80386", elf.EM_68K: "MC68000", elf.EM_88K: "MC88000",
	6: "Intel MCU", elf.EM_860: "Intel 80860", elf.EM_MIPS: "MIPS R3000", elf.EM_S370: "IBM System/370",
	elf.EM_MIPS_RS3_LE: "MIPS R4000 big-endian", elf.EM_PARISC: "HPPA", elf.EM_SPARC32PLUS: "Sparc v8+", elf.EM_960: "Intel 80960",
	elf.EM_PPC: "PowerPC", elf.EM_PPC64: "PowerPC64", elf.EM_S390: "IBM S/390", 23: "SPU", elf.EM_RCE: "MCORE", elf.EM_ARM: "ARM",
	elf.EM_SH: "Renesas / SuperH SH", elf.EM_SPARCV9: "Sparc v9", elf.EM_TRICORE: "Siemens Tricore", elf.EM_ARC: "ARC",
	elf.EM_H8_300: "Renesas H8/300", elf.EM_H8_300H: "Renesas H8/300H", elf.EM_H8S: "Renesas H8S", elf.EM_IA_64: "Intel IA-64",
	elf.EM_COLDFIRE: "Motorola Coldfire", elf.EM_X86_64: "Advanced Micro Devices X86-64", elf.EM_VAX: "Digital VAX",
	elf.EM_CRIS: "Axis Communications 32-bit embedded processor", elf.EM_AVR: "Atmel AVR 8-bit microcontroller", elf.EM_FR30: "Fujitsu FR30",
	elf.EM_D10V: "d10v", elf.EM_D30V: "d30v", elf.EM_V850: "Renesas V850", elf.EM_M32R: "Renesas M32R (formerly Mitsubishi M32r)",
	elf.EM_MN10300: "mn10300", elf.EM_MN10200: "mn10200", elf.EM_PJ: "picoJava", elf.EM_OPENRISC: "OpenRISC 1000", elf.EM_ARC_COMPACT: "ARCompact",
	elf.EM_XTENSA: "Tensilica Xtensa Processor", elf.EM_MSP430: "Texas Instruments msp430 microcontroller",
	elf.EM_BLACKFIN: "Analog Devices Blackfin", elf.EM_ALTERA_NIOS2: "Altera Nios II", elf.EM_LATTICEMICO32: "Lattice Mico32",
	140: "Texas Instruments TMS320C6000 DSP family", 144: "TI PRU I/O processor", elf.EM_QDSP6: "QUALCOMM DSP6 Processor",
	elf.EM_8051: "Intel 8051 and variants", elf.EM_RX: "Renesas RX", elf.EM_MCST_ELBRUS: "MCST Elbrus general purpose hardware architecture",
	elf.EM_L10M: "Intel L1OM", elf.EM_K10M: "Intel K1OM", elf.EM_AARCH64: "AArch64", elf.EM_TILEPRO: "Tilera TILEPro multicore architecture family",
	elf.EM_MICROBLAZE: "Xilinx MicroBlaze", elf.EM_CUDA: "NVIDIA CUDA architecture",
	elf.EM_TILEGX: "Tilera TILE-Gx multicore architecture family", elf.EM_ARC_COMPACT2: "ARCv2", elf.EM_RL78: "Renesas RL78",
	elf.EM_Z80: "Zilog Z80", elf.EM_VISIUM: "CDS VISIUMcore processor", elf.EM_FT32: "FTDI Chip FT32", elf.EM_MOXIE: "Moxie",
	elf.EM_AMDGPU: "AMD GPU", elf.EM_RISCV: "RISC-V", elf.EM_LANAI: "Lanai 32-bit processor", elf.EM_BPF: "Linux BPF",
	251: "NEC Vector Engine", 252: "C-SKY", 253: "Synopsys ARCv2.3 64-bit", 255: "Synopsys ARCv2.3 32-bit",
	elf.EM_LOONGARCH: "LoongArch", 0x4157: "Web Assembly", 0x9026: "Alpha", 0xbaab: "Xilinx MicroBlaze", 0xad45: "Sanyo XStormy16 CPU core",
}

// OSABIName describes EI_OSABI; values from 64 on mean something else on each
// machine.
func OSABIName(m elf.Machine, v elf.OSABI) string {
	if int(v) < len(osabiNames) && osabiNames[v] != "" {
		return osabiNames[v]
	}
	switch {
	case m == elf.EM_ARM && v == 97:
		return "ARM"
	case m == elf.EM_ARM && v == 65:
		return "ARM FDPIC"
	case m == elf.EM_AMDGPU && v == 64:
		return "AMD HSA"
	case m == elf.EM_AMDGPU && v == 65:
		return "AMD PAL"
	case m == elf.EM_AMDGPU && v == 66:
		return "AMD Mesa3D"
	case m == 140 && v == 64:
		return "Bare-metal C6000"
	case m == 140 && v == 65:
		return "Linux C6000"
	case v == 255:
		return "Standalone App"
	}
	return fmt.Sprintf("<unknown: %x>", uint8(v))
}

var osabiNames = [...]string{
	0: "UNIX - System V", 1: "UNIX - HP-UX", 2: "UNIX - NetBSD", 3: "UNIX - GNU", 6: "UNIX - Solaris", 7: "UNIX - AIX", 8: "UNIX - IRIX",
	9: "UNIX - FreeBSD", 10: "UNIX - TRU64", 11: "Novell - Modesto", 12: "UNIX - OpenBSD", 13: "VMS - OpenVMS", 14: "HP - Non-Stop Kernel",
	15: "AROS", 16: "FenixOS", 17: "Nuxi CloudABI", 18: "Stratus Technologies OpenVOS",
}

// TypeName describes e_type.
func TypeName(t elf.Type) string {
	switch {
	case t == elf.ET_NONE:
		return "NONE (None)"
	case t == elf.ET_REL:
		return "REL (Relocatable file)"
	case t == elf.ET_EXEC:
		return "EXEC (Executable file)"
	case t == elf.ET_DYN:
		return "DYN (Shared object file)"
	case t == elf.ET_CORE:
		return "CORE (Core file)"
	case t >= elf.ET_LOPROC:
		return fmt.Sprintf("Processor Specific: (%x)", uint16(t))
	case t >= elf.ET_LOOS && t <= elf.ET_HIOS:
		return fmt.Sprintf("OS Specific: (%x)", uint16(t))
	}
	return fmt.Sprintf("<unknown>: %x", uint16(t))
}

// CompressionName describes ch_type.
func CompressionName(t elf.CompressionType) string {
	switch t {
	case elf.COMPRESS_ZLIB:
		return "ZLIB"
	case compressZstd:
		return "ZSTD"
	}
	return fmt.Sprintf("<unknown>: 0x%x", uint32(t))
}

// SymBindName describes a symbol's binding. GNU systems use the first number of
// the operating system's for unique symbols.
func SymBindName(b elf.SymBind) string {
	switch b {
	case elf.STB_LOCAL:
		return "LOCAL"
	case elf.STB_GLOBAL:
		return "GLOBAL"
	case elf.STB_WEAK:
		return "WEAK"
	case elf.STB_LOOS:
		return "UNIQUE"
	case 11, 12:
		return fmt.Sprintf("<OS specific>: %d", b)
	case 13, 14, 15:
		return fmt.Sprintf("<processor specific>: %d", b)
	}
	return fmt.Sprintf("<unknown>: %d", b)
}

// SymTypeName describes a symbol's type on a machine.
func SymTypeName(m elf.Machine, t elf.SymType) string {
	switch t {
	case 13:
		if m == elf.EM_ARM {
			return "THUMB_FUNC"
		}
		if m == elf.EM_SPARCV9 {
			return "REGISTER"
		}
		if m == elf.EM_PARISC {
			return "PARISC_MILLI"
		}
	case 11, 12:
		return fmt.Sprintf("<OS specific>: %d", t)
	}
	if t >= 13 {
		return fmt.Sprintf("<processor specific>: %d", t)
	}
	if int(t) < len(symTypeNames) && symTypeNames[t] != "" {
		return symTypeNames[t]
	}
	return fmt.Sprintf("<unknown>: %d", t)
}

var symTypeNames = [...]string{"NOTYPE", "OBJECT", "FUNC", "SECTION", "FILE", "COMMON", "TLS", 8: "RELC", 9: "SRELC", 10: "IFUNC"}

// VisibilityName describes a symbol's visibility.
func VisibilityName(v elf.SymVis) string {
	return [...]string{"DEFAULT", "INTERNAL", "HIDDEN", "PROTECTED"}[v&3]
}

// SectionIndexName describes st_shndx: an index, or what a reserved one means
// on a machine.
func SectionIndexName(m elf.Machine, x uint16) string {
	switch {
	case x == 0:
		return "UND"
	case x == uint16(elf.SHN_ABS):
		return "ABS"
	case x == uint16(elf.SHN_COMMON):
		return "COM"
	case x == 0xff02 && (m == elf.EM_X86_64 || m == elf.EM_L10M || m == elf.EM_K10M):
		return "LARGE_COM"
	case x == 0xff03 && m == elf.EM_MIPS:
		return "SCOM"
	case x == 0xff04 && m == elf.EM_MIPS:
		return "SUND"
	case x >= 0xff00 && x <= 0xff1f:
		return fmt.Sprintf("PRC[0x%04x]", x)
	case x >= 0xff20 && x <= 0xff3f:
		return fmt.Sprintf("OS [0x%04x]", x)
	case x >= 0xff00:
		return fmt.Sprintf("RSV[0x%04x]", x)
	}
	return fmt.Sprint(x)
}
