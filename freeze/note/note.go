// Package note is the note of a frozen file: what the process was, for those who
// look at the file. The thaw does not read it.
//
// The note has the owner "elfwright" and the type 0x467a; what it tells is a JSON
// document, a [Process]. A file of several processes has a note for each.
package note

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	"elfwright/elffile"
)

// What a note of a frozen process is known by.
const (
	Owner = "elfwright"
	Type  = 0x467a
)

// Version is that of what is written here.
const Version = 2

// Process is what the note tells.
type Process struct {
	Version int
	PID     int
	Parent  int
	Group   int
	Session int
	UID     int
	GID     int
	Exe     string
	CWD     string
	Umask   int // -1: not known
	Machine string
	Kernel  string
	PIDs    string      // the numbers that the thawed process has: "new", "keep", "ns"
	CPU     []string    `json:",omitempty"` // features that a processor must have
	XCR0    uint64      `json:",omitempty"` // and registers that the kernel must keep
	XSave   []Component `json:",omitempty"` // where in extended state its parts are
	Script  uint64      // address of the script
	VDSO    Range       // where in the script's data the kernel's code is that the process had
	Auxv    []byte
	Bounds  Bounds

	Threads     []Thread
	Maps        []Map
	Descriptors []Descriptor `json:",omitempty"`
	Limits      []Limit      `json:",omitempty"` // by RLIMIT_ number
	Actions     []Action     `json:",omitempty"` // of signals that have one
	Pending     []int        `json:",omitempty"` // signals for the process
	Timers      []string     `json:",omitempty"`
	Warnings    []string     `json:",omitempty"`
}

// Component is a part of extended state, by its bit in XCR0.
type Component struct{ Bit, Off, Size uint32 }

// Bounds are where the kernel says that the parts of a process are: starts and ends.
type Bounds struct {
	Code, Data, Brk, Args, Env [2]uint64
	Stack                      uint64
}

// Thread describes a thread.
type Thread struct {
	TID     int
	Comm    string
	Regs    []byte // as the general registers lie in NT_PRSTATUS
	Mask    uint64 // of signals
	Pending []int  `json:",omitempty"`
	Frame   uint64 // address of the signal frame from which it goes on
	State   Range  // of its extended state, as a signal frame has it
}

// Range is a piece of memory.
type Range struct{ Start, Size uint64 }

// Map describes a mapping.
type Map struct {
	Range
	Prot    uint32 // as p_flags
	Shared  bool   `json:",omitempty"`
	Off     uint64 `json:",omitempty"` // in the file that is mapped
	Name    string `json:",omitempty"`
	Deleted bool   `json:",omitempty"`
	Flags   string `json:",omitempty"` // VmFlags of proc_pid_smaps(5)
	Stored  []Run  `json:",omitempty"` // what of it is in the frozen file; other pages are zeros
	File    *File  `json:",omitempty"` // that has the pages which are not stored
}

// Run is memory that is in the frozen file.
type Run struct {
	Range
	At int64 // in the file
}

// File says which file a mapping needs.
type File struct {
	Size    int64
	BuildID []byte `json:",omitempty"`
}

// Descriptor describes a descriptor.
type Descriptor struct {
	N      int
	Link   string
	Flags  int
	Pos    int64
	Choice string `json:",omitempty"` // what the user said becomes of it
}

// Limit is a resource limit.
type Limit struct{ Cur, Max uint64 }

// Action is what a signal does.
type Action struct {
	Signal                         int
	Handler, Flags, Restorer, Mask uint64
}

// Encode writes the note.
func (p *Process) Encode() ([]byte, error) {
	desc, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	o := binary.LittleEndian
	name := append([]byte(Owner), 0)
	b := o.AppendUint32(nil, uint32(len(name)))
	b = o.AppendUint32(b, uint32(len(desc)))
	b = o.AppendUint32(b, Type)
	b = padded(append(b, name...))
	return padded(append(b, desc...)), nil
}

func padded(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// Decode reads what a note tells, and checks it against the size of the file that
// it stands in.
func Decode(desc []byte, size int64) (*Process, error) {
	p := new(Process)
	if err := json.Unmarshal(desc, p); err != nil {
		return nil, fault("", "%v", err)
	}
	if p.Version != Version {
		return nil, fault("Version", "%d is not %d, which is known here", p.Version, Version)
	}
	if len(p.Threads) == 0 {
		return nil, fault("Threads", "there are none")
	}
	end := uint64(0)
	for i := range p.Maps {
		m := &p.Maps[i]
		if m.Size == 0 || m.Start+m.Size < m.Start || m.Start < end {
			return nil, fault(fmt.Sprintf("Maps[%d]", i), "0x%x bytes at 0x%x, behind 0x%x, are no mapping", m.Size, m.Start, end)
		}
		end = m.Start + m.Size
		if err := m.check(i, size); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// check says whether what is stored of mapping i lies in it, in order, and in the
// file.
func (m *Map) check(i int, size int64) error {
	from := m.Start
	for j, r := range m.Stored {
		field := fmt.Sprintf("Maps[%d].Stored[%d]", i, j)
		if r.Size == 0 || r.Start < from || r.Start-m.Start >= m.Size || r.Size > m.Size-(r.Start-m.Start) {
			return fault(field, "0x%x bytes at 0x%x are not in [0x%x, 0x%x)", r.Size, r.Start, from, m.Start+m.Size)
		}
		if r.At < 0 || uint64(r.At) > uint64(size) || r.Size > uint64(size)-uint64(r.At) {
			return fault(field, "0x%x bytes at offset 0x%x are past the end of the file (0x%x)", r.Size, r.At, size)
		}
		from = r.Start + r.Size
	}
	return nil
}

func fault(field, format string, args ...any) error {
	return &elffile.Error{Struct: "note of a frozen process", Field: field, Off: -1, Msg: fmt.Sprintf(format, args...)}
}
