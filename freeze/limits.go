package freeze

import (
	"strconv"

	"golang.org/x/sys/unix"

	"elfwright/freeze/script"
)

// limitNames are the limits of resources by number (getrlimit(2)).
var limitNames = [...]string{
	"CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE", "MEMLOCK", "AS", "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME",
}

// limits sets the limits of resources. A hard limit that is higher than the one
// here needs a privilege: without it the hard one stays, the soft one goes as far,
// and the thaw says so.
func (c *compiler) limits() {
	if c.s.Inherits {
		return
	}
	for i, l := range c.s.Limits {
		done, hard, low := c.Label(), c.Label(), c.Label()
		now := c.Words(0, 0)
		c.Call("setrlimit", script.Int(i), c.Words(l.Cur, l.Max)).Or(hard)
		c.Jump(done)
		c.Place(hard)
		c.Call("getrlimit", script.Int(i), now)
		c.Do(script.Load, now, script.Int(8)).To(c.tmp)
		c.Do(script.Store, now, c.tmp.Get())
		c.Do(script.Below, c.tmp.Get(), script.Int(l.Cur)).Or(low)
		c.Do(script.Store, now, script.Int(l.Cur))
		c.Call("setrlimit", script.Int(i), now).Says("limit RLIMIT_%s", limitNames[i])
		c.lacks("RLIMIT_%s: the hard limit %s is more than is permitted here, the one here stays", limitNames[i], limit(l.Max))
		c.Jump(done)
		c.Place(low)
		c.Call("setrlimit", script.Int(i), now).Says("limit RLIMIT_%s", limitNames[i])
		c.lacks("RLIMIT_%s: %s is more than is permitted here, it is as high as it may be", limitNames[i], limit(l.Cur))
		c.Place(done)
	}
}

// limit prints a limit.
func limit(v uint64) string {
	if v == unix.RLIM_INFINITY {
		return "unlimited"
	}
	return strconv.FormatUint(v, 10)
}
