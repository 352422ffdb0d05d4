package freeze

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"elfwright/freeze/capture"
	"elfwright/freeze/script"
)

// socket makes a socket, or both of a pair that is connected.
func (c *compiler) socket(d *capture.Descriptor) {
	s := d.Socket
	switch {
	case s == nil:
		c.refuseFD(d, "could not be asked what it is")
	case s.Domain != unix.AF_INET && s.Domain != unix.AF_INET6 && s.Domain != unix.AF_UNIX:
		c.refuseFD(d, fmt.Sprintf("is a socket of address family %d", s.Domain))
	case s.OtherFilter:
		c.refuseFD(d, "is a socket with a filter that the kernel does not tell (eBPF)")
	case slices.ContainsFunc(s.Groups, func(g capture.Group) bool { return g.Chosen }):
		c.refuseFD(d, "is a socket that receives from chosen senders of a multicast group only")
	case s.Domain == unix.AF_UNIX && (s.Connected || s.Closed) && !c.onItsOwn(d):
		c.connected(d)
	case s.Connected && s.Type != unix.SOCK_DGRAM:
		c.refuseFD(d, "is a socket that is connected to another process")
	case s.Connecting:
		c.refuseFD(d, "is a socket that is being connected")
	case s.Queued > 0 || len(s.Messages) > 0:
		c.refuseFD(d, fmt.Sprintf("is a socket with %d bytes that were not read yet", s.Queued))
	case s.Backlog > 0:
		c.refuseFD(d, fmt.Sprintf("is a socket with %d connections that were not accepted yet", s.Backlog))
	default:
		c.single(d)
	}
}

// onItsOwn says whether a connected socket of the family AF_UNIX is made alone: it
// sends datagrams to a name. (Two of socketpair(2) have none.)
func (c *compiler) onItsOwn(d *capture.Descriptor) bool {
	return d.Socket.Type == unix.SOCK_DGRAM && len(d.Socket.PeerName) > 2
}

// single makes a socket that needs no other one.
func (c *compiler) single(d *capture.Descriptor) {
	s := d.Socket
	c.Call("socket", script.Int(s.Domain), script.Int(s.Type|unix.SOCK_CLOEXEC|d.Flags&unix.O_NONBLOCK), script.Int(s.Protocol)).To(c.work).Says("%s", describe(d))
	c.put(d)
	fd := script.Int(d.N)
	c.socketOptions(d, fd)
	if bound(s) {
		c.bind(d, fd)
	}
	c.join(d)
	if s.Listening {
		c.Call("listen", fd, script.Int(s.Listen)).Says("%s: listen at %s", describe(d), address(s.Domain, s.Name))
	}
	if s.Connected {
		c.late = append(c.late, func() { // when what is there of its own is bound
			c.Call("connect", fd, script.Int(c.Data(s.PeerName, 8)), script.Int(len(s.PeerName))).Says("%s: connect to %s", describe(d), address(s.Domain, s.PeerName))
		})
	}
}

// socketOptions sets the options, and the filter.
func (c *compiler) socketOptions(d *capture.Descriptor, fd script.Arg) {
	for _, o := range d.Socket.Options {
		value := o.Value
		if o.Halved {
			value = words4(word4(value) / 2)
		}
		c.Call("setsockopt", fd, script.Int(o.Level), script.Int(o.Name), script.Int(c.Data(value, 8)), script.Int(len(value))).Says("%s: option %d, %d", describe(d), o.Level, o.Name)
		if o.Halved {
			c.checkSize(d, fd, o)
		}
	}
	if f := d.Socket.Filter; len(f) > 0 {
		const size = 8 // struct sock_filter
		prog := c.Words(uint64(len(f)/size), c.Data(f, 8))
		c.Call("setsockopt", fd, script.Int(unix.SOL_SOCKET), script.Int(unix.SO_ATTACH_FILTER), prog, script.Int(16)).Says("%s: its filter", describe(d))
	}
}

// checkSize sees whether a buffer is as large as it was: the kernel gives less
// without a word (net.core.rmem_max, wmem_max).
func (c *compiler) checkSize(d *capture.Descriptor, fd script.Arg, o capture.SocketOption) {
	got, ok := c.Words(0), c.Label()
	c.Call("getsockopt", fd, script.Int(o.Level), script.Int(o.Name), got, c.Words(4)).Says("%s: option %d, %d", describe(d), o.Level, o.Name)
	c.Do(script.Equal4, got, script.Int(word4(o.Value))).Or(ok)
	c.lacks("%s: its buffer is smaller than it was, %d bytes (option %d)", describe(d), word4(o.Value), o.Name)
	c.Place(ok)
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

// bind gives a socket its name. A name in the file system that is left over is
// taken away before: one that nobody listens at.
func (c *compiler) bind(d *capture.Descriptor, fd script.Arg) {
	s := d.Socket
	what := fmt.Sprintf("%s: bind %s", describe(d), address(s.Domain, s.Name))
	name, size := script.Int(c.Data(s.Name, 8)), script.Int(len(s.Name))
	path := s.Path()
	if path == "" {
		c.Call("bind", fd, name, size).Says("%s", what)
		return
	}
	done, left := c.Label(), c.Label()
	c.Call("bind", fd, name, size).To(c.tmp)
	c.Do(script.Equal, c.tmp.Get(), zero).Or(done)
	c.Call("socket", script.Int(s.Domain), script.Int(s.Type|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK), script.Int(s.Protocol)).To(c.work).Says("%s", what)
	c.Call("connect", c.work.Get(), name, size).To(c.tmp)
	c.Call("close", c.work.Get())
	c.Do(script.Equal, c.tmp.Get(), script.Int(-int64(unix.ECONNREFUSED))).Or(left)
	c.Call("bind", fd, name, size).Says("%s", what)
	c.Jump(done)
	c.Place(left)
	c.Call("unlink", c.Text(path)).Says("%s", what)
	c.Call("bind", fd, name, size).Says("%s", what)
	c.Place(done)
	if s.FileMode != 0 {
		c.Call("chmod", c.Text(path), script.Int(s.FileMode&0o7777)).Says("%s: its mode", what)
	} else {
		c.Call("unlink", c.Text(path)) // it had lost its name
	}
}

// address prints a socket's name.
func address(domain int, n []byte) string {
	switch {
	case domain == unix.AF_INET && len(n) >= 8:
		return fmt.Sprintf("%d.%d.%d.%d:%d", n[4], n[5], n[6], n[7], int(n[2])<<8|int(n[3]))
	case domain == unix.AF_INET6 && len(n) >= 24:
		return fmt.Sprintf("[%x]:%d", n[8:24], int(n[2])<<8|int(n[3]))
	case domain == unix.AF_UNIX && len(n) > 2:
		return fmt.Sprintf("%q", n[2:])
	}
	return "no address"
}
