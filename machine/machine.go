// Package machine says what a psABI fixes, as plain data: page sizes, byte
// orders, register numbers, e_flags and the whole table of relocation types.
// The machines themselves are in the packages below this one, one psABI each,
// and machine/all finds one by e_machine.
//
// A relocation is a row: a [Formula] that computes a value, a [Field] that says
// which bits of the place take it, and a [Check] that says when it does not fit.
// [Reloc.Apply] carries a row out. The formula that Apply evaluates is the one
// that is printed.
package machine

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"
)

// Machine is what a psABI fixes for one e_machine and one class. It is plain
// data and is never changed. A part that is not described is nil or zero.
type Machine struct {
	ELF   elf.Machine
	Class elf.Class
	Name  string // as its psABI calls it: "x86-64", "AArch64"

	// Orders are the byte orders that the psABI allows, the usual one first.
	Orders []elf.Data
	// CodeLittle is set where instructions are little-endian whatever EI_DATA
	// says. Arm is not among them: its code has the data's order in object
	// files, and EF_ARM_BE8 tells about executables.
	CodeLittle bool

	// PageSize is the smallest page that Linux uses on this machine.
	PageSize uint64
	// MaxPageSize is the largest page that an executable must be ready for:
	// the p_align that GNU ld gives a PT_LOAD by default.
	MaxPageSize uint64

	// REL is set where relocations keep their addend in the place (SHT_REL).
	REL bool
	// Relocs holds every relocation type of the psABI.
	Relocs *Table

	// Flags decode e_flags, in the order in which readelf -h prints them.
	Flags []Flag

	// DWARF are the register numbers of the psABI's DWARF chapter, ascending.
	DWARF []Register
	// Status is the layout of a core file's NT_PRSTATUS note under Linux.
	Status *Status
	// RegSets are the register sets that a core file keeps in notes of their
	// own and that PTRACE_GETREGSET knows under the same number.
	RegSets []RegSet

	// Linux are the system calls.
	Linux *Linux
	// Prelude is code that carries out a script before a program starts; see
	// package prelude. Its source, prelude.S, is beside the machine.
	Prelude []byte
	// Thaw is code that makes a frozen process again; see package freeze/script.
	// Its source, thaw.S, is beside the machine.
	Thaw []byte
	// Reset is code that restores a program's memory and starts it again; see
	// package reset. Its source, reset.S, is beside the machine. ResetThumb is the
	// same for entries in Thumb.
	Reset, ResetThumb []byte
}

// WordSize is the size of an address in bytes: 4 or 8.
func (m *Machine) WordSize() int {
	if m.Class == elf.ELFCLASS32 {
		return 4
	}
	return 8
}

// CodeOrder gives the byte order of instructions in a file whose data has the
// given order, as far as the machine alone decides it (see CodeLittle).
func (m *Machine) CodeOrder(data binary.ByteOrder) binary.ByteOrder {
	if m.CodeLittle {
		return binary.LittleEndian
	}
	return data
}

// Allows reports whether the psABI knows files of this byte order.
func (m *Machine) Allows(d elf.Data) bool {
	for _, o := range m.Orders {
		if o == d {
			return true
		}
	}
	return false
}

// Flag is a value of some bits of e_flags that has a name. It counts when
// e_flags&Mask == Value and, for flags that only some ABI version has,
// e_flags&WhenMask == When.
type Flag struct {
	Mask, Value    uint32
	Name           string
	WhenMask, When uint32
}

// FlagNames decodes e_flags in readelf's order and words. Bits that no row
// explains come last, as "<unknown: 0x…>". There is nothing to say about 0.
func (m *Machine) FlagNames(flags uint32) []string {
	if flags == 0 {
		return nil
	}
	var names []string
	left := flags
	for _, f := range m.Flags {
		if flags&f.Mask != f.Value || flags&f.WhenMask != f.When {
			continue
		}
		left &^= f.Mask
		if f.Name != "" {
			names = append(names, f.Name)
		}
	}
	if left != 0 {
		names = append(names, fmt.Sprintf("<unknown: %#x>", left))
	}
	return names
}

// FlagString is FlagNames in one line, empty when there is nothing to say.
func (m *Machine) FlagString(flags uint32) string {
	return strings.Join(m.FlagNames(flags), ", ")
}
