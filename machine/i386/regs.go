package i386

import (
	"debug/elf"

	"elfwright/machine"
)

// Intel386 psABI, figure "DWARF Register Number Mapping". Number 8 is the return
// address; debuggers call it eip.
var dwarf = append(append(machine.Registers(0,
	"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"), []machine.Register{
	{First: 8, Name: "eip", Aliases: []string{"RA"}},
	{First: 9, Name: "eflags"},
	{First: 11, Last: 18, Name: "st"},
	{First: 21, Last: 28, Name: "xmm"},
	{First: 29, Last: 36, Name: "mm"},
	{First: 37, Name: "fcw"},
	{First: 38, Name: "fsw"},
	{First: 39, Name: "mxcsr"},
}...), append(machine.Registers(40, "es", "cs", "ss", "ds", "fs", "gs"), []machine.Register{
	{First: 48, Name: "tr"},
	{First: 49, Name: "ldtr"},
	{First: 93, Last: 100, Name: "k"},
	{First: 101, Last: 104, Name: "bnd"},
}...)...)

// Linux, arch/x86/include/asm/user_32.h, struct user_regs_struct.
var status = machine.Status32("eip", "esp", machine.Slots(4,
	"ebx", "ecx", "edx", "esi", "edi", "ebp", "eax", "ds", "es", "fs", "gs",
	"orig_eax", "eip", "cs", "eflags", "esp", "ss"))

var regSets = []machine.RegSet{
	{Note: elf.NT_FPREGSET, Owner: "CORE", Name: "user_i387_struct", Size: 108, Slots: fsave()},
	// FXSAVE's layout, with 8 xmm registers.
	{Note: 0x46e62b7f, Owner: "LINUX", Name: "user_fxsr_struct", Size: 512}, // NT_PRXFPREG
	{Note: 0x202, Owner: "LINUX", Name: "xstate"},                           // NT_X86_XSTATE
	{Note: 0x200, Owner: "LINUX", Name: "user_desc"},                        // NT_386_TLS
}

// fsave is the layout that the FSAVE instruction writes.
func fsave() []machine.Slot {
	slots := machine.Slots(4, "fcw", "fsw", "ftw", "fip", "fcs", "fdp", "fds")
	for i, n := range machine.Numbered("st", 0, 7) {
		slots = append(slots, machine.Slot{Name: n, Off: 28 + 10*i, Size: 10})
	}
	return slots
}
