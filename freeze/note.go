package freeze

import (
	"encoding/binary"
	"fmt"

	"elfwright/freeze/capture"
	"elfwright/freeze/note"
	"elfwright/image"
)

// describe says what the process was, for the note.
func (c *compiler) describe() *note.Process {
	s, st := c.s, &c.s.Stat
	pair := func(a, b image.Addr) [2]uint64 { return [2]uint64{uint64(a), uint64(b)} }
	p := &note.Process{
		Version: note.Version, PID: s.PID, Parent: s.Session[0], Group: s.Session[1], Session: s.Session[2], UID: s.Status.UIDs[0], GID: s.Status.GIDs[0],
		Exe: s.Exe, CWD: s.CWD.Path, Umask: s.Status.Umask, Machine: s.Machine, Kernel: s.Kernel, PIDs: string(c.opt.PIDs),
		CPU: c.features(), XCR0: s.CPU.XCR0, XSave: components(&s.CPU), Script: uint64(c.stubAt.Start) + page, VDSO: c.vdsoData, Auxv: s.Auxv, Warnings: c.warnings,
		Bounds: note.Bounds{
			Code: pair(st.StartCode, st.EndCode), Data: pair(st.StartData, st.EndData), Brk: pair(st.StartBrk, image.Addr(s.Brk)),
			Args: pair(st.ArgStart, st.ArgEnd), Env: pair(st.EnvStart, st.EnvEnd), Stack: uint64(st.StartStack),
		},
	}
	for i := range s.Threads {
		p.Threads = append(p.Threads, c.describeThread(&s.Threads[i]))
	}
	c.describeMaps(p)
	for i := range s.Descriptors {
		f := &s.Descriptors[i]
		p.Descriptors = append(p.Descriptors, note.Descriptor{N: f.N, Link: f.Link, Flags: f.Flags, Pos: f.Pos, Choice: c.opt.FDs[f.N]})
	}
	for _, l := range s.Limits {
		p.Limits = append(p.Limits, note.Limit{Cur: l.Cur, Max: l.Max})
	}
	for _, a := range s.Actions {
		w := func(i int) uint64 { return binary.LittleEndian.Uint64(a.Action[8*i:]) }
		p.Actions = append(p.Actions, note.Action{Signal: a.Signal, Handler: w(0), Flags: w(1), Restorer: w(2), Mask: w(3)})
	}
	p.Pending = signals(s.Pending)
	for i := range s.Timers {
		t := &s.Timers[i]
		p.Timers = append(p.Timers, fmt.Sprintf("%d: clock %d, signal %d, %s", t.ID, t.Clock, t.Signal, t.Notify))
	}
	return p
}

func signals(list []capture.Siginfo) (out []int) {
	for _, s := range list {
		out = append(out, s.Signal())
	}
	return out
}

func (c *compiler) describeThread(t *capture.Thread) note.Thread {
	f := c.frames[t.TID]
	return note.Thread{TID: t.TID, Comm: t.Comm, Regs: leaveRseq(t), Mask: t.Mask, Pending: signals(t.Pending), Frame: f.at, State: f.state}
}

// features are the names of what the processor is asked for before a thaw.
func (c *compiler) features() (names []string) {
	if c.arch == arm64 {
		return c.featuresArm()
	}
	for _, f := range features {
		if c.s.CPU.Find(f.leaf, f.sub)[f.word]>>f.bit&1 != 0 {
			names = append(names, f.name)
		}
	}
	return names
}

// components says where in extended state the parts are that the kernel saves.
func components(cpu *capture.CPU) (out []note.Component) {
	for i := uint32(2); i < 63; i++ {
		if cpu.XCR0>>i&1 != 0 {
			w := cpu.Find(0xd, i)
			out = append(out, note.Component{Bit: i, Off: w[1], Size: w[0]})
		}
	}
	return out
}
