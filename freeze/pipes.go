package freeze

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"elfwright/freeze/capture"
	"elfwright/freeze/script"
)

// pipe is a pipe of which the process has both ends.
type pipe struct {
	read, write []*capture.Descriptor
	made        bool
}

// pipes finds them, by inode.
func (c *compiler) pipes() map[uint64]*pipe {
	all := make(map[uint64]*pipe)
	for i := range c.s.Descriptors {
		d := &c.s.Descriptors[i]
		if d.Mode&unix.S_IFMT != unix.S_IFIFO || !strings.HasPrefix(d.Link, "pipe:") || c.opt.FDs[d.N] != "" {
			continue
		}
		p := all[d.Ino]
		if p == nil {
			p = &pipe{}
			all[d.Ino] = p
		}
		switch d.Flags & unix.O_ACCMODE {
		case unix.O_RDONLY:
			p.read = append(p.read, d)
		case unix.O_WRONLY:
			p.write = append(p.write, d)
		default:
			p.read, p.write = append(p.read, d), append(p.write, d)
		}
	}
	for ino, p := range all {
		if (len(p.read) == 0 || len(p.write) == 0) && !p.gone() && !c.otherGone(p.any()) {
			delete(all, ino)
		}
	}
	return all
}

// any is one of the descriptors of the pipe.
func (p *pipe) any() *capture.Descriptor { return slices.Concat(p.read, p.write)[0] }

// gone says whether nobody has the other end, and none of ours is one that the file
// is started with.
func (p *pipe) gone() bool {
	for _, d := range slices.Concat(p.read, p.write) {
		if !d.Gone && d.Same == d.N || d.N <= 2 {
			return false
		}
	}
	return true
}

func (c *compiler) fifo(d *capture.Descriptor, pipes map[uint64]*pipe) {
	if !strings.HasPrefix(d.Link, "pipe:") {
		c.namedFIFO(d)
		return
	}
	p := pipes[d.Ino]
	if p == nil {
		end := "reading"
		if d.Flags&unix.O_ACCMODE != unix.O_RDONLY {
			end = "writing"
		}
		c.refuseFD(d, "is a pipe for "+end+", whose other end is "+c.whose(d))
		return
	}
	if c.tree != nil && c.tree.outside[d.Link] != 0 {
		c.refuseFD(d, fmt.Sprintf("is a pipe that process %d has, too", c.tree.outside[d.Link]))
		return
	}
	if !p.made {
		p.made = true
		c.pipe(p)
	}
}

// pipe makes the pipe, and all descriptors of it.
func (c *compiler) pipe(p *pipe) {
	both := [2][]*capture.Descriptor{p.read, p.write}
	first := slices.Concat(p.read, p.write)[0]
	c.tellNear(first)
	pair, direct := c.Words(0), 0
	if len(first.Packets) > 1 || len(p.write) > 0 && p.write[0].Flags&unix.O_DIRECT != 0 {
		direct = unix.O_DIRECT
	}
	c.Call("pipe2", pair, script.Int(unix.O_CLOEXEC|direct)).Says("%s", describe(first))
	ends := c.ends(pair, describe(first))
	c.Call("fcntl", ends[1].Get(), script.Int(unix.F_SETPIPE_SZ), script.Int(first.Size2)).Says("%s: size %d", describe(first), first.Size2)
	for _, b := range first.Packets {
		c.Call("write", ends[1].Get(), script.Int(c.Data(b, 1)), script.Int(len(b))).Exact().Says("%s: contents", describe(first))
	}
	for i, list := range both {
		for _, d := range list {
			c.pipeEnd(d, ends[i], list[0], i*direct)
		}
	}
	c.Call("close", ends[0].Get())
	c.Call("close", ends[1].Get())
}

// tellNear warns of what is restored with both ends, and is not what another
// process has any more.
func (c *compiler) tellNear(d *capture.Descriptor) {
	if pid := c.s.Near[d.Link]; pid != 0 {
		c.warn("%s: process %d has it open, too; the thawed process has one of its own", describe(d), pid)
	}
}

// pipeEnd makes a descriptor of an end. One that is not the open file of the first
// was opened by its link in /proc, and is again.
func (c *compiler) pipeEnd(d *capture.Descriptor, end script.Slot, first *capture.Descriptor, direct int) {
	rdwr := d.Flags&unix.O_ACCMODE == unix.O_RDWR
	switch {
	case d.Same != d.N && c.opt.FDs[d.Same] == "":
		c.dup(script.Int(d.Same), d)
	case d == first && !rdwr:
		c.dup(end.Get(), d)
		if flags := d.Flags & setFlags; flags != direct {
			c.Call("fcntl", script.Int(d.N), script.Int(unix.F_SETFL), script.Int(flags)).Says("%s: flags", describe(d))
		}
	default:
		c.dup(end.Get(), d)
		c.reopen(d, fmt.Sprintf("/proc/self/fd/%d", d.N), d.Flags)
	}
}

// ends moves the two descriptors that pipe2 or socketpair wrote above those of the
// process.
func (c *compiler) ends(pair script.Arg, what string) (ends [2]script.Slot) {
	for i := range ends {
		ends[i] = c.Slot()
		c.Do(script.Load4, pair, script.Int(4*i)).To(c.work)
		c.Call("fcntl", c.work.Get(), script.Int(unix.F_DUPFD_CLOEXEC), c.last.Get()).To(ends[i]).Says("%s", what)
	}
	for i := range ends {
		c.Do(script.Load4, pair, script.Int(4*i)).To(c.work)
		c.Call("close", c.work.Get())
	}
	return ends
}
