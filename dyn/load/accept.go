package load

import (
	"bytes"
	"debug/elf"
	"fmt"

	"elfwright/elffile"

	"golang.org/x/sys/unix"
)

// verdict is what a dynamic linker makes of a candidate.
type verdict struct {
	why   string // it is passed over, and the search goes on
	fatal string // the search ends in this error
	class bool   // it is passed over because it is of the other class
}

func (v verdict) ok() bool { return v.why == "" && v.fatal == "" }

// expected is what the objects of a process have in common.
type expected struct {
	elffile.Format
	machine elf.Machine
	flags   uint32
}

// accept is open_verify of glibc (elf/dl-load.c), with its order of tests and
// its words.
func (e *expected) accept(f *file) verdict {
	switch {
	case f.mode&unix.S_IFMT == unix.S_IFDIR:
		return verdict{fatal: "cannot read file data: Is a directory"}
	case f.mode&unix.S_IFMT != unix.S_IFREG:
		return verdict{fatal: fmt.Sprintf("not a regular file (st_mode 0%o)", f.mode)}
	case len(f.head) < e.EhdrSize():
		return verdict{fatal: fmt.Sprintf("file too short (%d bytes)", f.size)}
	}
	if v := e.acceptIdent(f.head); !v.ok() {
		return v
	}
	if f.elf == nil {
		return verdict{fatal: f.err.Error()}
	}
	h := &f.elf.Header
	switch {
	case h.Version != uint32(elf.EV_CURRENT):
		return verdict{fatal: "ELF file version does not match current one"}
	case !e.hosts(h):
		return verdict{why: "wrong machine (" + elffile.MachineName(h.Machine) + ")"}
	case h.Type != elf.ET_DYN && h.Type != elf.ET_EXEC:
		return verdict{fatal: "only ET_DYN and ET_EXEC can be loaded"}
	case int(h.Phentsize) != e.PhdrSize():
		return verdict{fatal: "ELF file's phentsize not the expected size"}
	case f.cut:
		return verdict{fatal: "cannot read file data: its program headers are past its end"}
	}
	return verdict{}
}

// acceptIdent looks at e_ident. Where anything in it is not as it should be, the
// class and the machine are asked for first, so that an object of a machine of
// the other byte order is passed over.
func (e *expected) acceptIdent(b []byte) verdict {
	if !elffile.IsELF(b) {
		return verdict{fatal: "invalid ELF header"}
	}
	if class := elf.Class(b[elf.EI_CLASS]); class != e.Class {
		return verdict{why: "wrong ELF class (" + class.String() + ")", class: true}
	}
	wrong := e.wrongIdent(b)
	if m := elf.Machine(e.U16(b[18:])); wrong != "" && m != e.machine {
		return verdict{why: "wrong machine (" + elffile.MachineName(m) + ") and " + wrong}
	}
	return verdict{fatal: wrong}
}

func (e *expected) wrongIdent(b []byte) string {
	abi, version := elf.OSABI(b[elf.EI_OSABI]), b[elf.EI_ABIVERSION]
	switch {
	case elf.Data(b[elf.EI_DATA]) != e.Data:
		return "ELF file data encoding not " + map[bool]string{true: "big-endian", false: "little-endian"}[e.Big()]
	case b[elf.EI_VERSION] != byte(elf.EV_CURRENT):
		return "ELF file version ident does not match current one"
	case abi != elf.ELFOSABI_NONE && abi != elf.ELFOSABI_LINUX:
		return "ELF file OS ABI invalid (" + elffile.OSABIName(e.machine, abi) + ")"
	// VALID_ELF_ABIVERSION of sysdeps/unix/sysv/linux/ldsodefs.h: less than
	// LIBC_ABI_MAX, which is 4.
	case version != 0 && (abi != elf.ELFOSABI_LINUX || version > 3):
		return fmt.Sprintf("ELF file ABI version invalid (%d)", version)
	case !bytes.Equal(b[elf.EI_PAD:elf.EI_NIDENT], make([]byte, elf.EI_NIDENT-elf.EI_PAD)):
		return "nonzero padding in e_ident"
	}
	return ""
}

// hosts is elf_machine_matches_host: the machine, and with some what e_flags say
// of floating-point numbers in registers.
func (e *expected) hosts(h *elffile.Header) bool {
	if h.Machine != e.machine {
		return false
	}
	const (
		rvFloatABI = 6 // EF_RISCV_FLOAT_ABI
		armSoft    = 0x200
		armHard    = 0x400
	)
	switch e.machine {
	case elf.EM_RISCV:
		return h.Flags&rvFloatABI == e.flags&rvFloatABI
	case elf.EM_ARM: // an object may say neither
		if e.flags&armHard != 0 {
			return h.Flags&armSoft == 0
		}
		return h.Flags&armHard == 0
	}
	return true
}

const noDynamic = "object file has no dynamic section"

// mappable is what _dl_map_object_from_fd wants of a file that it maps.
func mappable(f *file) (fatal string) {
	loads, dynamic := 0, false
	for i := range f.elf.Progs {
		switch f.elf.Progs[i].Type {
		case elf.PT_LOAD:
			loads++
		case elf.PT_DYNAMIC: // debug files have one without bytes
			dynamic = f.elf.Progs[i].Filesz > 0
		}
	}
	switch {
	case f.elf.Header.Type == elf.ET_EXEC:
		return "cannot dynamically load executable"
	case loads == 0:
		return "object file has no loadable segments"
	case !dynamic:
		return noDynamic
	}
	o, _ := f.read(true)
	if o.Flags1&elf.DF_1_PIE != 0 {
		return "cannot dynamically load position-independent executable"
	}
	return ""
}
