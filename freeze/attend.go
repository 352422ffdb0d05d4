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
func (t *tree) takeSignal(signal script.Slot, info script.Arg) (loop script.Label) {
	c := t.root.c
	loop = c.Here()
	c.Call("rt_sigtimedwait", c.Words(^uint64(0)), info, zero, script.Int(8)).To(signal).Or(loop)
	return loop
}

// goOn is what the outer process sends for SIGCONT: the inner one may have got that
// before, for a shell sends it to the whole group, and before the terminal is the
// tree's again.
const (
	goOn      = 64
	goOnWord  = 0x776f726874 // in si_value
	goOnCode  = 0xffffffff   // SI_QUEUE
	siginfoAt = 24           // si_value
)

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
	handOn, cont, send, sent := c.Here(), c.Label(), c.Label(), c.Label()
	c.Do(script.Equal, signal.Get(), script.Int(uint64(unix.SIGCONT))).Or(cont)
	c.Jump(send)
	c.Place(cont)
	t.takeBack()
	c.Call("rt_sigqueueinfo", child.Get(), script.Int(goOn), c.Words(goOn, goOnCode, 0, goOnWord, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), zero)
	c.Jump(sent)
	c.Place(send)
	c.Call("kill", child.Get(), signal.Get())
	c.Place(sent)
	loop := t.takeSignal(signal, zero)
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

// giveBack brings back into the foreground who started the file, if a group of the
// tree was there.
func (t *tree) giveBack() {
	c := t.root.c
	done := c.Label()
	c.Do(script.Equal, t.front.Get(), zero).Or(done)
	c.Do(script.Equal, t.inFront.Get(), zero).Or(done)
	c.Do(script.Store, t.inFront.Addr(), zero)
	c.Do(script.Subtract, t.front.Get(), script.Int(1)).To(c.tmp)
	c.Call("ioctl", c.tmp.Get(), script.Int(tiocgpgrp), t.theirs)
	c.Call("ioctl", c.tmp.Get(), script.Int(tiocspgrp), t.group)
	c.Place(done)
}

// takeBack brings the group into the foreground again that was there when the tree
// was stopped, where who started the file is there now.
func (t *tree) takeBack() {
	c := t.root.c
	done, ours := c.Label(), c.Label()
	now := c.Words(0)
	c.Do(script.Equal, t.front.Get(), zero).Or(done)
	c.Do(script.Subtract, t.front.Get(), script.Int(1)).To(c.tmp)
	c.Call("ioctl", c.tmp.Get(), script.Int(tiocgpgrp), now).Or(done)
	c.Do(script.Same, now, t.group, script.Int(4)).Or(ours)
	c.Jump(done)
	c.Place(ours)
	c.Call("ioctl", c.tmp.Get(), script.Int(tiocspgrp), t.theirs)
	c.Do(script.Store, t.inFront.Addr(), script.Int(1))
	c.Place(done)
}

// attendInside waits for the first process of the tree, and tells of it, and then
// for all others: whom nobody waits for comes to the first process of a namespace.
func (t *tree) attendInside(child script.Slot) {
	c := t.root.c
	status, signal, n := c.Words(0), c.Slot(), c.Slot()
	t.keepPipe(t.tell)
	reap, again, changed, stopped, mark, plain := c.Label(), c.Label(), c.Label(), c.Label(), c.Label(), c.Label()
	info := c.Words(make([]uint64, 16)...)
	loop := t.takeSignal(signal, info)
	c.Do(script.Equal, signal.Get(), script.Int(uint64(unix.SIGCHLD))).Or(reap)
	c.Do(script.Equal, signal.Get(), script.Int(uint64(unix.SIGCONT))).Or(loop)
	c.Do(script.Same, info, c.Words(goOn, goOnCode), script.Int(12)).Or(mark)
	c.Jump(plain)
	c.Place(mark)
	c.Do(script.Load, info, script.Int(siginfoAt)).To(n)
	c.Do(script.Equal, n.Get(), script.Int(goOnWord)).Or(again)
	c.Place(plain)
	c.Call("kill", child.Get(), signal.Get())
	c.Jump(loop)
	c.Place(again)
	to := child.Get()
	if t.root.group != 0 {
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
