package show

import (
	"fmt"

	"elfwright/elffile"
	"elfwright/machine"
)

// Types of notes in the core files of Linux (include/uapi/linux/elf.h).
const (
	ntPrstatus = 1
	ntPrpsinfo = 3
	ntAuxv     = 6
	ntSiginfo  = 0x53494749
	ntFile     = 0x46494c45
)

// coreNote decodes a note that Linux writes into a core file (fs/binfmt_elf.c,
// fill_note_info).
func (c *noteContext) coreNote(n *elffile.Note) (row, error) {
	r := &fieldReader{Format: c.Format, b: n.Desc}
	switch n.Type {
	case ntPrstatus:
		return c.prstatus(r)
	case ntPrpsinfo:
		return c.prpsinfo(r)
	case ntAuxv:
		return c.auxv(r)
	case ntSiginfo:
		return c.siginfo(r)
	case ntFile:
		return mappedFiles(r)
	}
	if c.mach != nil {
		for i := range c.mach.RegSets {
			s := &c.mach.RegSets[i]
			if uint32(s.Note) == n.Type && s.Owner == n.Name && len(s.Slots) > 0 {
				return c.registerSet(n.Desc, s.Name, s.Slots)
			}
		}
	}
	return nil, nil
}

// prstatus is struct elf_prstatus (Linux, include/linux/elfcore.h): why and how
// a thread stopped, its times, and its general registers.
type prstatus struct {
	signo, code, errno uint32 // of the signal that ended the process
	cursig             uint16
	sigpend, sighold   uint64
	ids                [4]uint32 // pid, ppid, pgrp, sid
	times              [4]timeval
	regs               registers
	raw                []byte // where the registers' layout is not known
	fpvalid            uint32
	signalName         string
}

type timeval struct{ sec, usec uint64 }

var timeNames = [4]string{"utime", "stime", "cutime", "cstime"}

var idNames = [4]string{"pid", "ppid", "pgrp", "sid"}

// statusLayout gives where the fields are. The part before the registers is the
// same on every machine of a class, so that signal and process are known even
// where the registers are not.
func (c *noteContext) statusLayout(size int) (s machine.Status, known bool) {
	if c.mach != nil && c.mach.Status != nil && size >= c.mach.Status.FPValid+4 {
		return *c.mach.Status, true
	}
	if c.Is64() {
		return machine.Status{PID: 32, UserTime: 48, Signal: 12, Regs: 112, FPValid: size - 8}, false
	}
	return machine.Status{PID: 24, UserTime: 40, Signal: 12, Regs: 72, FPValid: size - 4}, false
}

func (c *noteContext) prstatus(r *fieldReader) (row, error) {
	l, known := c.statusLayout(len(r.b))
	if len(r.b) < l.Regs || l.FPValid < l.Regs {
		return nil, fmt.Errorf("0x%x bytes; elf_prstatus has its registers at 0x%x", len(r.b), l.Regs)
	}
	s := &prstatus{signo: r.u32(), code: r.u32(), errno: r.u32(), cursig: r.u16()}
	r.pos = l.Signal + 4
	s.sigpend, s.sighold = r.addr(), r.addr()
	r.pos = l.PID
	for i := range s.ids {
		s.ids[i] = r.u32()
	}
	r.pos = l.UserTime
	for i := range s.times {
		s.times[i] = timeval{r.addr(), r.addr()}
	}
	r.pos = l.FPValid
	s.fpvalid = r.u32()
	s.signalName = c.signalName(uint32(s.cursig))
	if known {
		s.regs = readSlots(c.Format, r.b[l.Regs:l.FPValid], l.Slots)
	} else {
		s.raw = r.b[l.Regs:l.FPValid]
	}
	return s, r.err
}

func (s *prstatus) text(t *text) {
	t.str("    Signal: ")
	t.dec(uint64(s.cursig), 0)
	if s.signalName != "" {
		t.str(" (" + s.signalName + ")")
	}
	fmtField(t, ", code", s.code)
	fmtField(t, ", errno", s.errno)
	t.str(", pending ")
	t.zx(s.sigpend)
	t.str(", held ")
	t.zx(s.sighold)
	t.nl()
	t.str("   ")
	for i, v := range s.ids {
		fmtField(t, " "+idNames[i], v)
	}
	fmtField(t, ", fpvalid", s.fpvalid)
	t.nl()
	t.str("   ")
	for i, v := range s.times {
		t.str(" " + timeNames[i] + " ")
		t.dec(v.sec, 0)
		t.str(fmt.Sprintf(".%06d", v.usec))
	}
	t.nl()
	s.regs.text(t)
	if s.raw != nil {
		noteBytes(t, s.raw)
	}
}

func fmtField(t *text, name string, v uint32) {
	t.str(name)
	t.str(" ")
	t.int(int64(int32(v)))
}

func (s *prstatus) json(o *object) {
	o.num("signal", uint64(s.cursig))
	if s.signalName != "" {
		o.str("signal_name", s.signalName)
	}
	o.int("info_signo", int64(int32(s.signo)))
	o.int("info_code", int64(int32(s.code)))
	o.int("info_errno", int64(int32(s.errno)))
	o.hex("pending", s.sigpend)
	o.hex("held", s.sighold)
	for i, v := range s.ids {
		o.int(idNames[i], int64(int32(v)))
	}
	for i, v := range s.times {
		o.open(timeNames[i])
		o.num("sec", v.sec)
		o.num("usec", v.usec)
		o.close()
	}
	o.int("fpvalid", int64(int32(s.fpvalid)))
	if s.raw != nil {
		o.bytes("register_bytes", s.raw)
		return
	}
	s.regs.json(o)
}

// registers are a set of registers with their values: up to eight bytes as a
// number, and wider ones with the digits of the first byte last, as a number too.
type registers []register

type register struct {
	name  string
	value []byte // most significant byte first
}

// readSlots reads a register set; it ends where the bytes do.
func readSlots(f elffile.Format, b []byte, slots []machine.Slot) registers {
	regs := make(registers, 0, len(slots))
	for _, s := range slots {
		if s.Off+s.Size > len(b) {
			break
		}
		v := make([]byte, s.Size)
		copy(v, b[s.Off:])
		if !f.Big() {
			for i, j := 0, len(v)-1; i < j; i, j = i+1, j-1 {
				v[i], v[j] = v[j], v[i]
			}
		}
		regs = append(regs, register{s.Name, v})
	}
	return regs
}

func (l registers) text(t *text) {
	wide := 0
	for _, r := range l {
		wide = max(wide, len(r.value))
	}
	columns := 4
	switch {
	case wide > 8:
		columns = 2
	case wide > 4:
		columns = 3
	}
	for i, r := range l {
		if i%columns == 0 {
			t.str("   ")
		}
		t.str(" ")
		t.left(r.name, 10)
		t.str(" ")
		for _, c := range r.value {
			t.hex(uint64(c), 2)
		}
		if i%columns == columns-1 || i == len(l)-1 {
			t.nl()
		} else {
			t.space(2 * (wide - len(r.value)))
		}
	}
}

func (l registers) json(o *object) {
	o.open("registers")
	for _, r := range l {
		o.key(r.name)
		o.b = append(o.b, '"', '0', 'x')
		for _, c := range r.value {
			o.b = append(o.b, digits[c>>4], digits[c&15])
		}
		o.b = append(o.b, '"')
	}
	o.close()
}

// registerSet is a note that holds a register set of the machine.
type registerSet struct {
	structure string
	regs      registers
	rest      []byte
}

func (c *noteContext) registerSet(b []byte, structure string, slots []machine.Slot) (row, error) {
	s := &registerSet{structure: structure, regs: readSlots(c.Format, b, slots)}
	if len(s.regs) < len(slots) {
		last := slots[len(slots)-1]
		return s, fmt.Errorf("0x%x bytes; the registers of %s reach to 0x%x", len(b), structure, last.Off+last.Size)
	}
	end := 0
	for _, slot := range slots {
		end = max(end, slot.Off+slot.Size)
	}
	s.rest = b[end:]
	return s, nil
}

func (s *registerSet) text(t *text) { s.regs.text(t) }

func (s *registerSet) json(o *object) {
	o.str("structure", s.structure)
	s.regs.json(o)
	if len(s.rest) > 0 {
		o.bytes("rest", s.rest)
	}
}
