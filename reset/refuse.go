package reset

import (
	"debug/elf"

	"elfwright/elffile"
	"elfwright/machine"
	"elfwright/machine/all"
	"elfwright/reset/table"
)

// efArmBE8 is EF_ARM_BE8 (AAELF32, "ELF Header"): instructions are little-endian
// though data is not.
const efArmBE8 = 0x00800000

// refuse says no to files that cannot be made resettable, and returns the machine
// and its code, in the byte order of the file's instructions.
func refuse(f *elffile.File) (*machine.Machine, []byte, error) {
	m := all.Lookup(f.Header.Machine, f.Class)
	switch {
	case m == nil:
		return nil, nil, refusef(f, "%s: no code for a reset yet", elffile.MachineName(f.Header.Machine))
	case m.Reset == nil:
		return nil, nil, refusef(f, "%s: no code for a reset yet", m.Name)
	case !m.Allows(f.Data):
		return nil, nil, refusef(f, "%s has no programs in this byte order", m.Name)
	case f.Header.Type != elf.ET_EXEC && f.Header.Type != elf.ET_DYN:
		return nil, nil, refusef(f, "e_type 0x%x is no program's", uint16(f.Header.Type))
	case f.ProgErr != nil:
		return nil, nil, f.ProgErr
	}
	if t, err := table.Find(f); err != nil {
		return nil, nil, err
	} else if t != nil && t.Sel4 {
		return nil, nil, refusef(f, "program header %d is the table of sel4-reset: the program restores its memory itself; patch changes what it restores, and --update brings its copies up to date", t.Prog)
	} else if t != nil {
		return nil, nil, refusef(f, "it is resettable already: program header %d is the table; patch changes what it restores, and --update brings its copies up to date", t.Prog)
	}
	if err := refuseDynamic(f); err != nil {
		return nil, nil, err
	}
	if f.Header.Entry == 0 && f.Header.Type == elf.ET_DYN {
		return nil, nil, refusef(f, "e_entry is 0: a shared library is not started")
	}
	if i := loadWith(f, codeAddress(f, f.Header.Entry)); i < 0 || f.Progs[i].Flags&elf.PF_X == 0 {
		return nil, nil, refusef(f, "e_entry 0x%x is in no executable PT_LOAD", f.Header.Entry)
	}
	return m, code(f, m), nil
}

// refuseDynamic refuses programs that a dynamic linker starts: it runs before
// them, so that e_entry is not where they begin, and the data of libraries, and of
// the program that libraries have copied there, would stay as it is.
func refuseDynamic(f *elffile.File) error {
	for i := range f.Progs {
		if f.Progs[i].Type == elf.PT_INTERP {
			return refusef(f, "program header %d is PT_INTERP: a dynamic linker has changed the program and has loaded libraries before it starts, whose data a reset would leave as it is; link it statically", i)
		}
	}
	dyn, _ := f.Dynamic()
	if _, needs := dyn.Value(elf.DT_NEEDED); needs {
		return refusef(f, "it needs libraries (DT_NEEDED), whose data a reset would leave as it is; link it statically")
	}
	if _, named := dyn.Value(elf.DT_SONAME); named && f.Header.Type == elf.ET_DYN {
		return refusef(f, "it has a DT_SONAME: a shared library is not started")
	}
	return nil
}

// thumb says whether the program starts in Thumb (AAELF32, "Entry point address").
func thumb(f *elffile.File) bool {
	return f.Header.Machine == elf.EM_ARM && f.Header.Entry&1 != 0
}

// codeAddress is the address of the instruction that an entry point names.
func codeAddress(f *elffile.File, entry uint64) uint64 {
	if f.Header.Machine == elf.EM_ARM {
		return entry &^ 1
	}
	return entry
}

// code is the machine's code, in the byte order of the file's instructions.
func code(f *elffile.File, m *machine.Machine) []byte {
	code, unit := m.Reset, 4
	if thumb(f) {
		code, unit = m.ResetThumb, 2
	}
	b := append([]byte(nil), code...)
	if !littleCode(f) {
		for i := 0; i+unit <= len(b); i += unit {
			for k := range unit / 2 {
				b[i+k], b[i+unit-1-k] = b[i+unit-1-k], b[i+k]
			}
		}
	}
	return b
}

// littleCode says whether instructions are little-endian.
func littleCode(f *elffile.File) bool {
	m := all.Lookup(f.Header.Machine, f.Class)
	return f.Data == elf.ELFDATA2LSB || m.CodeLittle || f.Header.Machine == elf.EM_ARM && f.Header.Flags&efArmBE8 != 0
}

// loadWith returns the PT_LOAD that has an address, or -1.
func loadWith(f *elffile.File, vaddr uint64) int {
	for i := range f.Progs {
		if p := &f.Progs[i]; p.Type == elf.PT_LOAD && p.Vaddr <= vaddr && vaddr-p.Vaddr < p.Memsz {
			return i
		}
	}
	return -1
}
