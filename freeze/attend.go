package freeze

import (
	"golang.org/x/sys/unix"

	"elfwright/freeze/script"
)

// Two processes stay behind when the first one of a tree goes on: the one that was
// started, outside, and the first one of the namespace, inside. Signals are handed
// on inwards. Outwards goes what wait4 tells of the first of the tree: it may stop,
// and it may end before others do. These go on then, with the inner one, which
// must be there as long as they are; the outer one ends as it did.

const (
	told     = 3 // the descriptor that both have of the pipe between them
	waitWall = 0x40000000
)

// keepPipe closes all but 0, 1, 2 and one end of that pipe.
func (t *tree) keepPipe(end script.Slot) {
	c := t.root.c
	c.Do(script.Store, c.ErrorsTo().Addr(), script.Int(unix.Stderr))
	c.Call("dup3", end.Get(), script.Int(told), script.Int(unix.O_CLOEXEC)).Says("pipe to the first process")
	c.Call("close_range", script.Int(told+1), script.Int(uint32(0xffffffff)), zero)
}

// takeSignal takes the next signal, for which all are blocked.
func (t *tree) takeSignal(signal script.Slot) (loop script.Label) {
	c := t.root.c
	loop = c.Here()
	c.Call("rt_sigtimedwait", c.Words(^uint64(0)), zero, zero, script.Int(8)).To(signal).Or(loop)
	return loop
}

// attendOutside waits for what is told. The kernel says by SIGIO that there is
// something to read.
func (t *tree) attendOutside(child script.Slot) {
	c := t.root.c
	status, signal, n := c.Words(0), c.Slot(), c.Slot()
	t.keepPipe(t.news)
	c.Call("getpid").To(n)
	c.Call("fcntl", script.Int(told), script.Int(unix.F_SETOWN), n.Get()).Says("pipe to the first process: owner")
	c.Call("fcntl", script.Int(told), script.Int(unix.F_SETFL), script.Int(unix.O_ASYNC|unix.O_NONBLOCK)).Says("pipe to the first process: flags")
	first, look, news, reap, stop := c.Label(), c.Label(), c.Label(), c.Label(), c.Label()
	c.Jump(first)
	handOn := c.Here()
	c.Call("kill", child.Get(), signal.Get())
	loop := t.takeSignal(signal)
	c.Do(script.Equal, signal.Get(), script.Int(uint64(unix.SIGCHLD))).Or(reap)
	c.Do(script.Equal, signal.Get(), script.Int(uint64(unix.SIGIO))).Or(look)
	c.Jump(handOn)
	c.Place(look)
	c.Call("read", script.Int(told), status, script.Int(8)).Exact().Or(handOn)
	c.Jump(news)
	c.Place(first) // what was told before the flags were set has sent no signal
	c.Call("read", script.Int(told), status, script.Int(8)).Exact().Or(loop)
	c.Place(news)
	c.Do(script.Bits4, status, script.Int(0x7f)).Or(stop)
	t.endAs(status)
	// Who waits for this process sees that it is stopped.
	c.Place(stop)
	t.giveBack()
	c.Call("getpid").To(n)
	c.Call("kill", n.Get(), script.Int(uint64(unix.SIGSTOP)))
	c.Jump(loop)
	c.Place(reap)
	c.Call("wait4", minus1, status, script.Int(uint64(unix.WNOHANG|waitWall)), zero).To(n).Or(loop)
	c.Do(script.Equal, n.Get(), zero).Or(loop)
	over := c.Label()
	c.Call("read", script.Int(told), status, script.Int(8)).Exact().Or(over) // what it told last
	c.Place(over)
	t.endAs(status)
}

// endAs ends with the status that wait4 gave.
func (t *tree) endAs(status script.Arg) {
	c := t.root.c
	t.giveBack()
	c.Do(script.Load4, status, zero).To(c.tmp)
	c.Do(script.Status, c.tmp.Get())
}

// giveBack brings back into the foreground who started the file.
func (t *tree) giveBack() { t.setFront(t.root.c, t.group) }

// attendInside waits for the first process of the tree, and tells of it, and then
// for all others: whom nobody waits for comes to the first process of a namespace.
func (t *tree) attendInside(child script.Slot) {
	c := t.root.c
	status, signal, n := c.Words(0), c.Slot(), c.Slot()
	t.keepPipe(t.tell)
	reap, again, changed, stopped := c.Label(), c.Label(), c.Label(), c.Label()
	loop := t.takeSignal(signal)
	c.Do(script.Equal, signal.Get(), script.Int(uint64(unix.SIGCHLD))).Or(reap)
	c.Do(script.Equal, signal.Get(), script.Int(uint64(unix.SIGCONT))).Or(again)
	c.Call("kill", child.Get(), signal.Get())
	c.Jump(loop)
	c.Place(again)
	to := child.Get()
	if t.root.group != 0 {
		t.setFront(c, c.Words(uint64(t.root.group)))
		to = script.Int(-t.root.group)
	}
	c.Call("kill", to, script.Int(uint64(unix.SIGCONT)))
	c.Jump(loop)
	c.Place(reap)
	c.Call("wait4", minus1, status, script.Int(uint64(unix.WNOHANG|unix.WUNTRACED|waitWall)), zero).To(n).Or(loop)
	c.Do(script.Equal, n.Get(), zero).Or(loop)
	c.Do(script.Equal, n.Get(), child.Get()).Or(changed)
	c.Jump(reap)
	c.Place(changed)
	c.Do(script.Bits4, status, script.Int(0x7f)).Or(stopped)
	c.Call("prctl", script.Int(unix.PR_SET_PDEATHSIG), zero)
	c.Call("write", script.Int(told), status, script.Int(8))
	c.Call("close_range", zero, script.Int(uint32(0xffffffff)), zero)
	rest, over := c.Here(), c.Label()
	c.Call("wait4", minus1, zero, script.Int(uint64(waitWall)), zero).Or(over)
	c.Jump(rest)
	c.Place(over)
	c.Do(script.Exit, zero)
	c.Place(stopped)
	c.Call("write", script.Int(told), status, script.Int(8))
	c.Jump(reap)
}
