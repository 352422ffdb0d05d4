package elffile

import (
	"debug/elf"
	"fmt"
	"sort"
)

// ProgTypeName names p_type on a machine, without "PT_".
func ProgTypeName(m elf.Machine, t elf.ProgType) string {
	v := uint32(t)
	if s, ok := progNames[v]; ok {
		return s
	}
	if s, ok := lookup(progMachineNames[m], v); ok {
		return s
	}
	switch {
	case v >= progGnuMbindLo && v < progGnuMbindHi:
		return fmt.Sprintf("GNU_MBIND+0x%x", v-progGnuMbindLo)
	case v>>16 == progOurs>>16:
		return fmt.Sprintf("ELFWRIGHT+0x%x", v-progOurs)
	case v >= 0x60000000 && v <= 0x6fffffff:
		return above("LOOS", v-0x60000000)
	case v >= 0x70000000 && v <= 0x7fffffff:
		return above("LOPROC", v-0x70000000)
	}
	return fmt.Sprintf("<unknown>: %x", v)
}

// ProgTypes returns the program header types that have a name on a machine, by
// number.
func ProgTypes(m elf.Machine) []elf.ProgType {
	var types []elf.ProgType
	for v := range progNames {
		types = append(types, elf.ProgType(v))
	}
	for _, n := range progMachineNames[m] {
		types = append(types, elf.ProgType(n.v))
	}
	sort.Slice(types, func(i, j int) bool { return types[i] < types[j] })
	return types
}

// above prints a number as its distance to the start of a reserved range.
func above(base string, d uint32) string {
	if d == 0 {
		return base + "+0"
	}
	return fmt.Sprintf("%s+0x%x", base, d)
}

// named is a number with its name.
type namedValue struct {
	v uint32
	s string
}

func lookup(names []namedValue, v uint32) (string, bool) {
	for _, n := range names {
		if n.v == v {
			return n.s, true
		}
	}
	return "", false
}

const (
	progGnuMbindLo = 0x6474e555 // PT_GNU_MBIND_LO; 4096 of them
	progGnuMbindHi = progGnuMbindLo + 4096
	progOurs       = 0x65770000 // "ew": the block of this project
)

var progNames = map[uint32]string{
	0x65770010: "EW_PAYLOAD", // package payload
	0x65770020: "EW_RESET",   // package reset

	0: "NULL", 1: "LOAD", 2: "DYNAMIC", 3: "INTERP", 4: "NOTE", 5: "SHLIB", 6: "PHDR", 7: "TLS",

	0x6474e550: "GNU_EH_FRAME", 0x6474e551: "GNU_STACK", 0x6474e552: "GNU_RELRO", 0x6474e553: "GNU_PROPERTY", 0x6474e554: "GNU_SFRAME",

	0x65041580: "PAX_FLAGS", // PaX patch of Linux

	// OpenBSD, sys/exec_elf.h
	0x65a3dbe5: "OPENBSD_MUTABLE", 0x65a3dbe6: "OPENBSD_RANDOMIZE", 0x65a3dbe7: "OPENBSD_WXNEEDED", 0x65a3dbe8: "OPENBSD_NOBTCFI",
	0x65a3dbe9: "OPENBSD_SYSCALLS", 0x65a41be6: "OPENBSD_BOOTDATA",

	// rust-sel4, crates/sel4-phdrs/constants
	0x64c34001: "SEL4_RESET_REGIONS", 0x64c34002: "SEL4_EMBEDDED_DEBUG_INFO", 0x64c34003: "SEL4_CAPDL_SPEC", 0x64c34004: "SEL4_CAPDL_FRAME_DATA",
	0x64c34005: "SEL4_KERNEL_LOADER_PAYLOAD",

	0x6c6f6e65: "LONE", // lone, a Lisp that lives in its program headers

	0x6ffffff0: "ELFTIN+0", 0x6ffffff1: "ELFTIN+0x1",

	// Solaris, sys/elf.h
	0x6ffffffa: "SUNWBSS", 0x6ffffffb: "SUNWSTACK", 0x6ffffffc: "SUNWDTRACE", 0x6ffffffd: "SUNWCAP", 0x6464e550: "SUNW_UNWIND",
}

var progMachineNames = map[elf.Machine][]namedValue{
	elf.EM_ARM:       {{0x70000000, "ARM_ARCHEXT"}, {0x70000001, "EXIDX"}},
	elf.EM_AARCH64:   {{0x70000000, "AARCH64_ARCHEXT"}, {0x70000002, "AARCH64_MEMTAG_MTE"}},
	elf.EM_RISCV:     {{0x70000003, "RISCV_ATTRIBUTES"}},
	elf.EM_MIPS:      {{0x70000000, "REGINFO"}, {0x70000001, "RTPROC"}, {0x70000002, "OPTIONS"}, {0x70000003, "ABIFLAGS"}},
	elf.EM_PARISC:    {{0x70000000, "PARISC_ARCHEXT"}, {0x70000001, "PARISC_UNWIND"}, {0x70000002, "PARISC_WEAKORDER"}},
	elf.EM_IA_64:     {{0x70000000, "IA_64_ARCHEXT"}, {0x70000001, "IA_64_UNWIND"}},
	elf.EM_S390:      {{0x70000000, "S390_PGSTE"}},
	elf.Machine(140): {{0x70000000, "C6000_PHATTR"}},
}
