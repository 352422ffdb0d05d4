package saved

import (
	"debug/elf"
	"encoding/binary"

	"elfwright/elffile"
	"elfwright/freeze/unwind"
)

// Frame is a call that has not returned, with the function that it is in.
type Frame struct {
	unwind.Frame
	Symbol Symbol  // without a name where none is known
	Module *Module // nil: the code is of no file
}

// Arch is what the unwinder knows of the machine; nil: nothing.
func (p *Process) arch() *unwind.Arch {
	switch p.Machine.ELF {
	case elf.EM_X86_64:
		return unwind.X86
	case elf.EM_AARCH64:
		return unwind.AArch64
	}
	return nil
}

// Register is a general register of thread i by its name in NT_PRSTATUS.
func (p *Process) Register(i int, name string) (uint64, bool) {
	slot, ok := p.Machine.Status.Slot(name)
	if !ok || slot.Size != 8 {
		return 0, false
	}
	return binary.LittleEndian.Uint64(p.Threads[i].Regs[slot.Off:]), true
}

// Backtrace finds the calls of thread i, innermost first.
func (p *Process) Backtrace(i int) []Frame {
	arch := p.arch()
	if arch == nil {
		return nil
	}
	var regs unwind.Regs
	for n, name := range arch.Names {
		if v, ok := p.Register(i, name); ok {
			regs.Set(n, v)
		}
	}
	u := unwind.Unwinder{Arch: arch, Mem: p, Tables: p.tables}
	var out []Frame
	u.Walk(regs, func(f unwind.Frame) bool {
		at := f.PC
		if f.How == unwind.ByTable || f.How == unwind.ByPointer {
			at-- // the address behind a call may be another function's
		}
		s, m, ok := p.Symbol(at)
		if !ok {
			s = Symbol{}
		}
		out = append(out, Frame{f, s, m})
		return true
	})
	return out
}

// tables finds the unwind tables for an address.
func (p *Process) tables(pc uint64) (unwind.Table, bool) {
	m := p.ModuleAt(pc)
	if m == nil {
		return unwind.Table{}, false
	}
	if !m.looked {
		m.looked = true
		p.findTable(m)
	}
	return m.table, m.table.Size > 0
}

// findTable finds the index by the program headers. A static program may have none;
// the table itself is found by its section, if the file is there.
func (p *Process) findTable(m *Module) {
	for i := range m.progs {
		if q := &m.progs[i]; q.Type == elf.PT_GNU_EH_FRAME {
			m.table = unwind.Table{Addr: m.Bias + q.Vaddr, Size: q.Memsz, Index: true}
			return
		}
	}
	f, err := elffile.Open(p.where(m.Name))
	if err != nil {
		return
	}
	defer f.Close()
	f.Guard(func() error {
		if i := f.SectionByName(".eh_frame"); i >= 0 && p.sameFile(m, f) {
			s := &f.Sections()[i]
			m.table = unwind.Table{Addr: m.Bias + s.Addr, Size: s.Size}
		}
		return nil
	})
}
