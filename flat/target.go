package flat

import (
	"debug/elf"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"elfwright/elffile"
)

// A Target is what a flat file does not say of its program.
type Target struct {
	Machine elf.Machine
	elffile.Format
}

var (
	targetArm  = Target{elf.EM_ARM, elffile.Format{Class: elf.ELFCLASS32, Data: elf.ELFDATA2LSB}}
	targetRV32 = Target{elf.EM_RISCV, elffile.Format{Class: elf.ELFCLASS32, Data: elf.ELFDATA2LSB}}
)

// targets are the machines that have a name here, with their usual form.
var targets = []struct {
	name string
	Target
}{
	{"x86-64", Target{elf.EM_X86_64, elffile.Format{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}}},
	{"i386", Target{elf.EM_386, elffile.Format{Class: elf.ELFCLASS32, Data: elf.ELFDATA2LSB}}},
	{"aarch64", Target{elf.EM_AARCH64, elffile.Format{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}}},
	{"arm", targetArm},
	{"riscv64", Target{elf.EM_RISCV, elffile.Format{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}}},
	{"riscv32", targetRV32},
}

// Machines are the names that [ParseTarget] knows.
func Machines() []string {
	var list []string
	for _, t := range targets {
		list = append(list, t.name)
	}
	return list
}

// ParseTarget makes a target of words: a machine's name or number, a class (32 or
// 64) and a byte order (little or big); each may be empty. A named machine has a
// usual form, which the other two change.
func ParseTarget(machine, class, order string) (Target, error) {
	var t Target
	if machine != "" {
		i := slices.IndexFunc(targets, func(x struct {
			name string
			Target
		}) bool {
			return strings.EqualFold(x.name, machine)
		})
		if n, err := strconv.ParseUint(machine, 0, 16); i < 0 && err == nil && n != 0 {
			t.Machine = elf.Machine(n)
		} else if i >= 0 {
			t = targets[i].Target
		} else {
			return t, fmt.Errorf("%q is no machine: want %s, or the number of one", machine, strings.Join(Machines(), ", "))
		}
	}
	switch class {
	case "32":
		t.Class = elf.ELFCLASS32
	case "64":
		t.Class = elf.ELFCLASS64
	}
	switch order {
	case "little":
		t.Data = elf.ELFDATA2LSB
	case "big":
		t.Data = elf.ELFDATA2MSB
	}
	return t, nil
}

// missing says what is not known of a target; "" if all is.
func (t Target) missing() string {
	var list []string
	if t.Machine == elf.EM_NONE {
		list = append(list, "the machine (--machine)")
	}
	if t.Class == elf.ELFCLASSNONE {
		list = append(list, "the class (--class)")
	}
	if t.Data == elf.ELFDATANONE {
		list = append(list, "the byte order (--byte-order)")
	}
	return strings.Join(list, ", ")
}

// ParseFamily finds a family of UF2 by its name or number.
func ParseFamily(s string) (uint32, error) {
	for _, f := range families {
		if strings.EqualFold(f.Name, s) {
			return f.ID, nil
		}
	}
	if n, err := strconv.ParseUint(s, 0, 32); err == nil && n != 0 {
		return uint32(n), nil
	}
	return 0, fmt.Errorf("%q is no family that is known here, and no number of 32 bits", s)
}
