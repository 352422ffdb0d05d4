// Package all finds a machine by its number. It is the only package that knows
// all of them.
package all

import (
	"debug/elf"

	"elfwright/machine"
	"elfwright/machine/aarch64"
	"elfwright/machine/amd64"
	"elfwright/machine/arm"
	"elfwright/machine/i386"
	"elfwright/machine/riscv64"
)

// All gives every machine, the 64-bit class of each first.
func All() []*machine.Machine {
	return []*machine.Machine{
		amd64.Machine, amd64.X32,
		i386.Machine,
		aarch64.Machine, aarch64.ILP32,
		arm.Machine,
		riscv64.Machine, riscv64.RV32,
	}
}

// Lookup finds the machine for a file's e_machine and class. It is nil if there
// is none; nothing but numbers can be said about such a file.
func Lookup(number elf.Machine, class elf.Class) *machine.Machine {
	for _, m := range All() {
		if m.ELF == number && m.Class == class {
			return m
		}
	}
	return nil
}
