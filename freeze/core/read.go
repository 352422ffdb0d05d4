package core

import (
	"bytes"
	"cmp"
	"debug/elf"
	"errors"
	"fmt"
	"slices"

	"elfwright/elffile"
	"elfwright/machine"
)

// Read reads a core file of a machine of 64 bits.
func Read(f *elffile.File, m *machine.Machine) (*Core, error) {
	c := &Core{Name: f.Name}
	switch {
	case f.Header.Type != elf.ET_CORE:
		return nil, c.fault("ELF header", "e_type", 16, "%s is not that of a core file", elffile.TypeName(f.Header.Type))
	case m == nil || m.Status == nil || !f.Is64():
		return nil, c.fault("ELF header", "e_machine", 18, "cores of %s are not read", elffile.MachineName(f.Header.Machine))
	case f.ProgErr != nil:
		return nil, f.ProgErr
	}
	for i := range f.Progs {
		var err error
		switch p := &f.Progs[i]; p.Type {
		case elf.PT_NOTE:
			err = c.readNotes(f, i, m)
		case elf.PT_LOAD:
			err = c.segment(f, i)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(c.Threads) == 0 {
		return nil, c.fault("notes", "", -1, "no thread is among them (NT_PRSTATUS)")
	}
	return c, c.order()
}

// segment takes a PT_LOAD. What the file lacks because it is cut off is missing.
func (c *Core) segment(f *elffile.File, i int) error {
	p := &f.Progs[i]
	if p.Memsz == 0 {
		return nil
	}
	if p.Vaddr%page != 0 || p.Vaddr+p.Memsz < p.Vaddr || p.Filesz > p.Memsz {
		return f.ProgError(i, "p_vaddr", "0x%x bytes, 0x%x of them in the file, at 0x%x are no mapping", p.Memsz, p.Filesz, p.Vaddr)
	}
	size := uint64(f.Body.Size())
	if p.Off > size || p.Filesz > size-p.Off {
		return f.ProgError(i, "p_offset", "0x%x + p_filesz 0x%x is past the end of the file (0x%x); the core is cut off", p.Off, p.Filesz, size)
	}
	s := Segment{Start: p.Vaddr, Size: (p.Memsz + page - 1) &^ (page - 1), Flags: p.Flags, Stored: p.Filesz}
	if p.Filesz > 0 {
		s.Parts = []Part{{p.Vaddr, f.Body.Window(int64(p.Off), int64(p.Filesz))}}
	}
	c.Segments = append(c.Segments, s)
	return nil
}

// order sorts the segments and refuses those that overlap.
func (c *Core) order() error {
	slices.SortStableFunc(c.Segments, func(a, b Segment) int { return cmp.Compare(a.Start, b.Start) })
	for i := 1; i < len(c.Segments); i++ {
		if a, b := &c.Segments[i-1], &c.Segments[i]; a.End() > b.Start {
			return c.fault("segments", "", -1, "[0x%x, 0x%x) and [0x%x, 0x%x) overlap", a.Start, a.End(), b.Start, b.End())
		}
	}
	return nil
}

func (c *Core) readNotes(f *elffile.File, prog int, m *machine.Machine) error {
	notes, err := f.ProgNotes(prog)
	if err != nil {
		return err
	}
	for i := range notes {
		if err := c.note(f.Format, &notes[i], m); err != nil {
			if e, ok := errors.AsType[*elffile.Error](err); ok {
				return e
			}
			return c.fault(fmt.Sprintf("note %d of program header %d", i, prog), "", notes[i].Off, "%v", err)
		}
	}
	return nil
}

func (c *Core) note(f elffile.Format, n *elffile.Note, m *machine.Machine) (err error) {
	switch {
	case n.Name == "GDB":
		c.GDB = true
	case n.Name == "CORE" && n.Type == ntPrstatus:
		return c.thread(f, n.Desc, m.Status)
	case n.Name == "CORE" && n.Type == ntPrpsinfo:
		return c.Info.decode(f, n.Desc)
	case n.Name == "CORE" && n.Type == ntSiginfo:
		c.Siginfo = n.Desc
	case n.Name == "CORE" && n.Type == ntAuxv:
		c.Auxv = n.Desc
	case n.Name == "CORE" && n.Type == ntFile:
		c.Files, err = readFiles(f, n.Desc)
	case (n.Name == "CORE" || n.Name == "LINUX") && len(c.Threads) > 0:
		t := &c.Threads[len(c.Threads)-1]
		t.Sets = append(t.Sets, Set{n.Name, n.Type, n.Desc})
	}
	return err
}

func (c *Core) thread(f elffile.Format, b []byte, l *machine.Status) error {
	if len(b) < l.FPValid {
		return fmt.Errorf("NT_PRSTATUS of %d bytes; the registers reach to %d", len(b), l.FPValid)
	}
	id := func(i int) int32 { return int32(f.U32(b[l.PID+4*i:])) }
	c.Threads = append(c.Threads, Thread{
		TID: id(0), Parent: id(1), Group: id(2), Session: id(3), Signal: int(f.U16(b[l.Signal:])),
		Pending: f.Addr(b[l.Signal+4:]), Mask: f.Addr(b[l.Signal+4+f.AddrSize():]), Regs: b[l.Regs:l.FPValid],
	})
	return nil
}

func (p *Info) decode(f elffile.Format, b []byte) error {
	if len(b) < infoSize {
		return fmt.Errorf("NT_PRPSINFO of %d bytes, not %d", len(b), infoSize)
	}
	u := func(i int) uint32 { return f.U32(b[infoIDs+4*i:]) }
	*p = Info{
		State: b[0], StateName: b[1], Zombie: b[2], Nice: int8(b[3]), Flags: f.U64(b[8:]), UID: u(0), GID: u(1), PID: int32(u(2)), Parent: int32(u(3)),
		Group: int32(u(4)), Session: int32(u(5)), Name: text(b[infoName:infoArgs]), Args: text(b[infoArgs:infoSize]),
	}
	return nil
}

// text is the string in a field: up to a NUL or its end.
func text(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return string(b)
}

func readFiles(f elffile.Format, b []byte) ([]File, error) {
	word := uint64(f.AddrSize())
	if uint64(len(b)) < 2*word {
		return nil, fmt.Errorf("NT_FILE of %d bytes has no head", len(b))
	}
	n, unit := f.Addr(b), f.Addr(b[word:])
	rest := b[2*word:]
	if n > uint64(len(rest))/(3*word) {
		return nil, fmt.Errorf("NT_FILE of %d bytes has no room for %d entries", len(b), n)
	}
	names := rest[3*word*n:]
	out := make([]File, n)
	for i := range out {
		e := &out[i]
		e.Start, e.End, e.Off = f.Addr(rest), f.Addr(rest[word:]), f.Addr(rest[2*word:])
		if e.End <= e.Start || unit == 0 || e.Off > ^uint64(0)/unit {
			return nil, fmt.Errorf("NT_FILE, entry %d: [0x%x, 0x%x) at page 0x%x of 0x%x bytes is no mapping", i, e.Start, e.End, e.Off, unit)
		}
		e.Off *= unit
		name, next, ok := bytes.Cut(names, []byte{0})
		if !ok {
			return nil, fmt.Errorf("NT_FILE, entry %d: has no name", i)
		}
		e.Name, names, rest = string(name), next, rest[3*word:]
	}
	return out, nil
}

// Mapped finds what file is mapped at an address.
func (c *Core) Mapped(addr uint64) *File {
	for i := range c.Files {
		if e := &c.Files[i]; addr >= e.Start && addr < e.End {
			return e
		}
	}
	return nil
}
