package freeze

import (
	"fmt"
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

// any is one of the descriptors of the pipe.
func (p *pipe) any() *capture.Descriptor {
	if len(p.read) > 0 {
		return p.read[0]
	}
	return p.write[0]
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
		if (len(p.read) == 0 || len(p.write) == 0) && !c.otherGone(p.any()) {
			delete(all, ino)
		}
	}
	return all
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
	first := p.any()
	pair := c.Words(0)
	c.Call("pipe2", pair, script.Int(unix.O_CLOEXEC|first.Flags&unix.O_DIRECT)).Says("%s", describe(first))
	ends := c.ends(pair, describe(first))
	c.Call("fcntl", ends[1].Get(), script.Int(unix.F_SETPIPE_SZ), script.Int(first.Size2)).Says("%s: size %d", describe(first), first.Size2)
	if n := len(first.Content); n > 0 {
		c.Call("write", ends[1].Get(), script.Int(c.Data(first.Content, 1)), script.Int(n)).Exact().Says("%s: contents", describe(first))
	}
	for i, list := range [][]*capture.Descriptor{p.read, p.write} {
		for _, d := range list {
			c.dup(ends[i].Get(), d)
		}
		if len(list) == 0 {
			c.Call("close", ends[i].Get())
			continue
		}
		if flags := list[0].Flags & setFlags &^ unix.O_DIRECT; flags != 0 {
			c.Call("fcntl", ends[i].Get(), script.Int(unix.F_SETFL), script.Int(flags)).Says("%s: flags", describe(list[0]))
		}
		c.Call("close", ends[i].Get())
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

// namedFIFO opens a FIFO by its path. To open one for writing alone waits for a
// reader.
func (c *compiler) namedFIFO(d *capture.Descriptor) {
	if d.Deleted() || d.Flags&unix.O_ACCMODE == unix.O_WRONLY {
		c.refuseFD(d, "is a FIFO that cannot be opened without its other end")
		return
	}
	if !c.nameIsFile(d) {
		return
	}
	c.reopen(d, d.Link, d.Flags|unix.O_NONBLOCK)
	c.isKind(d, unix.S_IFIFO, "a FIFO")
	c.Call("fcntl", script.Int(d.N), script.Int(unix.F_SETFL), script.Int(d.Flags&setFlags)).Says("%s: flags", describe(d))
}
