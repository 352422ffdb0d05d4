package freeze

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"

	"elfwright/freeze/capture"
	"elfwright/freeze/script"
)

const threadFlags = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD | unix.CLONE_SYSVSEM

// threads starts the threads. Each sets itself up, says so and waits at a gate;
// the first opens it when all are there, so that none runs while another is not
// yet what it was.
func (c *compiler) threads() {
	all := c.s.Threads
	ready, gate := c.Words(0), c.Words(0)
	starts := make([]script.Label, len(all))
	for i := 1; i < len(all); i++ {
		starts[i] = c.Label()
		c.startThread(&all[i], starts[i])
	}
	c.thread(&all[0])
	c.settleChildren()
	for _, p := range c.s.Pending {
		if !stopSignal(p) {
			c.Call("rt_sigqueueinfo", c.pid.Get(), script.Int(p.Signal()), script.Int(c.Data(p, 8))).Says("pending signal %d", p.Signal())
		}
	}
	c.awaitCount(ready, len(all)-1)
	c.armTimers()
	c.owners()
	c.locks()
	c.modes()
	if c.otherUser() && c.s.Dumpable == 1 {
		c.Call("prctl", script.Int(unix.PR_SET_DUMPABLE), script.Int(1), zero, zero, zero).Says("PR_SET_DUMPABLE")
	}
	c.arrived()
	c.closeOurs()
	c.Do(script.Store4, gate, script.Int(1))
	c.futex(gate, futexWake, 1<<30)
	c.Do(script.Return, script.Int(c.arch.frame(c, &all[0])))
	for i := 1; i < len(all); i++ {
		c.Place(starts[i])
		c.thread(&all[i])
		c.Do(script.Count, ready)
		c.futex(ready, futexWake, 1)
		c.awaitOpen(gate)
		c.Do(script.Return, script.Int(c.arch.frame(c, &all[i])))
	}
}

// A signal that stops the process is not sent again: thawing continues it.
func stopSignal(p capture.Siginfo) bool {
	switch unix.Signal(p.Signal()) {
	case unix.SIGSTOP, unix.SIGKILL:
		return true
	}
	return false
}

const (
	futexWait = 0
	futexWake = 1
)

func (c *compiler) futex(word script.Arg, op int, n uint32) {
	c.Call("futex", word, script.Int(op), script.Int(n), zero, zero, zero)
}

// awaitCount waits until the word, which only grows, has a value. One thread may
// do so: c.tmp is what it saw.
func (c *compiler) awaitCount(word script.Arg, value int) {
	again, there := c.Here(), c.Label()
	c.Do(script.Load4, word, zero).To(c.tmp)
	c.Do(script.Equal, c.tmp.Get(), script.Int(value)).Or(there)
	c.Call("futex", word, script.Int(futexWait), c.tmp.Get(), zero, zero, zero)
	c.Jump(again)
	c.Place(there)
}

// awaitOpen waits until the word is not 0.
func (c *compiler) awaitOpen(word script.Arg) {
	again, there := c.Here(), c.Label()
	c.Do(script.Equal4, word, script.Int(1)).Or(there)
	c.futex(word, futexWait, 0)
	c.Jump(again)
	c.Place(there)
}

// startThread starts a thread, with its old number where that is asked for.
func (c *compiler) startThread(t *capture.Thread, start script.Label) {
	if c.opt.PIDs == PIDNew {
		c.Fork(start, "clone", script.Int(uint64(threadFlags))).Says("thread %d", t.TID)
		return
	}
	args, size := c.cloneArgs(threadFlags, t.TID, 0)
	c.Fork(start, "clone3", args, size).Says("thread %d, with that number", t.TID)
}

// cloneArgs writes a struct clone_args.
func (c *compiler) cloneArgs(flags uint64, tid int, exit unix.Signal) (at, size script.Arg) {
	number := c.Data(binary.LittleEndian.AppendUint32(nil, uint32(tid)), 8)
	w := [11]uint64{0: flags, 4: uint64(exit), 8: number, 9: 1}
	if flags&unix.CLONE_VM != 0 {
		// The kernel wants a stack, which the stub does not use.
		w[5], w[6] = uint64(c.stubAt.Start), page
	}
	return c.Words(w[:]...), script.Int(len(w) * 8)
}

// thread sets up the thread that runs it.
func (c *compiler) thread(t *capture.Thread) {
	says := func(what string) string { return fmt.Sprintf("thread %d: %s", t.TID, what) }
	c.arch.thread(c, t, says)
	tid := c.Slot()
	c.Call("set_tid_address", script.Int(t.TIDAddr)).To(tid)
	if t.TIDAddr != 0 {
		// glibc has the number there; musl a lock, which has another value.
		c.Do(script.TID, script.Int(t.TIDAddr), script.Int(uint32(t.TID)), tid.Get())
	}
	if t.RobustHead != 0 {
		c.Call("set_robust_list", script.Int(t.RobustHead), script.Int(t.RobustSize)).Says("%s", says("robust list"))
	}
	if t.Rseq.Addr != 0 {
		c.Call("rseq", script.Int(t.Rseq.Addr), script.Int(t.Rseq.Size), script.Int(t.Rseq.Flags), script.Int(t.Rseq.Sig)).Says("%s", says("rseq"))
	}
	c.Call("prctl", script.Int(unix.PR_SET_NAME), c.Text(t.Comm))
	c.rest(t, says)
	c.scheduling(t, says)
	for _, p := range t.Pending {
		if !stopSignal(p) {
			c.Call("rt_tgsigqueueinfo", c.pid.Get(), tid.Get(), script.Int(p.Signal()), script.Int(c.Data(p, 8))).Says("%s", says(fmt.Sprintf("pending signal %d", p.Signal())))
		}
	}
}

// scheduling gives the thread what differs from a thread that never asked.
func (c *compiler) scheduling(t *capture.Thread, says func(string) string) {
	if t.Sched != nil {
		c.orLacks(c.Call("sched_setattr", zero, script.Int(c.Data(t.Sched, 8)), zero), "%s", says("its scheduling or nice value is not permitted here, it has that of who starts it"))
	}
	if t.Affinity != nil {
		c.orLacks(c.Call("sched_setaffinity", zero, script.Int(len(t.Affinity)), script.Int(c.Data(t.Affinity, 8))), "%s", says("none of the processors that it may use is here, it may use all"))
	}
	if t.IOPrio != 0 {
		const whoProcess = 1
		c.orLacks(c.Call("ioprio_set", script.Int(whoProcess), zero, script.Int(t.IOPrio)), "%s", says("its priority of input and output is not permitted here"))
	}
	c.user(says)
	if t.TimerSlack != 0 && t.TimerSlack != defaultSlack {
		c.Call("prctl", script.Int(unix.PR_SET_TIMERSLACK), script.Int(t.TimerSlack))
	}
	if t.PDeathSig != 0 {
		if c.tree == nil || c == c.tree.root.c {
			c.warn("thread %d: the signal on its parent's death (%d) is that of its new parent's", t.TID, t.PDeathSig)
		}
		c.Call("prctl", script.Int(unix.PR_SET_PDEATHSIG), script.Int(t.PDeathSig)).Says("%s", says("PR_SET_PDEATHSIG"))
	}
}

const defaultSlack = 50000 // ns

// closeOurs closes what the process never had.
func (c *compiler) closeOurs() {
	for _, n := range []int{0, 1, 2} {
		if !c.has(n) || c.opt.FDs[n] == Close {
			c.Call("close", script.Int(n))
		}
	}
	ours := c.ours
	if c.tree != nil {
		c.Call("close_range", script.Int(c.tree.high), script.Int(uint32(0xffffffff)), zero)
		ours = nil
	}
	for _, s := range ours {
		done := c.Label()
		c.Do(script.Equal, s.Get(), zero).Or(done)
		c.Call("close", s.Get())
		c.Place(done)
	}
	c.Do(script.Store, c.ErrorsTo().Addr(), script.Int(unix.Stderr))
}

func (c *compiler) has(n int) bool {
	for i := range c.s.Descriptors {
		if c.s.Descriptors[i].N == n {
			return true
		}
	}
	return false
}
