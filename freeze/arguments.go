package freeze

import (
	"fmt"

	"golang.org/x/sys/unix"

	"elfwright/freeze/script"
)

// arguments keeps the arguments and the environment that the file is started with
// in a memfd: argc in 4 bytes, then all strings, each with a NUL behind it.
func (c *compiler) arguments() {
	if c.opt.ArgsFD <= 0 {
		return
	}
	if !c.has(c.opt.ArgsFD) {
		c.refuse(fmt.Sprintf("descriptor %d for the arguments", c.opt.ArgsFD), "the process has none", "")
	}
	c.Call("memfd_create", c.Text("arguments"), script.Int(mfdCloexec)).To(c.work).Says("memfd for the arguments")
	c.argsFD = c.own(c.work.Get(), "memfd for the arguments")
	c.Call("close", c.work.Get())
	sp := c.StartSP()
	// The kernel puts all strings in one piece: arguments, environment, and behind
	// them the path that AT_EXECFN points to (create_elf_tables).
	const atExecfn = 31
	first, end, argc := c.Slot(), c.Slot(), c.Slot()
	c.Do(script.Load, sp.Get(), zero).To(argc)
	c.Do(script.Load, sp.Get(), script.Int(8)).To(first)
	c.Do(script.Aux, script.Int(atExecfn)).To(end).Says("the kernel does not tell where the arguments end")
	c.Do(script.Subtract, end.Get(), first.Get()).To(end)
	c.Call("write", c.argsFD.Get(), argc.Addr(), script.Int(4)).Exact().Says("arguments")
	c.Call("write", c.argsFD.Get(), first.Get(), end.Get()).Exact().Says("arguments")
	c.Call("lseek", c.argsFD.Get(), zero, script.Int(unix.SEEK_SET))
}
