package synth

import (
	"debug/elf"

	"elfwright/machine"
)

// dynTypes are a machine's dynamic relocations, as its psABI numbers them.
type dynTypes struct {
	abs, relative, globDat, jumpSlot, irelative uint32
	dtpmod, dtpoff, tpoff, tlsdesc              uint32
}

func dynTypesOf(m *machine.Machine) *dynTypes {
	switch m.ELF {
	case elf.EM_X86_64:
		return &dynTypes{1, 8, 6, 7, 37, 16, 17, 18, 36}
	case elf.EM_386:
		return &dynTypes{1, 8, 6, 7, 42, 35, 36, 14, 41}
	case elf.EM_AARCH64:
		if m.WordSize() == 4 { // ILP32: the "P32" types
			return &dynTypes{1, 183, 181, 182, 188, 184, 185, 186, 187}
		}
		return &dynTypes{257, 1027, 1025, 1026, 1032, 1028, 1029, 1030, 1031}
	case elf.EM_ARM:
		return &dynTypes{2, 23, 21, 22, 160, 17, 18, 19, 13}
	case elf.EM_RISCV:
		if m.WordSize() == 4 {
			return &dynTypes{1, 3, 1, 5, 58, 6, 8, 10, 12}
		}
		return &dynTypes{2, 3, 2, 5, 58, 7, 9, 11, 12}
	}
	return &dynTypes{}
}
