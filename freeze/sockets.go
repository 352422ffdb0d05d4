package freeze

import (
	"bytes"
	"fmt"

	"golang.org/x/sys/unix"

	"elfwright/freeze/capture"
	"elfwright/freeze/script"
)

// socket makes a socket that nobody is connected to.
func (c *compiler) socket(d *capture.Descriptor) {
	s := d.Socket
	switch {
	case s == nil:
		c.refuseFD(d, "could not be asked what it is")
		return
	case s.Connected:
		c.connected(d)
		return
	case s.Domain != unix.AF_INET && s.Domain != unix.AF_INET6 && s.Domain != unix.AF_UNIX:
		c.refuseFD(d, fmt.Sprintf("is a socket of address family %d", s.Domain))
		return
	case s.Queued > 0:
		c.refuseFD(d, fmt.Sprintf("is a socket with %d bytes that were not read yet", s.Queued))
		return
	case s.Backlog > 0:
		c.refuseFD(d, fmt.Sprintf("is a socket with %d connections that were not accepted yet", s.Backlog))
		return
	}
	c.Call("socket", script.Int(s.Domain), script.Int(s.Type|unix.SOCK_CLOEXEC|d.Flags&unix.O_NONBLOCK), script.Int(s.Protocol)).To(c.work).Says("%s", describe(d))
	c.put(d)
	fd := script.Int(d.N)
	for _, o := range s.Options {
		c.Call("setsockopt", fd, script.Int(o.Level), script.Int(o.Name), script.Int(c.Data(o.Value, 8)), script.Int(len(o.Value))).Says("%s: option %d, %d", describe(d), o.Level, o.Name)
	}
	if bound(s) {
		c.bind(d)
	}
	if s.Listening {
		c.Call("listen", fd, script.Int(s.Listen)).Says("%s: listen at %s", describe(d), address(s))
	}
}

// bind gives a socket its name. A socket in the file system that nobody listens at
// is left over by a process that was killed; it gives way.
func (c *compiler) bind(d *capture.Descriptor) {
	s := d.Socket
	fd, name, size := script.Int(d.N), script.Int(c.Data(s.Name, 8)), script.Int(len(s.Name))
	if s.Domain != unix.AF_UNIX || s.Name[2] == 0 {
		c.Call("bind", fd, name, size).Says("%s: bind %s", describe(d), address(s))
		return
	}
	taken, stale, done := c.Label(), c.Label(), c.Label()
	c.Call("bind", fd, name, size).Or(taken)
	c.Jump(done)
	c.Place(taken)
	c.Call("socket", script.Int(s.Domain), script.Int(s.Type|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK), zero).To(c.work).Says("%s", describe(d))
	c.Call("connect", c.work.Get(), name, size).To(c.tmp)
	c.Call("close", c.work.Get())
	c.Do(script.Equal, c.tmp.Get(), script.Int(-int(unix.ECONNREFUSED))).Or(stale)
	c.Call("bind", fd, name, size).Says("%s: bind %s", describe(d), address(s))
	c.Place(stale)
	path, _, _ := bytes.Cut(s.Name[2:], []byte{0})
	c.Call("unlink", c.Text(string(path))).Says("%s: remove %s, which nobody listens at", describe(d), path)
	c.Call("bind", fd, name, size).Says("%s: bind %s", describe(d), address(s))
	c.Place(done)
}

// bound says whether a socket has a name of its own.
func bound(s *capture.Socket) bool {
	switch s.Domain {
	case unix.AF_UNIX:
		return len(s.Name) > 2
	case unix.AF_INET, unix.AF_INET6:
		return len(s.Name) >= 4 && (s.Name[2] != 0 || s.Name[3] != 0)
	}
	return false
}

// address prints a socket's name.
func address(s *capture.Socket) string {
	n := s.Name
	switch {
	case s.Domain == unix.AF_INET && len(n) >= 8:
		return fmt.Sprintf("%d.%d.%d.%d:%d", n[4], n[5], n[6], n[7], int(n[2])<<8|int(n[3]))
	case s.Domain == unix.AF_INET6 && len(n) >= 24:
		return fmt.Sprintf("[%x]:%d", n[8:24], int(n[2])<<8|int(n[3]))
	case s.Domain == unix.AF_UNIX && len(n) > 2:
		return fmt.Sprintf("%q", bytes.TrimRight(n[2:], "\x00"))
	}
	return "no address"
}

// connected makes a pair of sockets that are connected to each other.
func (c *compiler) connected(d *capture.Descriptor) {
	s := d.Socket
	if s.Domain != unix.AF_UNIX || s.Peer == 0 {
		c.refuseFD(d, "is a socket that is connected to another process")
		return
	}
	if c.tree != nil && c.tree.outside[d.Link] != 0 {
		c.refuseFD(d, fmt.Sprintf("is a socket that process %d has, too", c.tree.outside[d.Link]))
		return
	}
	var peer *capture.Descriptor
	for i := range c.s.Descriptors {
		if o := &c.s.Descriptors[i]; o.Ino == s.Peer && o.Socket != nil && c.opt.FDs[o.N] == "" {
			peer = o
			break
		}
	}
	if peer == nil || peer.Socket.Peer != d.Ino {
		c.refuseFD(d, "is a socket that is connected to another process")
		return
	}
	if c.pairs[d.Ino] {
		return
	}
	if s.Queued > 0 || peer.Socket.Queued > 0 || bound(s) || bound(peer.Socket) {
		c.refuseFD(d, fmt.Sprintf("is a pair of sockets with %d and %d bytes that were not read yet, or with names", s.Queued, peer.Socket.Queued))
		return
	}
	if c.pairs == nil {
		c.pairs = make(map[uint64]bool)
	}
	c.pairs[d.Ino], c.pairs[peer.Ino] = true, true
	pair := c.Words(0)
	c.Call("socketpair", script.Int(s.Domain), script.Int(s.Type|unix.SOCK_CLOEXEC), script.Int(s.Protocol), pair).Says("%s", describe(d))
	ends := c.ends(pair, describe(d))
	for i, end := range []*capture.Descriptor{d, peer} {
		c.dup(ends[i].Get(), end)
		if end.Flags&unix.O_NONBLOCK != 0 {
			c.Call("fcntl", script.Int(end.N), script.Int(unix.F_SETFL), script.Int(end.Flags&setFlags)).Says("%s: flags", describe(end))
		}
		for _, o := range end.Socket.Options {
			c.Call("setsockopt", script.Int(end.N), script.Int(o.Level), script.Int(o.Name), script.Int(c.Data(o.Value, 8)), script.Int(len(o.Value))).Says("%s: option %d, %d", describe(end), o.Level, o.Name)
		}
		c.Call("close", ends[i].Get())
	}
}
