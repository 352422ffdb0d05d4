package freeze

import (
	"encoding/binary"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"elfwright/freeze/capture"
	"elfwright/freeze/script"
)

func word(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

func word4(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

// actions sets what the process does on signals. What was ignored or caught where
// the file is started is first set back.
func (c *compiler) actions() {
	none := script.Int(c.Data(make([]byte, 32), 8))
	own := make(map[int][]byte)
	for _, a := range c.s.Actions {
		own[a.Signal] = a.Action
	}
	for n := 1; n <= 64; n++ {
		switch a := own[n]; {
		case n == int(unix.SIGKILL) || n == int(unix.SIGSTOP):
		case a != nil:
			c.Call("rt_sigaction", script.Int(n), script.Int(c.Data(a, 8)), zero, script.Int(8)).Says("action of signal %d", n)
		default:
			c.Call("rt_sigaction", script.Int(n), none, zero, script.Int(8)).Says("action of signal %d", n)
		}
	}
}

// attributes sets what belongs to the whole process and is a call each.
func (c *compiler) attributes() {
	s := c.s
	set := func(option int, value uint64, what string) {
		c.Call("prctl", script.Int(option), script.Int(value), zero, zero, zero).Says("%s", what)
	}
	c.intervalTimers()
	if s.Subreaper {
		set(unix.PR_SET_CHILD_SUBREAPER, 1, "PR_SET_CHILD_SUBREAPER")
	}
	if s.THPDisable != 0 {
		// Whether, and then flags (Linux 6.18).
		c.Call("prctl", script.Int(unix.PR_SET_THP_DISABLE), script.Int(1), script.Int(s.THPDisable&^1), zero, zero).Says("PR_SET_THP_DISABLE")
	}
	const suidDump = 1
	if s.Dumpable != suidDump {
		set(unix.PR_SET_DUMPABLE, s.Dumpable&1, "PR_SET_DUMPABLE")
	}
	if s.KeepCaps != 0 {
		set(unix.PR_SET_KEEPCAPS, s.KeepCaps, "PR_SET_KEEPCAPS")
	}
	const keepCaps = 1 << 4 // SECURE_KEEP_CAPS, which is PR_SET_KEEPCAPS
	if bits := s.SecureBits &^ keepCaps; bits != 0 {
		c.orLacks(c.Call("prctl", script.Int(unix.PR_SET_SECUREBITS), script.Int(s.SecureBits), zero, zero, zero), "PR_SET_SECUREBITS %#x is not permitted here", bits)
	}
	c.membarrier()
	c.restOfProcess()
	if s.OOMScoreAdj != 0 {
		c.score()
	}
}

// Pairs of membarrier(2): what a process registered, and how it does so.
func (c *compiler) membarrier() {
	for bit := uint64(1); bit < 1<<20; bit <<= 1 {
		if c.s.Membarrier&bit != 0 {
			c.Call("membarrier", script.Int(bit), zero, zero).Says("membarrier command %d", bit)
		}
	}
}

// score writes oom_score_adj; lowering it needs a privilege.
func (c *compiler) score() {
	text := fmt.Sprint(c.s.OOMScoreAdj)
	c.writeTo("/proc/self/oom_score_adj", text, "oom_score_adj "+text+" is not permitted here, the one here stays")
}

func (c *compiler) intervalTimers() {
	for which, t := range c.s.ITimers {
		if which == unix.ITIMER_REAL && t != nil && word(t[16:]) == 0 && word(t[24:]) == 0 && c.waits(unix.SIGALRM) {
			// It has expired; the kernel starts it again when the signal is taken
			// (dequeue_signal), which a signal that is sent does not do.
			t = append(t[:16:16], t[:16]...)
		}
		if t != nil {
			c.Call("setitimer", script.Int(which), script.Int(c.Data(t, 8)), zero).Says("interval timer %d", which)
		}
	}
}

// waits says whether a signal is on its way to the process.
func (c *compiler) waits(signal unix.Signal) bool {
	return slices.ContainsFunc(c.s.Pending, func(p capture.Siginfo) bool { return p.Signal() == int(signal) })
}

// armTimers makes the timers of timer_create. Their numbers are the process's, so
// that they must be the same.
func (c *compiler) armTimers() {
	for i := range c.s.Timers {
		t := &c.s.Timers[i]
		what := fmt.Sprintf("timer %d", t.ID)
		// struct sigevent: value, signal, how, thread.
		const sigevSignal, sigevNone, sigevThreadID = 0, 1, 4
		how, tid := uint32(sigevSignal), script.Int(0)
		switch {
		case t.Notify == "none":
			how = sigevNone
		case t.TID != 0:
			how = sigevThreadID
			if c.opt.PIDs == PIDNew && t.TID != c.s.PID {
				c.refuse(what, fmt.Sprintf("signals thread %d, which gets another number", t.TID), "--pid=ns or --pid=keep")
			}
			tid = c.pid.Get()
			if c.opt.PIDs != PIDNew {
				tid = script.Int(t.TID)
			}
		}
		c.checkClock(t, what)
		event := c.Words(t.Value, uint64(uint32(t.Signal))|uint64(how)<<32, 0, 0, 0, 0, 0, 0)
		if t.TID != 0 {
			c.Do(script.Add, event, script.Int(16)).To(c.tmp)
			c.Do(script.Store4, c.tmp.Get(), tid)
		}
		c.timerOfID(t.Clock, t.ID, event, what)
		c.Call("timer_settime", script.Int(t.ID), zero, script.Int(c.Data(t.Spec, 8)), zero).Says("%s", what)
	}
}

// checkClock refuses a clock that is another one in the new process: that of the
// processor time of a process or a thread has its number in it (CPUCLOCK_PID).
func (c *compiler) checkClock(t *capture.Timer, what string) {
	const thisThread, dynamic = ^0<<3 | 6, 3 // what the kernel makes of CLOCK_THREAD_CPUTIME_ID; CLOCKFD
	switch pid := ^(t.Clock >> 3); {
	case t.Clock == thisThread && len(c.s.Threads) > 1:
		c.refuse(what, "counts the time of one thread, and the kernel does not tell of which", "")
	case t.Clock >= 0 || pid == 0:
	case t.Clock&7 == dynamic:
		c.refuse(what, "has the clock of a device", "")
	case pid != c.s.PID && !c.hasThread(pid):
		c.refuse(what, fmt.Sprintf("counts the time of another process, %d", pid), "")
	case c.opt.PIDs == PIDNew:
		c.refuse(what, fmt.Sprintf("counts the time of %d, which gets another number", pid), "--pid=ns or --pid=keep")
	}
}

// timerOfID creates timers until one has the number, and deletes the others.
func (c *compiler) timerOfID(clock, id int, event script.Arg, what string) {
	got := c.Words(0)
	again, there, beyond := c.Here(), c.Label(), c.Label()
	c.Call("timer_create", script.Int(clock), event, got).Says("%s", what)
	c.Do(script.Equal4, got, script.Int(id)).Or(there)
	c.Do(script.Load4, got, zero).To(c.tmp)
	c.Call("timer_delete", c.tmp.Get())
	c.Do(script.Below, c.tmp.Get(), script.Int(id)).Or(again)
	c.Place(beyond)
	c.Do(script.Fail).Says("%s: its number is not to be had", what)
	c.Place(there)
}
