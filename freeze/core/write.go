package core

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"

	"elfwright/elffile"
	"elfwright/machine"
)

// page is that of the files' offsets and of segments.
const page = 0x1000

// Write lays out a core file for a machine of 64 bits.
func (c *Core) Write(m *machine.Machine) (*elffile.Body, error) {
	if m.Class != elf.ELFCLASS64 || m.Status == nil {
		return nil, fmt.Errorf("%s: cores of it are not written", m.Name)
	}
	format := elffile.Format{Class: m.Class, Data: m.Orders[0]}
	notes, err := c.notes(format, m)
	if err != nil {
		return nil, err
	}
	f := &elffile.File{Name: "core", Format: format, Progs: make([]elffile.Prog, 1+len(c.Segments))}
	f.Header = elffile.Header{Type: elf.ET_CORE, Machine: m.ELF, Version: 1, Phoff: uint64(format.EhdrSize()), Ehsize: uint16(format.EhdrSize()), Phentsize: uint16(format.PhdrSize())}
	copy(f.Header.Ident[:], elf.ELFMAG)
	f.Header.Ident[elf.EI_CLASS], f.Header.Ident[elf.EI_DATA], f.Header.Ident[elf.EI_VERSION] = byte(m.Class), byte(m.Orders[0]), 1
	at := f.Header.Phoff + uint64(len(f.Progs)*format.PhdrSize())
	if len(f.Progs) >= elffile.PnXnum {
		// gABI, e_phnum: the number is in section header 0. Linux puts it at the end;
		// here it is before the notes.
		f.SetSections([]elffile.Section{{Info: uint32(len(f.Progs))}})
		f.Header.Shoff, f.Header.Shentsize, f.Header.Shnum, f.Header.Phnum = at, uint16(format.ShdrSize()), 1, elffile.PnXnum
		at += uint64(format.ShdrSize())
	} else {
		f.Header.Phnum = uint16(len(f.Progs))
	}
	f.Progs[0] = elffile.Prog{Type: elf.PT_NOTE, Off: at, Filesz: uint64(len(notes)), Align: 4}
	f.Body = elffile.NewBody(elffile.Buffer(nil))
	f.Body.Put(int64(at), elffile.Buffer(notes))
	end := (at + uint64(len(notes)) + page - 1) &^ (page - 1)
	for i := range c.Segments {
		end = c.put(f, i, end)
	}
	if int64(end) > f.Body.Size() {
		f.Body.Truncate(int64(end))
	}
	return f.Encode(), nil
}

// put gives segment i its place in the file, and returns where the next one goes.
func (c *Core) put(f *elffile.File, i int, off uint64) uint64 {
	s := &c.Segments[i]
	f.Progs[1+i] = elffile.Prog{Type: elf.PT_LOAD, Flags: s.Flags, Off: off, Vaddr: s.Start, Filesz: s.Stored, Memsz: s.Size, Align: page}
	for _, p := range s.Parts {
		f.Body.Put(int64(off+p.Start-s.Start), p.Data)
	}
	return (off + s.Stored + page - 1) &^ (page - 1)
}

// notes writes them in the order of the kernel: what gdb reads of a thread follows
// its NT_PRSTATUS.
func (c *Core) notes(f elffile.Format, m *machine.Machine) ([]byte, error) {
	w := &noteWriter{Format: f}
	for i := range c.Threads {
		t := &c.Threads[i]
		b, err := t.status(f, m)
		if err != nil {
			return nil, err
		}
		w.add("CORE", ntPrstatus, b)
		if i == 0 {
			w.add("CORE", ntPrpsinfo, c.Info.encode(f))
			if c.Siginfo != nil {
				w.add("CORE", ntSiginfo, c.Siginfo)
			}
			w.add("CORE", ntAuxv, c.Auxv)
			w.add("CORE", ntFile, c.files(f))
		}
		for _, s := range t.Sets {
			w.add(s.Owner, s.Type, s.Data)
		}
	}
	return w.b, nil
}

type noteWriter struct {
	elffile.Format
	b []byte
}

func (w *noteWriter) add(owner string, typ uint32, desc []byte) {
	o := w.Order().(binary.AppendByteOrder)
	name := append([]byte(owner), 0)
	w.b = o.AppendUint32(w.b, uint32(len(name)))
	w.b = o.AppendUint32(w.b, uint32(len(desc)))
	w.b = o.AppendUint32(w.b, typ)
	for _, part := range [][]byte{name, desc} {
		w.b = append(w.b, part...)
		for len(w.b)%4 != 0 {
			w.b = append(w.b, 0)
		}
	}
}

// status writes struct elf_prstatus.
func (t *Thread) status(f elffile.Format, m *machine.Machine) ([]byte, error) {
	l := m.Status
	if len(t.Regs) != l.FPValid-l.Regs {
		return nil, fmt.Errorf("thread %d: %d bytes of registers; %s has %d", t.TID, len(t.Regs), m.Name, l.FPValid-l.Regs)
	}
	b := make([]byte, l.Size)
	f.PutU32(b, uint32(t.Signal)) // pr_info.si_signo
	f.PutU16(b[l.Signal:], uint16(t.Signal))
	f.PutAddr(b[l.Signal+4:], t.Pending)
	f.PutAddr(b[l.Signal+4+f.AddrSize():], t.Mask)
	for i, v := range []int32{t.TID, t.Parent, t.Group, t.Session} {
		f.PutU32(b[l.PID+4*i:], uint32(v))
	}
	copy(b[l.Regs:], t.Regs)
	if t.Set(ntFpregset) != nil {
		f.PutU32(b[l.FPValid:], 1)
	}
	return b, nil
}

// Where the fields of struct elf_prpsinfo are that follow pr_flag, on a machine of
// 64 bits, and how long its texts are.
const (
	infoIDs  = 16
	infoName = 40
	infoArgs = 56
	infoSize = 136
)

func (p *Info) encode(f elffile.Format) []byte {
	b := make([]byte, infoSize)
	b[0], b[1], b[2], b[3] = p.State, p.StateName, p.Zombie, byte(p.Nice)
	f.PutU64(b[8:], p.Flags)
	for i, v := range []uint32{p.UID, p.GID, uint32(p.PID), uint32(p.Parent), uint32(p.Group), uint32(p.Session)} {
		f.PutU32(b[infoIDs+4*i:], v)
	}
	copy(b[infoName:infoArgs-1], p.Name)
	copy(b[infoArgs:infoSize-1], p.Args)
	return b
}

// files writes NT_FILE: the number of entries, the size of a page, for each start,
// end and offset in pages, then the names.
func (c *Core) files(f elffile.Format) []byte {
	b := make([]byte, f.AddrSize()*(2+3*len(c.Files)))
	f.PutAddr(b, uint64(len(c.Files)))
	f.PutAddr(b[f.AddrSize():], page)
	var names bytes.Buffer
	for i := range c.Files {
		e := &c.Files[i]
		for j, v := range []uint64{e.Start, e.End, e.Off / page} {
			f.PutAddr(b[f.AddrSize()*(2+3*i+j):], v)
		}
		names.WriteString(e.Name)
		names.WriteByte(0)
	}
	return append(b, names.Bytes()...)
}
