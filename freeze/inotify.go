package freeze

import (
	"fmt"

	"golang.org/x/sys/unix"

	"elfwright/freeze/capture"
	"elfwright/freeze/script"
)

// inotify makes an inotify instance that watches the same files under the same
// numbers.
func (c *compiler) inotify(d *capture.Descriptor) {
	if d.Queued > 0 {
		c.refuseFD(d, fmt.Sprintf("has %d bytes of events that were not read yet", d.Queued))
		return
	}
	for _, w := range d.Watches {
		if w.Path == "" {
			c.refuseFD(d, fmt.Sprintf("watches a file (watch %d), and its path is not to be found", w.WD))
			return
		}
	}
	c.Call("inotify_init1", script.Int(d.Flags&unix.O_NONBLOCK)).To(c.work).Says("%s", describe(d))
	c.put(d)
	// The kernel gives numbers in ascending order, from one that can be set
	// (CONFIG_CHECKPOINT_RESTORE, Linux 4.16).
	const setNextWD = 0x40044900 // INOTIFY_IOC_SETNEXTWD
	for _, w := range d.Watches {
		c.Call("ioctl", script.Int(d.N), script.Int(setNextWD), script.Int(w.WD)).Says("%s: number %d of a watch", describe(d), w.WD)
		c.Call("inotify_add_watch", script.Int(d.N), c.Text(w.Path), script.Int(w.Mask)).To(c.tmp).Says("%s: watch %s", describe(d), w.Path)
		right := c.Label()
		c.Do(script.Equal, c.tmp.Get(), script.Int(w.WD)).Or(right)
		c.Do(script.Fail).Says("%s: watch %s: its number is not to be had", describe(d), w.Path)
		c.Place(right)
	}
}
