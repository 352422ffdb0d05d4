package aarch64

import (
	"debug/elf"
	"strconv"
	"sync"
	"sync/atomic"

	"elfwright/link/model"
	"elfwright/machine"
)

// target is the machine in one link.
type target struct {
	m    *machine.Machine
	rows [knownTypes]*machine.Reloc

	veneers
	// anywhere is set by Scan when a branch leads to a fixed address, which may be
	// far from all code.
	anywhere atomic.Bool

	pltOnce sync.Once
	plt     model.PLT
}

// New returns the target for aarch64.Machine, nil for another. It serves one link.
func New(m *machine.Machine) model.Target {
	if m.ELF != elf.EM_AARCH64 || m.Class != elf.ELFCLASS64 {
		return nil
	}
	t := &target{m: m}
	for i := range t.rows {
		t.rows[i] = m.Relocs.Lookup(uint32(i))
	}
	return t
}

func (t *target) Machine() *machine.Machine { return t.m }

// name names a type that there may be no row for.
func (t *target) name(typ uint32) string {
	if n := t.m.Relocs.Name(typ); n != "" {
		return n
	}
	return "relocation type " + strconv.FormatUint(uint64(typ), 10)
}
