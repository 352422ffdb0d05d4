package arm

import (
	"debug/elf"

	"elfwright/machine"
)

// AADWARF32, section "DWARF register names".
var dwarf = append(append([]machine.Register{
	{First: 0, Last: 15, Name: "r", Aliases: []string{
		"", "", "", "", "", "", "", "", "", "", "", "fp", "ip", "sp", "lr", "pc"}},
	{First: 64, Last: 95, Name: "s"},
	{First: 96, Last: 103, Name: "f"},     // FPA, obsolescent
	{First: 104, Last: 111, Name: "wCGR"}, // also XScale's ACC0 to ACC7
	{First: 112, Last: 127, Name: "wR"},   // Intel wireless MMX
	{First: 128, Name: "spsr"},
	{First: 129, Name: "spsr_fiq"},
	{First: 130, Name: "spsr_irq"},
	{First: 131, Name: "spsr_abt"},
	{First: 132, Name: "spsr_und"},
	{First: 133, Name: "spsr_svc"},
	{First: 143, Name: "ra_auth_code"},
}, machine.Registers(144,
	"r8_usr", "r9_usr", "r10_usr", "r11_usr", "r12_usr", "r13_usr", "r14_usr",
	"r8_fiq", "r9_fiq", "r10_fiq", "r11_fiq", "r12_fiq", "r13_fiq", "r14_fiq",
	"r13_irq", "r14_irq", "r13_abt", "r14_abt", "r13_und", "r14_und", "r13_svc", "r14_svc")...),
	machine.Register{First: 192, Last: 199, Name: "wC"},
	machine.Register{First: 256, Last: 287, Name: "d"})

// Linux, arch/arm/include/uapi/asm/ptrace.h, struct pt_regs.
var status = machine.Status32("pc", "sp", machine.Slots(4,
	append(machine.Numbered("r", 0, 10), "fp", "ip", "sp", "lr", "pc", "cpsr", "orig_r0")...))

var regSets = []machine.RegSet{
	// The registers of a coprocessor that no longer exists.
	{Note: elf.NT_FPREGSET, Owner: "CORE", Name: "user_fp", Size: 116},
	{Note: 0x400, Owner: "LINUX", Name: "user_vfp", Size: 260, // NT_ARM_VFP
		Slots: append(machine.Slots(8, machine.Numbered("d", 0, 31)...), machine.Slot{Name: "fpscr", Off: 256, Size: 4})},
	{Note: 0x401, Owner: "LINUX", Name: "tls", Size: 4, Slots: machine.Slots(4, "tp")}, // NT_ARM_TLS
}
