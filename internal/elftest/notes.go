package elftest

import "debug/elf"

// Note types (GNU: glibc elf.h; FDO: systemd's packaging metadata; CORE: Linux
// elfcore.h).
const (
	NT_GNU_ABI_TAG      = 1
	NT_GNU_BUILD_ID     = 3
	NT_GNU_PROPERTY     = 5
	NT_FDO_PACKAGING    = 0xcafe1a7e
	NT_STAPSDT          = 3
	NT_CORE_PRSTATUS    = 1
	NT_CORE_PRPSINFO    = 3
	NT_CORE_AUXV        = 6
	NT_CORE_SIGINFO     = 0x53494749
	NT_CORE_FILE        = 0x46494c45
	NT_CORE_X86_XSTATE  = 0x202
	PropertyX86Feature1 = 0xc0000002 // GNU_PROPERTY_X86_FEATURE_1_AND
	PropertyA64Feature1 = 0xc0000000 // GNU_PROPERTY_AARCH64_FEATURE_1_AND
)

// Note is one note. Name is stored with a NUL behind it unless it is empty.
type Note struct {
	Name string
	Type uint32
	Desc Content // nil means empty
}

// Notes is the content of a note section. Notes are padded to four bytes, and to
// eight in a 64-bit file if the first is a GNU property (gABI, Note Section, and
// the Linux gABI extension for properties).
type Notes []Note

func (c Notes) align(e *Env) uint64 {
	if e.Is64() && len(c) > 0 && c[0].Name == "GNU" && c[0].Type == NT_GNU_PROPERTY {
		return 8
	}
	return 4
}

// Encode returns the notes.
func (c Notes) Encode(e *Env) []byte {
	w := e.Writer()
	align := c.align(e)
	for _, n := range c {
		var name, desc []byte
		if n.Name != "" {
			name = append([]byte(n.Name), 0)
		}
		if n.Desc != nil {
			desc = n.Desc.Encode(e)
		}
		w.U32(uint32(len(name)))
		w.U32(uint32(len(desc)))
		w.U32(n.Type)
		w.Bytes(name)
		w.Align(align)
		w.Bytes(desc)
		w.Align(align)
	}
	return w.B
}

func (c Notes) wants(e *Env) wants { return wants{typ: elf.SHT_NOTE, align: c.align(e)} }

// BuildID is the note with the build identifier.
func BuildID(id ...byte) Note {
	return Note{Name: "GNU", Type: NT_GNU_BUILD_ID, Desc: Bytes(id)}
}

// ABITag is the note with the least kernel version; OS 0 is Linux.
func ABITag(os, major, minor, patch uint32) Note {
	return Note{Name: "GNU", Type: NT_GNU_ABI_TAG, Desc: Words{os, major, minor, patch}}
}

// Packaging is the note with packaging metadata in JSON.
func Packaging(json string) Note {
	b := append([]byte(json), 0)
	return Note{Name: "FDO", Type: NT_FDO_PACKAGING, Desc: Bytes(grow(b, alignUp(uint64(len(b)), 4), 0))}
}

// Property is one property of a GNU property note.
type Property struct {
	Type uint32
	Data Content
}

// GNUProperty is the note with program properties.
func GNUProperty(props ...Property) Note {
	return Note{Name: "GNU", Type: NT_GNU_PROPERTY, Desc: ContentFunc(func(e *Env) []byte {
		w := e.Writer()
		for _, p := range props {
			data := p.Data.Encode(e)
			w.U32(p.Type)
			w.U32(uint32(len(data)))
			w.Bytes(data)
			w.Align(e.Word())
		}
		return w.B
	})}
}

// Probe is a systemtap probe note (sys/sdt.h).
func Probe(pc, base, semaphore uint64, provider, name, args string) Note {
	return Note{Name: "stapsdt", Type: NT_STAPSDT, Desc: ContentFunc(func(e *Env) []byte {
		w := e.Writer()
		w.Addr(pc)
		w.Addr(base)
		w.Addr(semaphore)
		for _, s := range []string{provider, name, args} {
			w.Bytes(append([]byte(s), 0))
		}
		return w.B
	})}
}

// Auxv is the core note with the auxiliary vector: pairs of type and value,
// AT_NULL added.
func Auxv(pairs ...uint64) Note {
	return Note{Name: "CORE", Type: NT_CORE_AUXV, Desc: Addrs(append(pairs, 0, 0))}
}

// MappedFile is one mapping in a core file.
type MappedFile struct {
	Start, End uint64
	Page       uint64 // file offset in pages
	Name       string
}

// Files is the core note with the mapped files (Linux, fill_files_note).
func Files(pageSize uint64, list ...MappedFile) Note {
	return Note{Name: "CORE", Type: NT_CORE_FILE, Desc: ContentFunc(func(e *Env) []byte {
		w := e.Writer()
		w.Addr(uint64(len(list)))
		w.Addr(pageSize)
		for _, m := range list {
			w.Addr(m.Start)
			w.Addr(m.End)
			w.Addr(m.Page)
		}
		for _, m := range list {
			w.Bytes(append([]byte(m.Name), 0))
		}
		return w.B
	})}
}

// Prstatus is the core note with a thread's registers (Linux, struct
// elf_prstatus: signal information, times, then the registers as words).
func Prstatus(pid uint32, signal uint16, regs ...uint64) Note {
	return Note{Name: "CORE", Type: NT_CORE_PRSTATUS, Desc: ContentFunc(func(e *Env) []byte {
		w := e.Writer()
		w.U32(uint32(signal))
		w.U32(0) // si_code
		w.U32(0) // si_errno
		w.U16(signal)
		w.Align(e.Word())
		w.Addr(0) // pending signals
		w.Addr(0) // held signals
		for _, id := range []uint32{pid, 1, pid, pid} {
			w.U32(id)
		}
		for range 8 { // four times of two words
			w.Addr(0)
		}
		for _, r := range regs {
			w.Addr(r)
		}
		w.U32(0) // floating point registers are valid
		w.Align(e.Word())
		return w.B
	})}
}

// Prpsinfo is the core note with the process name and arguments (Linux, struct
// elf_prpsinfo; user and group have 16 bits on i386 and Arm, 32 on 64-bit
// machines).
func Prpsinfo(pid uint32, name, args string) Note {
	return Note{Name: "CORE", Type: NT_CORE_PRPSINFO, Desc: ContentFunc(func(e *Env) []byte {
		w := e.Writer()
		w.Bytes([]byte{0, 'R', 0, 0})
		w.Align(e.Word())
		w.Addr(0x400000) // flags
		if e.Is64() {
			w.U64(0) // user and group
		} else {
			w.U32(0)
		}
		for _, v := range []uint32{pid, 1, pid, pid} {
			w.U32(v)
		}
		field := func(s string, n int) {
			b := make([]byte, n)
			copy(b[:n-1], s)
			w.Bytes(b)
		}
		field(name, 16)
		field(args, 80)
		return w.B
	})}
}
