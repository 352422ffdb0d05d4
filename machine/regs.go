package machine

import (
	"debug/elf"
	"sort"
	"strconv"
)

// Register is a row, or a run of rows, of a psABI's table of DWARF register
// numbers: number First+i, for each i up to Last-First, is called Name followed
// by Base+i. A single register (Last zero or equal to First) has no number
// after its name.
type Register struct {
	First, Last uint16
	Name        string
	Base        uint16
	Aliases     []string // other names, one for each number of the run
}

// Registers is a helper for tables: consecutive single registers from first on.
func Registers(first uint16, names ...string) []Register {
	rows := make([]Register, len(names))
	for i, n := range names {
		rows[i] = Register{First: first + uint16(i), Name: n}
	}
	return rows
}

// DWARFName names a DWARF register number, or is empty if the psABI does not
// allocate it.
func (m *Machine) DWARFName(n uint64) string {
	name, _ := m.dwarf(n)
	return name
}

// DWARFAlias is the other usual name of a DWARF register number, for example
// "sp" for x2 on RISC-V, or empty.
func (m *Machine) DWARFAlias(n uint64) string {
	_, alias := m.dwarf(n)
	return alias
}

func (m *Machine) dwarf(n uint64) (name, alias string) {
	i := sort.Search(len(m.DWARF), func(i int) bool { return uint64(m.DWARF[i].First) > n }) - 1
	if i < 0 {
		return "", ""
	}
	r := &m.DWARF[i]
	at := n - uint64(r.First)
	if at < uint64(len(r.Aliases)) {
		alias = r.Aliases[at]
	}
	switch {
	case at == 0 && r.Last <= r.First:
		return r.Name, alias
	case n <= uint64(r.Last):
		return r.Name + strconv.FormatUint(uint64(r.Base)+at, 10), alias
	}
	return "", ""
}

// Slot is a register's place in a register set.
type Slot struct {
	Name string
	Off  int // from the start of the set
	Size int // in bytes
}

// RegSet is a set of registers as Linux saves it in a core note and as
// PTRACE_GETREGSET gives it.
type RegSet struct {
	Note  elf.NType // n_type: NT_PRSTATUS's registers, NT_FPREGSET, NT_ARM_VFP …
	Owner string    // n_name: "CORE" or "LINUX"
	Name  string    // the kernel's structure: "user_fpsimd_state"
	Size  int       // 0 when it depends on the processor
	Slots []Slot    // by offset; nil when they depend on the processor
}

// Status is Linux's struct elf_prstatus (include/linux/elfcore.h), the content
// of NT_PRSTATUS: offsets of its fields, and the registers inside.
type Status struct {
	Size     int // of the whole note's content
	Signal   int // offset of pr_cursig, 2 bytes
	PID      int // offset of pr_pid, 4 bytes; pr_ppid, pr_pgrp, pr_sid follow
	UserTime int // offset of pr_utime; stime, cutime, cstime follow, two words each
	Regs     int // offset of pr_reg
	FPValid  int // offset of pr_fpvalid, 4 bytes
	Slots    []Slot
	PC, SP   string // names of the slots that hold program counter and stack
}

// Status64 lays out elf_prstatus for a machine whose long and registers have
// 8 bytes.
func Status64(pc, sp string, slots []Slot) *Status {
	end := 112 + size(slots)
	return &Status{Size: (end + 4 + 7) &^ 7, Signal: 12, PID: 32, UserTime: 48,
		Regs: 112, FPValid: end, Slots: slots, PC: pc, SP: sp}
}

// Status32 lays out elf_prstatus for a machine whose long has 4 bytes; the
// registers may be wider (x32).
func Status32(pc, sp string, slots []Slot) *Status {
	end := 72 + size(slots)
	align := slots[0].Size
	return &Status{Size: (end + 4 + align - 1) &^ (align - 1), Signal: 12, PID: 24, UserTime: 40,
		Regs: 72, FPValid: end, Slots: slots, PC: pc, SP: sp}
}

// Slots lays registers of one size one after the other.
func Slots(size int, names ...string) []Slot {
	slots := make([]Slot, len(names))
	for i, n := range names {
		slots[i] = Slot{n, i * size, size}
	}
	return slots
}

// Numbered gives the names prefix+from … prefix+to.
func Numbered(prefix string, from, to int) []string {
	names := make([]string, 0, to-from+1)
	for i := from; i <= to; i++ {
		names = append(names, prefix+strconv.Itoa(i))
	}
	return names
}

func size(slots []Slot) int {
	last := slots[len(slots)-1]
	return last.Off + last.Size
}

// Slot finds a register by name.
func (s *Status) Slot(name string) (Slot, bool) {
	for _, r := range s.Slots {
		if r.Name == name {
			return r, true
		}
	}
	return Slot{}, false
}
