// Package core reads and writes the ELF core files of Linux: the threads of a
// process with their registers, its memory, its auxiliary vector and the files
// that it had mapped (fs/binfmt_elf.c, elf_core_dump; gdb's gcore writes the same).
//
// A [Core] is the same in both directions; [Read] makes one of a file, and
// [Core.Write] a file of one. What differs between machines is in a
// machine.Status.
package core

import (
	"debug/elf"
	"fmt"

	"elfwright/elffile"
)

// Types of notes (include/uapi/linux/elf.h).
const (
	ntPrstatus = 1
	ntFpregset = 2
	ntPrpsinfo = 3
	ntAuxv     = 6
	ntSiginfo  = 0x53494749
	ntFile     = 0x46494c45
)

// Core is what a core file tells of a process.
type Core struct {
	Name     string // of the file, for errors
	Info     Info
	Siginfo  []byte // of the signal that ended it, the kernel's siginfo_t
	Auxv     []byte
	Threads  []Thread // the first is the one that got the signal
	Files    []File
	Segments []Segment // by ascending address
	GDB      bool      // gdb's gcore wrote it, not Linux
}

// Info is struct elf_prpsinfo.
type Info struct {
	State, StateName, Zombie byte
	Nice                     int8
	Flags                    uint64
	UID, GID                 uint32
	PID, Parent              int32
	Group, Session           int32
	Name                     string // of the program, up to 15 bytes
	Args                     string // up to 79 bytes
}

// Thread is struct elf_prstatus and what follows it.
type Thread struct {
	TID, Parent    int32
	Group, Session int32
	Signal         int
	Pending, Mask  uint64 // sets of signals
	Regs           []byte // general registers
	Sets           []Set  // others, in the order of the file
}

// Set is a note with registers.
type Set struct {
	Owner string
	Type  uint32
	Data  []byte
}

// Set finds a note of registers, nil where there is none.
func (t *Thread) Set(typ uint32) []byte {
	for i := range t.Sets {
		if t.Sets[i].Type == typ {
			return t.Sets[i].Data
		}
	}
	return nil
}

// File is a mapping of a file (NT_FILE).
type File struct {
	Start, End uint64
	Off        uint64 // in the file, in bytes
	Name       string
}

// Segment is a mapping.
type Segment struct {
	Start, Size uint64
	Flags       elf.ProgFlag
	Stored      uint64 // how many bytes from the start on the core has
	Parts       []Part // what of them is not zero, in order; of a core that was read one
}

// End is the address behind it.
func (s *Segment) End() uint64 { return s.Start + s.Size }

// Part is a piece of a segment.
type Part struct {
	Start uint64
	Data  elffile.Data
}

func (c *Core) fault(what, field string, off int64, format string, args ...any) error {
	return &elffile.Error{File: c.Name, Struct: what, Field: field, Off: off, Msg: fmt.Sprintf(format, args...)}
}
