package show

import (
	"elfwright/freeze/note"
	"elfwright/freeze/saved"
	"elfwright/machine"
)

// processRow is a process in a file: one that was frozen, or that of a core.
type processRow struct {
	*saved.Process
	p       *printer
	threads []threadRow
}

// threadRow is a thread, and the calls in it that have not returned.
type threadRow struct {
	*note.Thread
	pc, sp uint64
	regs   registers
	state  registers // floating point and vectors as every processor has them
	// vectors are what newer processors have more.
	vectors registers
	frames  []saved.Frame
}

// showProcesses prints what a frozen file or a core tells of its processes.
func showProcesses(p *printer) {
	list, err := saved.Open(p.f, p.m)
	p.warn(err)
	if len(list) == 0 && err == nil {
		p.remark("There is no process in this file.")
	}
	for _, s := range list {
		r := &processRow{Process: s, p: p}
		for i := range s.Threads {
			if !p.spend(uint64(len(s.Threads[i].Regs))) {
				break
			}
			r.threads = append(r.threads, p.threadOf(s, i))
		}
		p.gapBetween()
		p.row(r)
		s.Close()
	}
}

// gapBetween parts what is printed as a row from what was printed before.
func (p *printer) gapBetween() {
	if p.t != nil {
		p.gap()
	}
}

func (p *printer) threadOf(s *saved.Process, i int) threadRow {
	r := threadRow{Thread: &s.Threads[i], frames: s.Backtrace(i)}
	r.pc, _ = s.Register(i, s.Machine.Status.PC)
	r.sp, _ = s.Register(i, s.Machine.Status.SP)
	if !p.opt.Registers {
		return r
	}
	r.regs = readSlots(p.f.Format, r.Regs, s.Machine.Status.Slots)
	for j := range s.Machine.RegSets {
		// The layout of the first set is that of the start of all extended state.
		if slots := s.Machine.RegSets[j].Slots; len(slots) > 0 {
			r.state = readSlots(p.f.Format, s.State(i), slots)
			break
		}
	}
	for _, v := range s.Vectors(i) {
		r.vectors = append(r.vectors, readSlots(p.f.Format, v.Value, []machine.Slot{{Name: v.Name, Size: len(v.Value)}})...)
	}
	return r
}

// function is how a frame's place is called: "read+0x10 (libc.so.6)".
func (r *processRow) function(f *saved.Frame) (name string, off uint64) {
	if f.Symbol.Name == "" {
		return "", 0
	}
	return f.Symbol.Name, f.PC - f.Symbol.Addr
}
