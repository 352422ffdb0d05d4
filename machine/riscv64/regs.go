package riscv64

import (
	"debug/elf"

	"elfwright/machine"
)

// RISC-V psABI, "DWARF Register Numbers"; the aliases are the names of the
// calling convention, which debuggers print. A CSR has its own number + 4096.
var dwarf = []machine.Register{
	{First: 0, Last: 31, Name: "x", Aliases: []string{
		"zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1",
		"a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7",
		"s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"}},
	{First: 32, Last: 63, Name: "f", Aliases: []string{
		"ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1",
		"fa0", "fa1", "fa2", "fa3", "fa4", "fa5", "fa6", "fa7",
		"fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11"}},
	{First: 64, Name: "alternate frame return column"},
	{First: 96, Last: 127, Name: "v"},
	{First: 4096, Last: 8191, Name: "csr", Aliases: []string{"", "fflags", "frm", "fcsr", "", "", "", "", "vstart", "vxsat", "vxrm"}},
}

// Linux, arch/riscv/include/uapi/asm/ptrace.h, struct user_regs_struct.
var gregs = []string{"pc", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1",
	"a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7",
	"s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"}

var (
	status     = machine.Status64("pc", "sp", machine.Slots(8, gregs...))
	statusRV32 = machine.Status32("pc", "sp", machine.Slots(4, gregs...))
)

var regSets = []machine.RegSet{
	// struct __riscv_d_ext_state.
	{Note: elf.NT_FPREGSET, Owner: "CORE", Name: "__riscv_d_ext_state", Size: 264,
		Slots: append(machine.Slots(8, machine.Numbered("f", 0, 31)...), machine.Slot{Name: "fcsr", Off: 256, Size: 4})},
	{Note: 0x900, Owner: "LINUX", Name: "csr"},                    // NT_RISCV_CSR
	{Note: 0x901, Owner: "LINUX", Name: "__riscv_v_regset_state"}, // NT_RISCV_VECTOR
}
