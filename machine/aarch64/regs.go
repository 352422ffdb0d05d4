package aarch64

import (
	"debug/elf"

	"elfwright/machine"
)

// AADWARF64, section "DWARF register names".
var dwarf = []machine.Register{
	{First: 0, Last: 30, Name: "x"},
	{First: 31, Name: "sp"},
	{First: 32, Name: "pc"},
	{First: 33, Name: "elr"}, // ELR_mode
	{First: 34, Name: "ra_sign_state"},
	{First: 35, Name: "tpidrro_el0"},
	{First: 36, Name: "tpidr_el0"},
	{First: 37, Name: "tpidr_el1"},
	{First: 38, Name: "tpidr_el2"},
	{First: 39, Name: "tpidr_el3"},
	{First: 46, Name: "vg"},
	{First: 47, Name: "ffr"},
	{First: 48, Last: 63, Name: "p"},
	{First: 64, Last: 95, Name: "v"},
	{First: 96, Last: 127, Name: "z"},
}

// Linux, arch/arm64/include/uapi/asm/ptrace.h, struct user_pt_regs.
var status = machine.Status64("pc", "sp", machine.Slots(8,
	append(machine.Numbered("x", 0, 30), "sp", "pc", "pstate")...))

var regSets = []machine.RegSet{
	{Note: elf.NT_FPREGSET, Owner: "CORE", Name: "user_fpsimd_state", Size: 528, Slots: fpsimd()},
	{Note: 0x401, Owner: "LINUX", Name: "tls", Size: 16, Slots: machine.Slots(8, "tpidr", "tpidr2")}, // NT_ARM_TLS; 8 bytes before Linux 6.3
	{Note: 0x402, Owner: "LINUX", Name: "user_hwdebug_state", Size: 264},                             // NT_ARM_HW_BREAK
	{Note: 0x403, Owner: "LINUX", Name: "user_hwdebug_state", Size: 264},                             // NT_ARM_HW_WATCH
	{Note: 0x404, Owner: "LINUX", Name: "system_call", Size: 4},                                      // NT_ARM_SYSTEM_CALL
	{Note: 0x405, Owner: "LINUX", Name: "user_sve_header"},                                           // NT_ARM_SVE
	{Note: 0x406, Owner: "LINUX", Name: "user_pac_mask", Size: 16,
		Slots: machine.Slots(8, "data_mask", "insn_mask")}, // NT_ARM_PAC_MASK
}

func fpsimd() []machine.Slot {
	return append(machine.Slots(16, machine.Numbered("v", 0, 31)...),
		machine.Slot{Name: "fpsr", Off: 512, Size: 4}, machine.Slot{Name: "fpcr", Off: 516, Size: 4})
}
