package show

import (
	"debug/elf"
	"fmt"
)

// armVendor is Arm's own part (Arm ABI addenda, "Public (aeabi) attribute
// tags"). The words for the values are readelf's.
var armVendor = attrVendor{name: "aeabi", form: oddString, tags: map[uint64]attrTag{
	4:  {name: "Tag_CPU_raw_name", form: attrString},
	5:  {name: "Tag_CPU_name", form: attrString},
	6:  {name: "Tag_CPU_arch", values: armArch},
	7:  {name: "Tag_CPU_arch_profile", value: armProfile},
	8:  {name: "Tag_ARM_ISA_use", values: []string{"No", "Yes"}},
	9:  {name: "Tag_THUMB_ISA_use", values: []string{"No", "Thumb-1", "Thumb-2", "Yes"}},
	10: {name: "Tag_FP_arch", values: []string{"No", "VFPv1", "VFPv2", "VFPv3", "VFPv3-D16", "VFPv4", "VFPv4-D16", "FP for ARMv8", "FPv5/FP-D16 for ARMv8"}},
	11: {name: "Tag_WMMX_arch", values: []string{"No", "WMMXv1", "WMMXv2"}},
	12: {name: "Tag_Advanced_SIMD_arch", values: []string{"No", "NEONv1", "NEONv1 with Fused-MAC", "NEON for ARMv8", "NEON for ARMv8.1"}},
	13: {name: "Tag_PCS_config", values: []string{"None", "Bare platform", "Linux application", "Linux DSO", "PalmOS 2004", "PalmOS (reserved)", "SymbianOS 2004", "SymbianOS (reserved)"}},
	14: {name: "Tag_ABI_PCS_R9_use", values: []string{"V6", "SB", "TLS", "Unused"}},
	15: {name: "Tag_ABI_PCS_RW_data", values: []string{"Absolute", "PC-relative", "SB-relative", "None"}},
	16: {name: "Tag_ABI_PCS_RO_data", values: []string{"Absolute", "PC-relative", "None"}},
	17: {name: "Tag_ABI_PCS_GOT_use", values: []string{"None", "direct", "GOT-indirect"}},
	18: {name: "Tag_ABI_PCS_wchar_t", values: []string{"None", "??? 1", "2", "??? 3", "4"}},
	19: {name: "Tag_ABI_FP_rounding", values: []string{"Unused", "Needed"}},
	20: {name: "Tag_ABI_FP_denormal", values: []string{"Unused", "Needed", "Sign only"}},
	21: {name: "Tag_ABI_FP_exceptions", values: []string{"Unused", "Needed"}},
	22: {name: "Tag_ABI_FP_user_exceptions", values: []string{"Unused", "Needed"}},
	23: {name: "Tag_ABI_FP_number_model", values: []string{"Unused", "Finite", "RTABI", "IEEE 754"}},
	24: {name: "Tag_ABI_align_needed", value: func(v uint64) string { return armAlign(v, "None", "8-byte", "4-byte", "??? 3") }},
	25: {name: "Tag_ABI_align_preserved", value: func(v uint64) string { return armAlign(v, "None", "8-byte, except leaf SP", "8-byte", "??? 3") }},
	26: {name: "Tag_ABI_enum_size", values: []string{"Unused", "small", "int", "forced to int"}},
	27: {name: "Tag_ABI_HardFP_use", values: []string{"As Tag_FP_arch", "SP only", "Reserved", "Deprecated"}},
	28: {name: "Tag_ABI_VFP_args", values: []string{"AAPCS", "VFP registers", "custom", "compatible"}},
	29: {name: "Tag_ABI_WMMX_args", values: []string{"AAPCS", "WMMX registers", "custom"}},
	30: {name: "Tag_ABI_optimization_goals", values: []string{"None", "Prefer Speed", "Aggressive Speed", "Prefer Size", "Aggressive Size", "Prefer Debug", "Aggressive Debug"}},
	31: {name: "Tag_ABI_FP_optimization_goals", values: []string{"None", "Prefer Speed", "Aggressive Speed", "Prefer Size", "Aggressive Size", "Prefer Accuracy", "Aggressive Accuracy"}},
	32: {name: "Tag_compatibility", form: attrBoth},
	34: {name: "Tag_CPU_unaligned_access", values: []string{"None", "v6"}},
	36: {name: "Tag_FP_HP_extension", values: notAllowed},
	38: {name: "Tag_ABI_FP_16bit_format", values: []string{"None", "IEEE 754", "Alternative Format"}},
	42: {name: "Tag_MPextension_use", values: notAllowed},
	44: {name: "Tag_DIV_use", values: []string{"Allowed in Thumb-ISA, v7-R or v7-M", "Not allowed", "Allowed in v7-A with integer division extension"}},
	46: {name: "Tag_DSP_extension", values: []string{"Follow architecture", "Allowed"}},
	48: {name: "Tag_MVE_arch", values: []string{"No MVE", "MVE Integer only", "MVE Integer and FP"}},
	50: {name: "Tag_PAC_extension", values: []string{"No PAC/AUT instructions", "PAC/AUT instructions permitted in the NOP space", "PAC/AUT instructions permitted in the NOP and in the non-NOP space"}},
	52: {name: "Tag_BTI_extension", values: []string{"BTI instructions not permitted", "BTI instructions permitted in the NOP space", "BTI instructions permitted in the NOP and in the non-NOP space"}},
	64: {name: "Tag_nodefaults", value: func(uint64) string { return "True" }},
	65: {name: "Tag_also_compatible_with", form: attrNested},
	66: {name: "Tag_T2EE_use", values: notAllowed},
	67: {name: "Tag_conformance", form: attrString},
	68: {name: "Tag_Virtualization_use", values: []string{"Not Allowed", "TrustZone", "Virtualization Extensions", "TrustZone and Virtualization Extensions"}},
	70: {name: "Tag_MPextension_use_legacy", values: notAllowed},
	72: {name: "Tag_FramePointer_use"},
	74: {name: "Tag_BTI_use", values: []string{"Compiled without branch target enforcement", "Compiled with branch target enforcement"}},
	76: {name: "Tag_PACRET_use", values: []string{"Compiled without return address signing and authentication", "Compiled with return address signing and authentication"}},
}}

var notAllowed = []string{"Not Allowed", "Allowed"}

var armArch = []string{"Pre-v4", "v4", "v4T", "v5T", "v5TE", "v5TEJ", "v6", "v6KZ", "v6T2", "v6K", "v7", "v6-M", "v6S-M",
	"v7E-M", "v8", "v8-R", "v8-M.baseline", "v8-M.mainline", "v8.1-A", "v8.2-A", "v8.3-A", "v8.1-M.mainline", "v9"}

// armProfile names an architecture profile, which is a letter.
func armProfile(v uint64) string {
	switch v {
	case 0:
		return "None"
	case 'A':
		return "Application"
	case 'R':
		return "Realtime"
	case 'M':
		return "Microcontroller"
	case 'S':
		return "Application or Realtime"
	}
	return fmt.Sprintf("??? (%d)", v)
}

// armAlign names an alignment of the stack: from 4 on it is a power of two.
func armAlign(v uint64, names ...string) string {
	switch {
	case v < uint64(len(names)):
		return names[v]
	case v >= 4 && v <= 12:
		return fmt.Sprintf("8-byte and up to %d-byte extended", 1<<v)
	}
	return fmt.Sprintf("??? (%d)", v)
}

// riscvVendor is RISC-V's part (psABI, "Attributes", table of tags).
var riscvVendor = attrVendor{name: "riscv", form: oddString, tags: map[uint64]attrTag{
	4:  {name: "Tag_RISCV_stack_align", value: func(v uint64) string { return fmt.Sprintf("%d-bytes", v) }},
	5:  {name: "Tag_RISCV_arch", form: attrString},
	6:  {name: "Tag_RISCV_unaligned_access", values: []string{"No unaligned access", "Unaligned access"}},
	8:  {name: "Tag_RISCV_priv_spec"},
	10: {name: "Tag_RISCV_priv_spec_minor"},
	12: {name: "Tag_RISCV_priv_spec_revision"},
	14: {name: "Tag_RISCV_atomic_abi", values: []string{"unknown", "A6C", "A6S", "A7"}},
	16: {name: "Tag_RISCV_x3_reg_usage", values: []string{"unspecified", "gp", "shadow stack pointer", "temporary"}},
}}

// aarch64Tags are the tags of AArch64's subsections (Arm ABI addenda for the
// 64-bit architecture, "Build attributes").
var aarch64Tags = map[string]map[uint64]attrTag{
	"aeabi_feature_and_bits": {0: {name: "Tag_Feature_BTI"}, 1: {name: "Tag_Feature_PAC"}, 2: {name: "Tag_Feature_GCS"}},
	"aeabi_pauthabi":         {1: {name: "Tag_PAuth_Platform"}, 2: {name: "Tag_PAuth_Schema"}},
}

// gnuTags are the tags of vendor "gnu", which each machine numbers for itself
// (binutils elf/ppc.h, s390.h, mips.h, sparc.h). Values stay numbers.
var gnuTags = map[elf.Machine]map[uint64]attrTag{
	elf.EM_PPC:         gnuPowerTags,
	elf.EM_PPC64:       gnuPowerTags,
	elf.EM_S390:        {8: {name: "Tag_GNU_S390_ABI_Vector"}},
	elf.EM_MIPS:        {4: {name: "Tag_GNU_MIPS_ABI_FP"}, 8: {name: "Tag_GNU_MIPS_ABI_MSA"}},
	elf.EM_SPARC:       gnuSparcTags,
	elf.EM_SPARC32PLUS: gnuSparcTags,
	elf.EM_SPARCV9:     gnuSparcTags,
	elf.EM_68K:         {4: {name: "Tag_GNU_M68K_ABI_FP"}},
}

var (
	gnuPowerTags = map[uint64]attrTag{4: {name: "Tag_GNU_Power_ABI_FP"}, 8: {name: "Tag_GNU_Power_ABI_Vector"}, 12: {name: "Tag_GNU_Power_ABI_Struct_Return"}}
	gnuSparcTags = map[uint64]attrTag{4: {name: "Tag_GNU_Sparc_HWCAPS"}, 8: {name: "Tag_GNU_Sparc_HWCAPS2"}}
)
