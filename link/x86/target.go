package x86

import (
	"debug/elf"

	"elfwright/link/model"
	"elfwright/machine"
)

// kind is what a relocation type asks for.
type kind uint8

const (
	kUnknown kind = iota
	kNone
	kWord    // an address as wide as addresses are
	kNarrow  // an address in fewer bits
	kPC      // a distance
	kPLT     // a distance to a function, perhaps by the PLT
	kPLTOff  // the same, counted from the GOT
	kGOT     // where the GOT entry is
	kLoad    // the same, in an instruction that may do without
	kGOTBase // where the GOT is
	kGOTOff  // an address counted from the GOT
	kSize    // the symbol's size
	kGD      // TLS: general dynamic
	kLD      // local dynamic
	kDTPOff  // offset in the module's block
	kIE      // initial exec: a GOT entry with the offset from the thread pointer
	kIEKeep  // the same in an instruction that is not changed
	kLE      // local exec: the offset from the thread pointer
	kDesc    // a TLS descriptor
	kDescCall
	kRuntime // for loaders only
)

// target is one of the two machines.
type target struct {
	m     *machine.Machine
	wide  bool // x86-64
	kinds []kind
	rows  []*machine.Reloc // by type, as far as kinds reach
	far   int              // bytes in an address
	// The dynamic types.
	relative, irelative uint32
}

// New returns the target for amd64.Machine or i386.Machine, nil for another.
func New(m *machine.Machine) model.Target {
	t := &target{m: m, far: m.WordSize()}
	switch {
	case m.ELF == elf.EM_X86_64 && m.Class == elf.ELFCLASS64:
		t.wide, t.kinds, t.relative, t.irelative = true, kinds64, r64Relative, r64IRelative
	case m.ELF == elf.EM_386:
		t.kinds, t.relative, t.irelative = kinds32, r32Relative, r32IRelative
	default:
		return nil
	}
	t.rows = make([]*machine.Reloc, len(t.kinds))
	for i := range t.rows {
		t.rows[i] = m.Relocs.Lookup(uint32(i))
	}
	return t
}

func (t *target) Machine() *machine.Machine { return t.m }

// Relax has nothing to do.
func (t *target) Relax(*model.Env, int) bool { return false }

func (t *target) kind(typ uint32) kind {
	if int64(typ) < int64(len(t.kinds)) {
		return t.kinds[typ]
	}
	if row := t.m.Relocs.Lookup(typ); row != nil && row.Kind == machine.Marker {
		return kNone // R_X86_64_GNU_VTINHERIT and the like
	}
	return kUnknown
}

// name names a type that there may be no row for.
func (t *target) name(typ uint32) string {
	if n := t.m.Relocs.Name(typ); n != "" {
		return n
	}
	return "relocation type " + itoa(typ)
}

func itoa(n uint32) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}
