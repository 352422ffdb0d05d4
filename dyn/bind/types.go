package bind

import (
	"elfwright/dyn/load"
	"elfwright/machine"
)

// action is what a dynamic linker does with a type of relocation, as far as
// symbols go.
type action uint8

const (
	refused  action = iota // "unexpected reloc type"
	noSymbol               // its symbol is not looked at
	asPlain
	asPLT
	asCopy
)

func (a action) class() Class { return Class(a - asPlain) }

// typeRow is a type of relocation that a dynamic linker takes. The class of glibc
// is that of elf_machine_type_class; musl has two questions only, whether it is
// the machine's REL_PLT and whether its REL_COPY (do_relocs in ldso/dynlink.c).
type typeRow struct {
	name        string
	glibc, musl action
}

// typesOf are the rows of a machine, nil for one that is not known here.
func typesOf(m *machine.Machine) []typeRow {
	if m == nil {
		return nil
	}
	switch m.Name {
	case "x86-64":
		return x86Rows("R_X86_64_64")
	case "x32":
		return x86Rows("R_X86_64_32")
	case "i386":
		return i386Rows
	case "AArch64":
		return aarch64Rows
	case "AArch64 ILP32":
		return ilp32Rows
	case "ARM":
		return armRows
	case "RISC-V 64":
		return riscvRows("64")
	case "RISC-V 32":
		return riscvRows("32")
	}
	return nil
}

// glibc, elf_machine_rel in sysdeps/i386/dl-machine.h; musl, arch/i386/reloc.h.
var i386Rows = []typeRow{
	{"R_386_NONE", noSymbol, noSymbol},
	{"R_386_RELATIVE", noSymbol, noSymbol},
	{"R_386_32", asPlain, asPlain},
	{"R_386_PC32", asPlain, asPlain},
	{"R_386_GLOB_DAT", asPlain, asPlain},
	{"R_386_SIZE32", asPlain, refused},
	{"R_386_IRELATIVE", asPlain, refused},
	{"R_386_JUMP_SLOT", asPLT, asPLT},
	{"R_386_TLS_DTPMOD32", asPLT, asPlain},
	{"R_386_TLS_DTPOFF32", asPLT, asPlain},
	{"R_386_TLS_TPOFF", asPLT, asPlain},
	{"R_386_TLS_TPOFF32", asPLT, asPlain},
	{"R_386_TLS_DESC", asPLT, asPlain},
	{"R_386_COPY", asCopy, asCopy},
}

// glibc, sysdeps/aarch64/dl-machine.h; musl, arch/aarch64/reloc.h.
var aarch64Rows = []typeRow{
	{"R_AARCH64_NONE", noSymbol, noSymbol},
	{"R_AARCH64_RELATIVE", noSymbol, noSymbol},
	{"R_AARCH64_ABS64", asPlain, asPlain},
	{"R_AARCH64_ABS32", asPlain, refused},
	{"R_AARCH64_GLOB_DAT", asPlain, asPlain},
	{"R_AARCH64_IRELATIVE", asPlain, refused},
	{"R_AARCH64_JUMP_SLOT", asPLT, asPLT},
	{"R_AARCH64_TLS_DTPMOD64", asPLT, asPlain},
	{"R_AARCH64_TLS_DTPREL64", asPLT, asPlain},
	{"R_AARCH64_TLS_TPREL64", asPLT, asPlain},
	{"R_AARCH64_TLSDESC", asPLT, asPlain},
	{"R_AARCH64_COPY", asCopy, asCopy},
}
var ilp32Rows = []typeRow{
	{"R_AARCH64_NONE", noSymbol, refused},
	{"R_AARCH64_P32_RELATIVE", noSymbol, refused},
	{"R_AARCH64_P32_ABS32", asPlain, refused},
	{"R_AARCH64_P32_GLOB_DAT", asPlain, refused},
	{"R_AARCH64_P32_IRELATIVE", asPlain, refused},
	{"R_AARCH64_P32_JUMP_SLOT", asPLT, refused},
	{"R_AARCH64_P32_TLS_DTPMOD", asPLT, refused},
	{"R_AARCH64_P32_TLS_DTPREL", asPLT, refused},
	{"R_AARCH64_P32_TLS_TPREL", asPLT, refused},
	{"R_AARCH64_P32_TLSDESC", asPLT, refused},
	{"R_AARCH64_P32_COPY", asCopy, refused},
}

// glibc, sysdeps/arm/dl-machine.h; musl, arch/arm/reloc.h.
var armRows = []typeRow{
	{"R_ARM_NONE", noSymbol, noSymbol},
	{"R_ARM_RELATIVE", noSymbol, noSymbol},
	{"R_ARM_ABS32", asPlain, asPlain},
	{"R_ARM_PC24", asPlain, refused},
	{"R_ARM_GLOB_DAT", asPlain, asPlain},
	{"R_ARM_IRELATIVE", asPlain, refused},
	{"R_ARM_JUMP_SLOT", asPLT, asPLT},
	{"R_ARM_TLS_DTPMOD32", asPLT, asPlain},
	{"R_ARM_TLS_DTPOFF32", asPLT, asPlain},
	{"R_ARM_TLS_TPOFF32", asPLT, asPlain},
	{"R_ARM_TLS_DESC", asPLT, asPlain},
	{"R_ARM_COPY", asCopy, asCopy},
}

// x86Rows are those of elf_machine_rela in sysdeps/x86_64/dl-machine.h of glibc, and
// of arch/x86_64/reloc.h of musl.
func x86Rows(word string) []typeRow {
	list := []typeRow{
		{"R_X86_64_NONE", noSymbol, noSymbol},
		{"R_X86_64_RELATIVE", noSymbol, noSymbol},
		{"R_X86_64_RELATIVE64", noSymbol, refused},
		{"R_X86_64_64", asPlain, refused},
		{"R_X86_64_32", asPlain, refused},
		{"R_X86_64_PC32", asPlain, asPlain},
		{"R_X86_64_GLOB_DAT", asPlain, asPlain},
		{"R_X86_64_SIZE32", asPlain, refused},
		{"R_X86_64_SIZE64", asPlain, refused},
		{"R_X86_64_IRELATIVE", asPlain, refused},
		{"R_X86_64_JUMP_SLOT", asPLT, asPLT},
		{"R_X86_64_DTPMOD64", asPLT, asPlain},
		{"R_X86_64_DTPOFF64", asPLT, asPlain},
		{"R_X86_64_TPOFF64", asPLT, asPlain},
		{"R_X86_64_TLSDESC", asPLT, asPlain},
		{"R_X86_64_COPY", asCopy, asCopy},
	}
	for i := range list {
		if list[i].name == word {
			list[i].musl = asPlain
		}
	}
	return list
}

// riscvRows are those of sysdeps/riscv/dl-machine.h of glibc, which looks every
// symbol up before it looks at the type, and of arch/riscv64/reloc.h of musl.
// TLSDESC came with glibc 2.41 and musl 1.2.6.
func riscvRows(bits string) []typeRow {
	return []typeRow{
		{"R_RISCV_NONE", asPlain, noSymbol},
		{"R_RISCV_RELATIVE", asPlain, noSymbol},
		{"R_RISCV_" + bits, asPlain, asPlain},
		{"R_RISCV_IRELATIVE", asPlain, refused},
		{"R_RISCV_JUMP_SLOT", asPLT, asPLT},
		{"R_RISCV_TLS_DTPMOD" + bits, asPLT, asPlain},
		{"R_RISCV_TLS_DTPREL" + bits, asPLT, asPlain},
		{"R_RISCV_TLS_TPREL" + bits, asPLT, asPlain},
		{"R_RISCV_TLSDESC", asPLT, asPlain},
		{"R_RISCV_COPY", asCopy, asCopy},
	}
}

// actions are the rows of a machine by the number of the type.
type actions struct {
	list []action
	slot uint32 // JUMP_SLOT, which may be bound when it is first called
	m    *machine.Machine
}

func newActions(m *machine.Machine, p *load.Process) *actions {
	a := &actions{m: m}
	for _, r := range typesOf(m) {
		row := m.Relocs.ByName(r.name)
		if row == nil {
			panic("bind: " + m.Name + " has no relocation " + r.name)
		}
		for len(a.list) <= int(row.Type) {
			a.list = append(a.list, refused)
		}
		act := r.glibc
		switch {
		case p.Libc == load.Musl:
			act = r.musl
		case r.name == "R_RISCV_TLSDESC" && p.Version != load.Version{} && p.Version.Before(2, 41):
			act = refused
		}
		a.list[row.Type] = act
		if r.glibc == asPLT && a.slot == 0 { // the first of the rows of that class
			a.slot = row.Type
		}
	}
	return a
}

func (a *actions) of(typ uint32) action {
	if uint64(typ) < uint64(len(a.list)) {
		return a.list[typ]
	}
	return refused
}
