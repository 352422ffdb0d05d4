package saved

import (
	"bytes"
	"debug/elf"
	"strings"

	"elfwright/elffile"
	"elfwright/freeze/core"
	"elfwright/freeze/note"
	"elfwright/machine"
)

// Part is memory of a process that is at hand.
type Part struct {
	Start uint64
	Data  elffile.Data
}

// New makes a process of what is known of it: of one that lives. The states are
// those of the threads, the parts by address.
func New(n *note.Process, m *machine.Machine, states [][]byte, parts []Part) *Process {
	p := &Process{Process: n, Machine: m, states: states, files: make(map[string]*file)}
	for _, part := range parts {
		p.pieces = append(p.pieces, piece{part.Start, part.Data})
	}
	return p
}

// AsCore makes a core of the process. As in those of Linux, mappings without
// contents have none, and others are whole, with zeros for what nobody wrote.
func (p *Process) AsCore() *core.Core {
	c := &core.Core{
		Auxv: p.Auxv, Siginfo: make([]byte, 128), // the size of siginfo_t: no signal has ended it
		Info: core.Info{
			StateName: 'R', UID: uint32(p.UID), GID: uint32(p.GID), PID: int32(p.PID), Parent: int32(p.Parent), Group: int32(p.Group), Session: int32(p.Session),
			Name: p.Threads[0].Comm, Args: p.arguments(),
		},
	}
	pending := set(p.Pending)
	for i := range p.Threads {
		t := &p.Threads[i]
		c.Threads = append(c.Threads, core.Thread{
			TID: int32(t.TID), Parent: int32(p.Parent), Group: int32(p.Group), Session: int32(p.Session),
			Pending: pending | set(t.Pending), Mask: t.Mask, Regs: t.Regs, Sets: p.sets(i),
		})
	}
	pieces := p.pieces
	for i := range p.Maps {
		m := &p.Maps[i]
		if m.Start >= userEnd {
			continue
		}
		s := core.Segment{Start: m.Start, Size: m.Size, Flags: elf.ProgFlag(m.Prot)}
		for ; len(pieces) > 0 && pieces[0].start < m.Start+m.Size; pieces = pieces[1:] {
			s.Parts = append(s.Parts, core.Part{Start: pieces[0].start, Data: pieces[0].data})
			s.Stored = m.Size
		}
		c.Segments = append(c.Segments, s)
		if strings.HasPrefix(m.Name, "/") {
			name := m.Name
			if m.Deleted {
				name += " (deleted)"
			}
			c.Files = append(c.Files, core.File{Start: m.Start, End: m.Start + m.Size, Off: m.Off, Name: name})
		}
	}
	return c
}

// sets are the registers that follow the general ones.
func (p *Process) sets(i int) (out []core.Set) {
	state := p.states[i]
	if p.Machine.ELF == elf.EM_AARCH64 && state != nil {
		return []core.Set{{Owner: "CORE", Type: ntFpregset, Data: state}}
	}
	if p.Machine.ELF != elf.EM_X86_64 || state == nil {
		return nil
	}
	const fxsave, soft = 512, 464
	if len(state) >= fxsave {
		// What the kernel gives as NT_FPREGSET is the start of the other, without the
		// bytes for software.
		fp := bytes.Clone(state[:fxsave])
		clear(fp[soft:])
		out = append(out, core.Set{Owner: "CORE", Type: ntFpregset, Data: fp})
	}
	if len(state) > fxsave {
		out = append(out, core.Set{Owner: "LINUX", Type: ntXstate, Data: state})
	}
	return out
}

// arguments are the words that the program was started with, in a line.
func (p *Process) arguments() string {
	from, to := p.Bounds.Args[0], p.Bounds.Args[1]
	const most = 79 // what a core has room for
	if to <= from {
		return ""
	}
	b := make([]byte, min(to-from, most))
	n, _ := p.ReadAt(b, int64(from))
	return strings.TrimRight(string(bytes.ReplaceAll(b[:n], []byte{0}, []byte{' '})), " ")
}

// set makes a set of signals of their numbers.
func set(signals []int) (out uint64) {
	for _, n := range signals {
		if n >= 1 && n <= 64 {
			out |= 1 << (n - 1)
		}
	}
	return out
}
