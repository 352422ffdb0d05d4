package amd64

import (
	"debug/elf"

	"elfwright/machine"
)

// x86-64 psABI, figure "DWARF Register Number Mapping". Number 16 is the return
// address; debuggers call it rip.
var dwarf = append(append(machine.Registers(0,
	"rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp"), []machine.Register{
	{First: 8, Last: 15, Name: "r", Base: 8},
	{First: 16, Name: "rip", Aliases: []string{"RA"}},
	{First: 17, Last: 32, Name: "xmm"},
	{First: 33, Last: 40, Name: "st"},
	{First: 41, Last: 48, Name: "mm"},
	{First: 49, Name: "rflags"},
}...), append(machine.Registers(50, "es", "cs", "ss", "ds", "fs", "gs"), []machine.Register{
	{First: 58, Name: "fs.base"},
	{First: 59, Name: "gs.base"},
	{First: 62, Name: "tr"},
	{First: 63, Name: "ldtr"},
	{First: 64, Name: "mxcsr"},
	{First: 65, Name: "fcw"},
	{First: 66, Name: "fsw"},
	{First: 67, Last: 82, Name: "xmm", Base: 16},
	{First: 118, Last: 125, Name: "k"},
	{First: 126, Last: 129, Name: "bnd"},
	{First: 130, Last: 145, Name: "r", Base: 16},
}...)...)

// Linux, arch/x86/include/asm/user_64.h, struct user_regs_struct.
var gregs = machine.Slots(8,
	"r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8",
	"rax", "rcx", "rdx", "rsi", "rdi", "orig_rax", "rip", "cs", "eflags",
	"rsp", "ss", "fs_base", "gs_base", "ds", "es", "fs", "gs")

var status = machine.Status64("rip", "rsp", gregs)

// Linux, fs/compat_binfmt_elf.c: x32 keeps 32-bit times and signals around the
// 64-bit registers.
var statusX32 = machine.Status32("rip", "rsp", gregs)

var regSets = []machine.RegSet{
	{Note: elf.NT_FPREGSET, Owner: "CORE", Name: "user_i387_struct", Size: 512, Slots: fxsave()},
	// Which components follow fxsave's 512 bytes is in XCR0, at offset 464.
	{Note: 0x202, Owner: "LINUX", Name: "xstate"}, // NT_X86_XSTATE
}

// fxsave is the layout that the FXSAVE64 instruction writes.
func fxsave() []machine.Slot {
	slots := []machine.Slot{
		{Name: "fcw", Off: 0, Size: 2}, {Name: "fsw", Off: 2, Size: 2}, {Name: "ftw", Off: 4, Size: 2},
		{Name: "fop", Off: 6, Size: 2}, {Name: "fip", Off: 8, Size: 8}, {Name: "fdp", Off: 16, Size: 8},
		{Name: "mxcsr", Off: 24, Size: 4}, {Name: "mxcsr_mask", Off: 28, Size: 4},
	}
	for i, n := range machine.Numbered("st", 0, 7) {
		slots = append(slots, machine.Slot{Name: n, Off: 32 + 16*i, Size: 10})
	}
	for i, n := range machine.Numbered("xmm", 0, 15) {
		slots = append(slots, machine.Slot{Name: n, Off: 160 + 16*i, Size: 16})
	}
	return slots
}
