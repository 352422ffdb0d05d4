package freeze

import (
	"fmt"

	"golang.org/x/sys/unix"

	"elfwright/freeze/script"
)

// number gives the process its old number, where that is asked for: it becomes a
// child of what was started, which waits for it, hands on signals and ends as it
// does.
func (c *compiler) number() {
	switch c.opt.PIDs {
	case PIDKeep:
		c.child(c.s.PID, c.attend)
	case PIDNS:
		c.namespace()
		c.child(1, c.attend) // the first process of a namespace has to be its init
		c.child(c.s.PID, c.attend)
	}
}

// child goes on as a child of a number; the parent stays behind and attends to it.
func (c *compiler) child(pid int, attend func(child script.Slot)) {
	goOn := c.Label()
	args, size := c.cloneArgs(0, pid, unix.SIGCHLD)
	parent := c.Slot()
	if pid == 1 {
		args, size = c.Words(0, 0, 0, 0, uint64(unix.SIGCHLD), 0, 0, 0), script.Int(64)
	}
	c.Fork(goOn, "clone3", args, size).To(parent).Says("process %d, with that number", pid)
	attend(parent)
	c.Place(goOn)
	if pid != 1 {
		c.Call("prctl", script.Int(unix.PR_SET_PDEATHSIG), zero)
	} else {
		c.Call("prctl", script.Int(unix.PR_SET_PDEATHSIG), script.Int(uint64(unix.SIGKILL)))
	}
}

// attend waits for the child. All signals are blocked, so that they can be taken
// one after the other.
func (c *compiler) attend(child script.Slot) {
	status, signal, done := c.Words(0), c.Slot(), c.Slot()
	c.closeKept()
	loop, reap := c.Here(), c.Label()
	c.Call("rt_sigtimedwait", c.Words(^uint64(0)), zero, zero, script.Int(8)).To(signal).Or(loop)
	c.Do(script.Equal, signal.Get(), script.Int(uint64(unix.SIGCHLD))).Or(reap)
	c.Call("kill", child.Get(), signal.Get())
	c.Jump(loop)
	c.Place(reap)
	ended := c.Label()
	const wall = 0x40000000
	c.Call("wait4", minus1, status, script.Int(uint64(unix.WNOHANG|unix.WUNTRACED|wall)), zero).To(done).Or(loop)
	c.Do(script.Equal, done.Get(), zero).Or(loop)
	c.Do(script.Equal, done.Get(), child.Get()).Or(ended)
	c.Jump(reap) // one that it left behind
	c.Place(ended)
	stopped := c.Label()
	c.Do(script.Load4, status, zero).To(done)
	c.Do(script.Bits4, done.Addr(), script.Int(0x7f)).Or(stopped)
	c.Do(script.Status, done.Get())
	// Who waits for the parent sees that it is stopped; SIGCONT is handed on.
	c.Place(stopped)
	c.Call("getpid").To(done)
	c.Call("kill", done.Get(), script.Int(uint64(unix.SIGSTOP)))
	c.Jump(reap)
}

// closeKept closes what only the process itself needs; 0, 1 and 2 stay for what
// there may be to say.
func (c *compiler) closeKept() {
	c.Call("close_range", script.Int(3), script.Int(uint32(0xffffffff)), zero)
	c.Do(script.Store, c.ErrorsTo().Addr(), script.Int(unix.Stderr))
}

// namespace makes a namespace of process numbers; who may not has one of users
// made with it, in which he is himself.
func (c *compiler) namespace() {
	done, users := c.Label(), c.Label()
	spaces := uint64(unix.CLONE_NEWPID)
	if c.tree != nil && len(c.tree.segments()) > 0 {
		spaces |= unix.CLONE_NEWIPC
	}
	c.Call("unshare", script.Int(spaces)).Or(users)
	c.Jump(done)
	c.Place(users)
	c.Call("unshare", script.Int(spaces|unix.CLONE_NEWUSER)).Says("namespace for process numbers")
	write := func(name, text string) {
		c.Call("open", c.Text(name), script.Int(unix.O_WRONLY|unix.O_CLOEXEC), zero).To(c.work).Says("open %s", name)
		c.Call("write", c.work.Get(), c.Text(text), script.Int(len(text))).Says("write %s", name)
		c.Call("close", c.work.Get())
	}
	st := &c.s.Status
	write("/proc/self/setgroups", "deny")
	write("/proc/self/uid_map", fmt.Sprintf("%d %d 1", st.UIDs[0], st.UIDs[0]))
	write("/proc/self/gid_map", fmt.Sprintf("%d %d 1", st.GIDs[0], st.GIDs[0]))
	c.Place(done)
}
