package freeze

import (
	"golang.org/x/sys/unix"

	"elfwright/freeze/capture"
	"elfwright/freeze/script"
)

// namedFIFO opens a FIFO by its path, and puts into it what was in it, unless
// somebody has put something there. To open one for writing alone waits for a
// reader; we are one meanwhile.
func (c *compiler) namedFIFO(d *capture.Descriptor) {
	if d.Deleted() {
		c.refuseFD(d, "is a FIFO that is deleted")
		return
	}
	if !c.nameIsFile(d) {
		return
	}
	mode := d.Flags & unix.O_ACCMODE
	helper := c.Slot()
	if mode == unix.O_WRONLY || len(d.Packets) > 0 {
		c.Call("open", c.Text(d.Link), script.Int(unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC), zero).To(c.work).Says("descriptor %d: open %s", d.N, d.Link)
		c.Call("fcntl", c.work.Get(), script.Int(unix.F_DUPFD_CLOEXEC), c.last.Get()).To(helper).Says("%s", describe(d))
		c.Call("close", c.work.Get())
	}
	c.reopen(d, d.Link, d.Flags|unix.O_NONBLOCK)
	c.isKind(d, unix.S_IFIFO, "a FIFO")
	c.Call("fcntl", script.Int(d.N), script.Int(unix.F_SETFL), script.Int(d.Flags&setFlags)).Says("%s: flags", describe(d))
	c.Call("fcntl", script.Int(d.N), script.Int(unix.F_SETPIPE_SZ), script.Int(d.Size2)).Says("%s: size %d", describe(d), d.Size2)
	if len(d.Packets) > 0 {
		c.refill(d, helper)
	}
	if mode == unix.O_WRONLY || len(d.Packets) > 0 {
		c.Call("close", helper.Get())
	}
}

// refill writes what was in a FIFO.
func (c *compiler) refill(d *capture.Descriptor, to script.Slot) {
	there, some := c.Words(0), c.Label()
	c.Call("ioctl", script.Int(d.N), script.Int(unix.TIOCINQ), there).Says("%s: FIONREAD", describe(d))
	empty := c.Label()
	c.Do(script.Equal4, there, zero).Or(empty)
	c.Jump(some)
	c.Place(empty)
	for _, b := range d.Packets {
		c.Call("write", to.Get(), script.Int(c.Data(b, 1)), script.Int(len(b))).Exact().Says("%s: contents", describe(d))
	}
	c.Place(some)
}
