package freeze

import (
	"encoding/binary"
	"encoding/json"
)

// The note of a frozen file: owner "elfwright", type noteFrozen, a JSON document
// with what the process was.
const (
	noteOwner  = "elfwright"
	noteFrozen = 0x467a
)

// note writes it.
func (c *compiler) note() ([]byte, error) {
	desc, err := json.Marshal(c.describe())
	if err != nil {
		return nil, err
	}
	o := binary.LittleEndian
	name := append([]byte(noteOwner), 0)
	b := o.AppendUint32(nil, uint32(len(name)))
	b = o.AppendUint32(b, uint32(len(desc)))
	b = o.AppendUint32(b, noteFrozen)
	b = padded(append(b, name...))
	return padded(append(b, desc...)), nil
}

func padded(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// Description is what the note tells.
type Description struct {
	Version     int
	PID         int
	Exe         string
	Machine     string
	Kernel      string
	CWD         string
	PIDs        PIDs
	Script      uint64 // address of the script
	Threads     []ThreadNote
	Maps        []MapNote
	Descriptors []DescriptorNote
	Warnings    []string `json:",omitempty"`
}

// ThreadNote describes a thread.
type ThreadNote struct {
	TID   int
	Comm  string
	Frame uint64 // address of its signal frame, in which its registers are
	PC    uint64
	SP    uint64
}

// MapNote describes a mapping.
type MapNote struct {
	Line  string // as /proc/PID/maps has it, without device and inode
	Flags string `json:",omitempty"`
}

// DescriptorNote describes a descriptor.
type DescriptorNote struct {
	N      int
	Link   string
	Flags  int
	Pos    int64
	Choice string `json:",omitempty"` // what the user said
}

func (c *compiler) describe() *Description {
	s := c.s
	d := &Description{Version: 1, PID: s.PID, Exe: s.Exe, Machine: s.Machine, Kernel: s.Kernel, CWD: s.CWD.Path, PIDs: c.opt.PIDs, Script: uint64(c.stubAt.Start) + page, Warnings: c.warnings}
	for i := range s.Threads {
		t := &s.Threads[i]
		d.Threads = append(d.Threads, ThreadNote{TID: t.TID, Comm: t.Comm, PC: t.Regs.PC(), SP: t.Regs.SP()})
	}
	for i := range s.Maps {
		m := &s.Maps[i]
		n := MapNote{Line: m.Line()}
		for _, f := range m.Flags {
			n.Flags += f + " "
		}
		d.Maps = append(d.Maps, n)
	}
	for i := range s.Descriptors {
		f := &s.Descriptors[i]
		d.Descriptors = append(d.Descriptors, DescriptorNote{f.N, f.Link, f.Flags, f.Pos, c.opt.FDs[f.N]})
	}
	return d
}
