package show

import (
	"debug/elf"
	"fmt"
	"slices"
)

// propForm is what a property's data is.
type propForm uint8

const (
	propNone  propForm = iota // nothing: the property is there
	propSize                  // a number as wide as an address
	propBits                  // a set of bits in four bytes
	propPauth                 // platform and version, eight bytes each
)

// propKind describes a type of GNU property.
type propKind struct {
	machines []elf.Machine // nil: any
	typ      uint32
	name     string
	label    string
	form     propForm
	bits     bitNames
}

// bitNames names bits from the lowest one on; an empty name is a bit without.
type bitNames []string

// names gives the names of the bits set in v, and the rest as a number.
func (n bitNames) names(v uint64) []string {
	var list []string
	for i, name := range n {
		if bit := uint64(1) << i; v&bit != 0 && name != "" {
			list = append(list, name)
			v &^= bit
		}
	}
	if v != 0 {
		list = append(list, fmt.Sprintf("<unknown: %x>", v))
	}
	return list
}

// propertyKind finds the kind of a type; nil for one that nobody defined.
func (c *noteContext) propertyKind(typ uint32) *propKind {
	for i := range propKinds {
		if k := &propKinds[i]; k.typ == typ && (k.machines == nil || slices.Contains(k.machines, c.machine)) {
			return k
		}
	}
	return nil
}

// isPropBits says whether a type is of the ranges whose data are bits that a
// linker combines by AND or OR, whoever will define them.
func isPropBits(typ uint32) bool { return typ>>16 == 0xb000 }

var (
	propX86   = []elf.Machine{elf.EM_386, elf.EM_X86_64, elf.EM_486}
	propA64   = []elf.Machine{elf.EM_AARCH64}
	propRISCV = []elf.Machine{elf.EM_RISCV}
)

// propKinds: Linux Extensions to gABI, "Program Property" for the first rows;
// the x86-64 psABI, section "Program Property"; AAELF64, "Program Property"; the
// RISC-V psABI, "Program Property". The names of the x86 instruction sets of old
// drafts (COMPAT) are those of binutils elf/common.h.
var propKinds = []propKind{
	{nil, 1, "GNU_PROPERTY_STACK_SIZE", "stack size", propSize, nil},
	{nil, 2, "GNU_PROPERTY_NO_COPY_ON_PROTECTED", "no copy on protected", propNone, nil},
	{nil, 0xb0008000, "GNU_PROPERTY_1_NEEDED", "1_needed", propBits, bitNames{"indirect external access"}},

	{propX86, 0xc0000002, "GNU_PROPERTY_X86_FEATURE_1_AND", "x86 feature", propBits, bitNames{"IBT", "SHSTK", "LAM_U48", "LAM_U57"}},
	{propX86, 0xc0008002, "GNU_PROPERTY_X86_ISA_1_NEEDED", "x86 ISA needed", propBits, x86ISA},
	{propX86, 0xc0010002, "GNU_PROPERTY_X86_ISA_1_USED", "x86 ISA used", propBits, x86ISA},
	{propX86, 0xc0008001, "GNU_PROPERTY_X86_FEATURE_2_NEEDED", "x86 feature needed", propBits, x86Feature2},
	{propX86, 0xc0010001, "GNU_PROPERTY_X86_FEATURE_2_USED", "x86 feature used", propBits, x86Feature2},
	{propX86, 0xc0000000, "GNU_PROPERTY_X86_COMPAT_ISA_1_USED", "x86 ISA used", propBits, x86CompatISA},
	{propX86, 0xc0000001, "GNU_PROPERTY_X86_COMPAT_ISA_1_NEEDED", "x86 ISA needed", propBits, x86CompatISA},
	{propX86, 0xc0008000, "GNU_PROPERTY_X86_COMPAT_2_ISA_1_NEEDED", "x86 ISA needed", propBits, x86Compat2ISA},
	{propX86, 0xc0010000, "GNU_PROPERTY_X86_COMPAT_2_ISA_1_USED", "x86 ISA used", propBits, x86Compat2ISA},

	{propA64, 0xc0000000, "GNU_PROPERTY_AARCH64_FEATURE_1_AND", "AArch64 feature", propBits, bitNames{"BTI", "PAC", "GCS"}},
	{propA64, 0xc0000001, "GNU_PROPERTY_AARCH64_FEATURE_PAUTH", "AArch64 PAuth ABI core info", propPauth, nil},

	{propRISCV, 0xc0000000, "GNU_PROPERTY_RISCV_FEATURE_1_AND", "RISC-V feature", propBits,
		bitNames{"CFI_LP_UNLABELED", "CFI_SS", "CFI_LP_FUNC_SIG"}},
}

var (
	x86ISA      = bitNames{"x86-64-baseline", "x86-64-v2", "x86-64-v3", "x86-64-v4"}
	x86Feature2 = bitNames{"x86", "x87", "MMX", "XMM", "YMM", "ZMM", "FXSR", "XSAVE", "XSAVEOPT", "XSAVEC", "TMM", "MASK"}

	x86CompatISA = bitNames{"i486", "i586", "i686", "SSE", "SSE2", "SSE3", "SSSE3", "SSE4_1", "SSE4_2", "AVX", "AVX2",
		"AVX512F", "AVX512CD", "AVX512ER", "AVX512PF", "AVX512VL", "AVX512DQ", "AVX512BW"}
	x86Compat2ISA = bitNames{"CMOV", "SSE", "SSE2", "SSE3", "SSSE3", "SSE4_1", "SSE4_2", "AVX", "AVX2", "FMA",
		"AVX512F", "AVX512CD", "AVX512ER", "AVX512PF", "AVX512VL", "AVX512DQ", "AVX512BW",
		"AVX512_4FMAPS", "AVX512_4VNNIW", "AVX512_BITALG", "AVX512_IFMA", "AVX512_VBMI", "AVX512_VBMI2", "AVX512_VNNI", "AVX512_BF16"}
)
