package freeze

import (
	"strings"

	"golang.org/x/sys/unix"

	"elfwright/freeze/capture"
	"elfwright/freeze/script"
)

// queue opens a message queue by its name (mq_overview(7)): what is in it is in it.
func (c *compiler) queue(d *capture.Descriptor) {
	switch {
	case d.Deleted():
		c.refuseFD(d, "is a message queue that is deleted")
		return
	case d.Told:
		c.refuseFD(d, "is a message queue of which the process is to be told (mq_notify), and the kernel does not tell how")
		return
	}
	flags := d.Flags&^onlyWhenOpening | unix.O_CLOEXEC
	c.Call("mq_open", c.Text(strings.TrimPrefix(d.Link, "/")), script.Int(flags), zero, zero).To(c.work).Says("descriptor %d: message queue %s", d.N, d.Link)
	c.put(d)
}
