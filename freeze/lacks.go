package freeze

import (
	"fmt"

	"golang.org/x/sys/unix"

	"elfwright/freeze/script"
)

// lacks has the thaw say on standard error what the process has otherwise than it
// was, where it can go on without; with Options.Strict it ends there instead. It
// must come before signals that were pending are: a pipe that nobody reads raises
// one, which is taken away.
func (c *compiler) lacks(format string, args ...any) {
	if c.opt.Strict {
		c.Do(script.Fail).Says(format, args...)
		return
	}
	text := "thaw: " + fmt.Sprintf(format, args...) + "\n"
	told, broken := c.Label(), c.Label()
	c.Call("write", c.ErrorsTo().Get(), c.Text(text), script.Int(len(text))).Or(broken)
	c.Jump(told)
	c.Place(broken)
	c.Call("rt_sigtimedwait", c.Words(1<<(uint64(unix.SIGPIPE)-1)), zero, c.Words(0, 0), script.Int(8))
	c.Place(told)
}

// orLacks follows a call that may fail.
func (c *compiler) orLacks(s script.Step, format string, args ...any) {
	failed, done := c.Label(), c.Label()
	s.Or(failed)
	c.Jump(done)
	c.Place(failed)
	c.lacks(format, args...)
	c.Place(done)
}
