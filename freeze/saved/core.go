package saved

import (
	"debug/elf"
	"encoding/binary"
	"strings"

	"elfwright/freeze/core"
	"elfwright/freeze/note"
	"elfwright/machine"
)

const (
	ntFpregset = 2
	ntXstate   = 0x202 // NT_X86_XSTATE

	atPhdr, atEntry, atSysinfoEhdr, atExecfn = 3, 9, 33, 31
)

// userEnd is where memory of processes ends on machines of 64 bits; above it cores
// have what the kernel shows to all.
const userEnd = 1 << 56

// fromCore makes a process of a core. What is not stored of a mapping and not of a
// file are zeros.
func fromCore(c *core.Core, m *machine.Machine) (*Process, error) {
	n := &note.Process{
		PID: int(c.Info.PID), Parent: int(c.Info.Parent), Group: int(c.Info.Group), Session: int(c.Info.Session), UID: int(c.Info.UID), GID: int(c.Info.GID),
		Umask: -1, Machine: m.Name, Auxv: c.Auxv,
	}
	p := &Process{Process: n, Machine: m, Core: c, files: make(map[string]*file)}
	vdso, _ := p.Aux(atSysinfoEhdr)
	for i := range c.Segments {
		s := &c.Segments[i]
		if s.Start >= userEnd {
			continue
		}
		n.Maps = append(n.Maps, coreMap(c, s, vdso))
		for _, part := range s.Parts {
			p.pieces = append(p.pieces, piece{part.Start, part.Data})
		}
	}
	p.kernelData(vdso)
	added := p.addFiles(c)
	for i := range c.Threads {
		t := &c.Threads[i]
		n.Threads = append(n.Threads, note.Thread{TID: int(t.TID), Comm: c.Info.Name, Regs: t.Regs, Mask: t.Mask, Pending: members(t.Pending)})
		state := t.Set(ntXstate)
		if state == nil {
			state = t.Set(ntFpregset)
		}
		p.states = append(p.states, state)
	}
	if entry, ok := p.Aux(atEntry); ok {
		if at := p.Map(entry); at != nil {
			n.Exe = at.Name
		}
	}
	p.checkFiles(added)
	return p, nil
}

// coreMap describes a mapping of a core.
func coreMap(c *core.Core, s *core.Segment, vdso uint64) note.Map {
	m := note.Map{Range: note.Range{Start: s.Start, Size: s.Size}, Prot: uint32(s.Flags)}
	if s.Stored > 0 {
		m.Stored = []note.Run{{Range: note.Range{Start: s.Start, Size: s.Stored}}}
	}
	f := c.Mapped(s.Start)
	switch {
	case f != nil:
		m.Off = f.Off + s.Start - f.Start
		m.Name, m.Deleted = strings.CutSuffix(f.Name, " (deleted)")
		if s.Stored < s.Size {
			m.File = &note.File{}
		}
	case s.Start == vdso:
		m.Name = vdsoName
	}
	return m
}

// kernelData names the mappings that end where the vDSO begins: the kernel's data.
// What cores have of it is of then, and of no use.
func (p *Process) kernelData(vdso uint64) {
	const most = 16 << 12 // bytes: the kernels that there are have 4 to 8 pages
	end := vdso
	for i := len(p.Maps) - 1; i >= 0; i-- {
		m := &p.Maps[i]
		if m.Start+m.Size == end && m.Name == "" && m.Prot == uint32(elf.PF_R) && vdso-m.Start <= most {
			m.Name, end = "[vvar]", m.Start
		}
	}
}

// checkFiles notes the build IDs of the files whose pages are not in the core, as
// far as the core has them: Linux writes the first page of each ELF file.
func (p *Process) checkFiles(added []*note.Map) {
	p.storedOnly = true
	defer func() { p.storedOnly = false }()
	ids := make(map[string][]byte)
	for _, m := range p.Modules() {
		ids[m.Name] = m.BuildID
	}
	p.protect(added)
	for i := range p.Maps {
		if m := &p.Maps[i]; m.File != nil {
			m.File.BuildID = ids[m.Name]
		}
	}
	p.modules = nil // those without a page in the core are found in their files from now on
}

// members are the numbers of the signals in a set.
func members(set uint64) (out []int) {
	for n := 1; n <= 64; n++ {
		if set>>(n-1)&1 != 0 {
			out = append(out, n)
		}
	}
	return out
}

// Aux finds an entry of the auxiliary vector.
func (p *Process) Aux(tag uint64) (uint64, bool) {
	for b := p.Auxv; len(b) >= 16; b = b[16:] {
		if binary.LittleEndian.Uint64(b) == tag {
			return binary.LittleEndian.Uint64(b[8:]), true
		}
	}
	return 0, false
}
