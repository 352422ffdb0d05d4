package freeze

import (
	"fmt"

	"golang.org/x/sys/unix"

	"elfwright/freeze/capture"
	"elfwright/freeze/script"
)

// connected makes a pair of sockets that are connected to each other, or one whose
// other end is closed.
func (c *compiler) connected(d *capture.Descriptor) {
	if c.pairs[d.Ino] {
		return
	}
	if c.pairs == nil {
		c.pairs = make(map[uint64]bool)
	}
	s := d.Socket
	peer := c.peerOf(d)
	switch {
	case c.tree != nil && c.tree.outside[d.Link] != 0:
		c.refuseFD(d, fmt.Sprintf("is a socket that process %d has, too", c.tree.outside[d.Link]))
		return
	case peer == nil && !s.Closed:
		c.refuseFD(d, "is a socket that is connected to another process")
		return
	case c.unsendable(d) || peer != nil && c.unsendable(peer):
		return
	case peer != nil:
		c.pairs[peer.Ino] = true
	}
	c.pairs[d.Ino] = true
	for _, end := range []*capture.Descriptor{d, peer} {
		if end != nil {
			c.tellNear(end)
		}
	}
	var ends [2]script.Slot
	if bound(s) || peer != nil && bound(peer.Socket) {
		var ok bool
		if ends, ok = c.namedPair(d, peer); !ok {
			return
		}
	} else {
		pair := c.Words(0)
		c.Call("socketpair", script.Int(s.Domain), script.Int(s.Type|unix.SOCK_CLOEXEC), script.Int(s.Protocol), pair).Says("%s", describe(d))
		ends = c.ends(pair, describe(d))
	}
	both := [2]*capture.Descriptor{d, peer}
	for i, end := range both {
		if end != nil {
			c.dup(ends[i].Get(), end)
			c.socketOptions(end, script.Int(end.N))
		}
	}
	for i, end := range both {
		if end != nil {
			c.say(end, ends[1-i].Get())
		}
	}
	for i, end := range both {
		if end != nil {
			c.finish(end)
		}
		c.Call("close", ends[i].Get())
	}
}

// peerOf finds the other end; nil: the process has it not.
func (c *compiler) peerOf(d *capture.Descriptor) *capture.Descriptor {
	if d.Socket.Peer == 0 {
		return nil
	}
	for i := range c.s.Descriptors {
		if o := &c.s.Descriptors[i]; o.Ino == d.Socket.Peer && o.Socket != nil && c.opt.FDs[o.N] == "" {
			if o.Socket.Peer != d.Ino {
				return nil
			}
			return o
		}
	}
	return nil
}

// unsendable refuses a socket with something unread that cannot be sent again.
func (c *compiler) unsendable(d *capture.Descriptor) bool {
	for _, m := range d.Socket.Messages {
		if m.Files {
			c.refuseFD(d, "is a socket in which descriptors wait to be received (SCM_RIGHTS)")
			return true
		}
	}
	return false
}

// say sends from the other end what the socket had to read.
func (c *compiler) say(d *capture.Descriptor, from script.Arg) {
	for _, m := range d.Socket.Messages {
		if len(m.Data) == 0 {
			c.Call("sendto", from, zero, zero, script.Int(unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT), zero, zero).Says("%s: what was not read yet", describe(d))
			continue
		}
		c.Call("sendto", from, script.Int(c.Data(m.Data, 8)), script.Int(len(m.Data)), script.Int(unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT), zero, zero).
			Exact().Says("%s: what was not read yet", describe(d))
	}
}

// finish sets what would have been in the way: that nothing more is sent or
// received, and flags.
func (c *compiler) finish(d *capture.Descriptor) {
	if how := d.Socket.Shutdown; how != 0 && !d.Socket.Closed {
		c.Call("shutdown", script.Int(d.N), script.Int(how-1)).Says("%s: shutdown", describe(d))
	}
	if d.Flags&unix.O_NONBLOCK != 0 {
		c.Call("fcntl", script.Int(d.N), script.Int(unix.F_SETFL), script.Int(d.Flags&setFlags)).Says("%s: flags", describe(d))
	}
}

// namedPairs makes the pairs that have names, before others have these names.
func (c *compiler) namedPairs() {
	for i := range c.s.Descriptors {
		d := &c.s.Descriptors[i]
		if d.Socket != nil && d.N > 2 && c.opt.FDs[d.N] == "" && d.Socket.Domain == unix.AF_UNIX && d.Socket.Type != unix.SOCK_DGRAM && d.Socket.Connected && bound(d.Socket) {
			c.connected(d)
		}
	}
}

// namedPair connects two sockets of which one has a name: that one is what accept
// returns, so that a socket listens under the name for a moment. Sockets of the
// process that listen there are made later.
func (c *compiler) namedPair(d, peer *capture.Descriptor) (ends [2]script.Slot, ok bool) {
	server, client := 0, 1
	if !bound(d.Socket) {
		server, client = 1, 0
	}
	both := [2]*capture.Descriptor{d, peer}
	named := both[server]
	s := named.Socket
	if s.Type == unix.SOCK_DGRAM {
		c.refuseFD(named, "is one of two sockets for datagrams with names, which are not restored")
		return ends, false
	}
	what := fmt.Sprintf("%s: connected at %s", describe(named), address(s.Domain, s.Name))
	socket := func() script.Slot {
		at := c.Slot()
		c.Call("socket", script.Int(s.Domain), script.Int(s.Type|unix.SOCK_CLOEXEC), script.Int(s.Protocol)).To(c.work).Says("%s", what)
		c.Call("fcntl", c.work.Get(), script.Int(unix.F_DUPFD_CLOEXEC), c.last.Get()).To(at).Says("%s", what)
		c.Call("close", c.work.Get())
		return at
	}
	listener := socket()
	ends[client] = socket()
	if o := both[client]; o != nil && bound(o.Socket) {
		c.bind(o, ends[client].Get())
	}
	c.bind(named, listener.Get())
	c.Call("listen", listener.Get(), script.Int(1)).Says("%s: listen", what)
	c.Call("connect", ends[client].Get(), script.Int(c.Data(s.Name, 8)), script.Int(len(s.Name))).Says("%s: connect", what)
	ends[server] = c.Slot()
	c.Call("accept4", listener.Get(), zero, zero, script.Int(unix.SOCK_CLOEXEC)).To(c.work).Says("%s: accept", what)
	c.Call("fcntl", c.work.Get(), script.Int(unix.F_DUPFD_CLOEXEC), c.last.Get()).To(ends[server]).Says("%s", what)
	c.Call("close", c.work.Get())
	c.Call("close", listener.Get())
	c.isOurs(ends[server].Get(), what)
	return ends, true
}

// isOurs sees whether who was accepted is this process.
func (c *compiler) isOurs(fd script.Arg, what string) {
	cred, ok := c.Words(0, 0), c.Label()
	c.Call("getsockopt", fd, script.Int(unix.SOL_SOCKET), script.Int(unix.SO_PEERCRED), cred, c.Words(12)).Says("%s: SO_PEERCRED", what)
	c.Call("getpid").To(c.tmp)
	c.Do(script.Equal4, cred, c.tmp.Get()).Or(ok)
	c.Do(script.Fail).Says("%s: another process has connected there", what)
	c.Place(ok)
}
