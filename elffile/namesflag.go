package elffile

import (
	"debug/elf"
	"fmt"
)

// sectionFlag is a bit of sh_flags with the letter that readelf prints and its
// name.
type sectionFlag struct {
	bit    uint64
	letter byte
	name   string
}

// sectionFlags is in the order of the bits, which is that of readelf's letters.
var sectionFlags = []sectionFlag{
	{0x1, 'W', "WRITE"}, {0x2, 'A', "ALLOC"}, {0x4, 'X', "EXEC"}, {0x10, 'M', "MERGE"}, {0x20, 'S', "STRINGS"}, {0x40, 'I', "INFO LINK"},
	{0x80, 'L', "LINK ORDER"}, {0x100, 'O', "OS NONCONF"}, {0x200, 'G', "GROUP"}, {0x400, 'T', "TLS"}, {0x800, 'C', "COMPRESSED"},
	{0x200000, 'R', "GNU_RETAIN"}, {0x1000000, 'D', "GNU_MBIND"}, {0x80000000, 'E', "EXCLUDE"},
}

// machineFlag returns what a processor-specific bit means on a machine.
func machineFlag(m elf.Machine, bit uint64) (sectionFlag, bool) {
	switch {
	case bit == 0x10000000 && (m == elf.EM_X86_64 || m == elf.EM_L10M || m == elf.EM_K10M):
		return sectionFlag{bit, 'l', "LARGE"}, true
	case bit == 0x10000000 && m == elf.EM_PPC:
		return sectionFlag{bit, 'v', "VLE"}, true
	case bit == 0x20000000 && m == elf.EM_ARM:
		return sectionFlag{bit, 'y', "ARM_PURECODE"}, true
	}
	return sectionFlag{}, false
}

// flagOf describes one bit of sh_flags.
func flagOf(m elf.Machine, bit uint64) sectionFlag {
	for _, f := range sectionFlags {
		if f.bit == bit {
			return f
		}
	}
	if f, ok := machineFlag(m, bit); ok {
		return f
	}
	switch {
	case bit&uint64(elf.SHF_MASKOS) != 0:
		return sectionFlag{bit, 'o', fmt.Sprintf("OS (%016x)", bit)}
	case bit&uint64(elf.SHF_MASKPROC) != 0:
		return sectionFlag{bit, 'p', fmt.Sprintf("PROC (%016x)", bit)}
	}
	return sectionFlag{bit, 'x', fmt.Sprintf("UNKNOWN (%016x)", bit)}
}

// SectionFlagNames names the bits of sh_flags that are set, lowest first.
func SectionFlagNames(m elf.Machine, flags uint64) []string {
	var names []string
	for flags != 0 {
		bit := flags & -flags
		flags &^= bit
		names = append(names, flagOf(m, bit).name)
	}
	return names
}

// SectionFlagLetters is the short form of the flags that readelf prints: a
// letter for each bit, 'x' for an unknown one, and a single 'o' or 'p' for all
// unknown ones of the operating system or the processor.
func SectionFlagLetters(m elf.Machine, flags uint64) string {
	var b []byte
	var seen [256]bool
	for flags != 0 {
		bit := flags & -flags
		flags &^= bit
		c := flagOf(m, bit).letter
		if !seen[c] {
			b = append(b, c)
		}
		seen[c] = c == 'o' || c == 'p'
	}
	return string(b)
}

// ProgFlagLetters is the form of p_flags that readelf prints: "R", "W" and "E",
// each replaced by a space where it is absent.
func ProgFlagLetters(f elf.ProgFlag) string {
	b := []byte("   ")
	for i, bit := range []elf.ProgFlag{elf.PF_R, elf.PF_W, elf.PF_X} {
		if f&bit != 0 {
			b[i] = "RWE"[i]
		}
	}
	return string(b)
}
