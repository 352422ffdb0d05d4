package freeze

import (
	"fmt"

	"golang.org/x/sys/unix"

	"elfwright/freeze/capture"
	"elfwright/freeze/script"
)

// owners says for each open file who gets its signals, and which (F_SETOWN,
// F_SETSIG, O_ASYNC). All threads are there by then.
func (c *compiler) owners() {
	for i := range c.s.Descriptors {
		d := &c.s.Descriptors[i]
		switch {
		case c.tree != nil && !c.tree.owns(c, d):
			// the first process that has it does so
		case d.Same != d.N || c.opt.FDs[d.N] != "" || d.Signal == 0 && d.Owner.ID == 0 && d.Flags&unix.O_ASYNC == 0:
		case !c.made[d.N]:
			c.warn("%s: that it sends signals (F_SETOWN, F_SETSIG, O_ASYNC) is not restored, for it is the one that the file is started with", describe(d))
		case d.Mode&unix.S_IFMT == unix.S_IFDIR:
			// Who owns a directory has asked to be told of changes (dnotify).
			c.refuseFD(d, "sends signals when it changes (F_NOTIFY), and the kernel does not tell when")
		default:
			c.owner(d)
		}
	}
}

func (c *compiler) owner(d *capture.Descriptor) {
	fd := script.Int(d.N)
	if d.Signal != 0 {
		c.Call("fcntl", fd, script.Int(unix.F_SETSIG), script.Int(d.Signal)).Says("%s: F_SETSIG %d", describe(d), d.Signal)
	}
	if d.Owner.ID != 0 {
		who, ok := c.whoOwns(d)
		if !ok {
			return
		}
		at := c.Words(uint64(d.Owner.Kind))
		c.Do(script.Add, at, script.Int(4)).To(c.tmp)
		c.Do(script.Store4, c.tmp.Get(), who)
		c.Call("fcntl", fd, script.Int(unix.F_SETOWN_EX), at).Says("%s: F_SETOWN_EX", describe(d))
	}
	if d.Flags&unix.O_ASYNC != 0 {
		c.Call("fcntl", fd, script.Int(unix.F_SETFL), script.Int(d.Flags&(setFlags|unix.O_ASYNC))).Says("%s: O_ASYNC", describe(d))
	}
}

// whoOwns finds the owner among those that the thaw makes.
func (c *compiler) whoOwns(d *capture.Descriptor) (who script.Arg, ok bool) {
	id := int(d.Owner.ID)
	if c.tree != nil {
		return c.relative(d, id)
	}
	switch {
	case d.Owner.Kind == capture.OwnerGroup && id == c.s.Session[1]:
		c.Call("getpgid", zero).To(c.work)
		return c.work.Get(), true
	case d.Owner.Kind != capture.OwnerGroup && id == c.s.Outer:
		return c.pid.Get(), true
	case d.Owner.Kind == capture.OwnerThread && c.hasThread(id):
		if c.opt.PIDs != PIDNew {
			return script.Int(id), true
		}
		c.refuse(describe(d), fmt.Sprintf("sends its signals to thread %d, which gets another number", id), "--pid=ns or --pid=keep")
		return who, false
	}
	what := [...]string{"thread", "process", "process group"}[d.Owner.Kind]
	c.refuseFD(d, fmt.Sprintf("sends its signals to another one, %s %d", what, id))
	return who, false
}

func (c *compiler) hasThread(tid int) bool {
	for i := range c.s.Threads {
		if c.s.Threads[i].TID == tid {
			return true
		}
	}
	return false
}
