package freeze

import (
	"fmt"

	"golang.org/x/sys/unix"

	"elfwright/freeze/script"
)

var (
	zero    = script.Int(0)
	minus1  = script.Int(-1)
	anyFile = script.Int(-1) // the descriptor of anonymous mappings
)

// thaw is the whole of what a frozen file does, in order.
func (c *compiler) thaw() {
	c.prepare()
	c.checkFiles()
	c.Call("personality", script.Int(c.s.Personality)).Says("personality %#x", c.s.Personality)
	c.ownDescriptors()
	c.arguments()
	c.number()
	c.compareVDSO()
	c.closeOthers()
	c.become()
}

// prepare makes sure of what is needed here.
func (c *compiler) prepare() {
	// A handler that runs before its stack exists is a crash.
	c.Call("rt_sigprocmask", script.Int(unix.SIG_BLOCK), c.Words(^uint64(0)), zero, script.Int(8)).Says("block signals")
	c.moreFiles()
	c.checkKernel()
	c.arch.check(c)
}

// become makes the process of the one that runs it.
func (c *compiler) become() {
	c.arch.begin(c)
	c.unmap()
	c.arch.mapVDSO(c)
	c.sharedFiles()
	c.mappings()
	c.bounds()
	c.actions()
	c.directory()
	c.descriptors()
	c.limits()
	c.Call("getpid").To(c.pid)
	c.attributes()
	c.threads()
}

// moreFiles raises the limit of descriptors as far as it goes; it is set at the
// end.
func (c *compiler) moreFiles() {
	if c.s.Inherits {
		return
	}
	both := c.Words(0, 0)
	c.Call("getrlimit", script.Int(unix.RLIMIT_NOFILE), both)
	c.Do(script.Load, both, script.Int(8)).To(c.tmp)
	c.Do(script.Store, both, c.tmp.Get())
	c.Call("setrlimit", script.Int(unix.RLIMIT_NOFILE), both)
}

const (
	prSetMM        = 35
	prSetMMMap     = 14
	prSetMMMapSize = 15
	mmMapSize      = 104 // struct prctl_mm_map
)

// checkKernel asks whether the kernel can give a process its bounds.
func (c *compiler) checkKernel() {
	ok := c.Label()
	c.Call("prctl", script.Int(prSetMM), script.Int(prSetMMMapSize), c.tmp.Addr()).Says("this kernel cannot set the bounds of a process's memory (CONFIG_CHECKPOINT_RESTORE)")
	c.Do(script.Equal4, c.tmp.Addr(), script.Int(mmMapSize)).Or(ok)
	c.Do(script.Fail).Says("this kernel sets the bounds of a process's memory in another way (struct prctl_mm_map)")
	c.Place(ok)
	same := c.Label()
	const atPagesz = 6
	c.Do(script.Aux, script.Int(atPagesz)).To(c.tmp).Says("the kernel does not tell the size of a page")
	c.Do(script.Equal, c.tmp.Get(), script.Int(page)).Or(same)
	c.Do(script.Fail).Says("the size of a page is not %#x here", page)
	c.Place(same)
}

// ownDescriptors opens the frozen file, and keeps the place that errors go to,
// both above all descriptors of the process.
func (c *compiler) ownDescriptors() {
	for i := range c.s.Descriptors {
		c.high = max(c.high, c.s.Descriptors[i].N)
	}
	for n := range c.opt.FDs {
		c.high = max(c.high, n)
	}
	c.high++
	c.last = c.Slot()
	c.Do(script.Store, c.last.Addr(), script.Int(c.high-1))
	opened, other := c.Label(), c.Label()
	c.Call("open", c.Text("/proc/self/exe"), script.Int(unix.O_RDONLY|unix.O_CLOEXEC), zero).To(c.work).Or(other)
	c.Jump(opened)
	c.Place(other)
	const atExecfn = 31
	c.Do(script.Aux, script.Int(atExecfn)).To(c.tmp).Says("the kernel does not tell where this file is")
	c.Call("open", c.tmp.Get(), script.Int(unix.O_RDONLY|unix.O_CLOEXEC), zero).To(c.work).Says("open this file")
	c.Place(opened)
	c.exe = c.own(c.work.Get(), "this file")
	c.Call("close", c.work.Get())
	quiet := c.Label()
	errs := c.Slot()
	c.Do(script.Add, c.last.Get(), script.Int(1)).To(c.tmp)
	c.Do(script.Store, c.ErrorsTo().Addr(), minus1) // if there is none, its number may become a file's
	c.Call("fcntl", script.Int(unix.Stderr), script.Int(unix.F_DUPFD_CLOEXEC), c.tmp.Get()).To(errs).Or(quiet)
	c.Do(script.Store, c.ErrorsTo().Addr(), errs.Get())
	c.Do(script.Store, c.last.Addr(), errs.Get())
	c.ours = append(c.ours, errs)
	c.Place(quiet)
	for i := range c.s.Descriptors {
		if n := c.s.Descriptors[i].N; n > 2 && c.opt.FDs[n] == Inherit {
			c.wanted[n] = c.own(script.Int(n), fmt.Sprintf("descriptor %d, which is to be inherited,", n))
		}
	}
}

// own moves a descriptor above all others that are ours.
func (c *compiler) own(fd script.Arg, what string) script.Slot {
	s := c.Slot()
	c.Do(script.Add, c.last.Get(), script.Int(1)).To(c.tmp)
	c.Call("fcntl", fd, script.Int(unix.F_DUPFD_CLOEXEC), c.tmp.Get()).To(s).Says("move %s out of the way", what)
	c.Do(script.Store, c.last.Addr(), s.Get())
	c.ours = append(c.ours, s)
	return s
}

// closeOthers closes all but 0, 1, 2 and what is ours.
func (c *compiler) closeOthers() {
	from := c.Slot()
	c.Do(script.Store, from.Addr(), script.Int(3))
	for _, s := range c.ours {
		skip := c.Label()
		c.Do(script.Equal, s.Get(), zero).Or(skip) // there was none
		c.Do(script.Subtract, s.Get(), script.Int(1)).To(c.tmp)
		c.Call("close_range", from.Get(), c.tmp.Get(), zero)
		c.Do(script.Add, s.Get(), script.Int(1)).To(from)
		c.Place(skip)
	}
	c.Call("close_range", from.Get(), script.Int(uint32(0xffffffff)), zero).Says("close other descriptors (Linux 5.9)")
}

// unmap empties the address space, but for the stub.
func (c *compiler) unmap() {
	start, end := uint64(c.stubAt.Start), uint64(c.stubAt.End())
	c.Call("munmap", zero, script.Int(start)).Says("unmap [0x0, %#x)", start)
	done := c.Label()
	for i, top := range c.arch.taskSizes {
		unmap := c.Call("munmap", script.Int(end), script.Int(top-end))
		if i < len(c.arch.taskSizes)-1 {
			smaller := c.Label()
			unmap.Or(smaller)
			c.Jump(done)
			c.Place(smaller)
			continue
		}
		unmap.Says("unmap [%#x, %#x); a kernel that seals its own mappings (CONFIG_MSEAL_SYSTEM_MAPPINGS) cannot thaw", end, top)
	}
	c.Place(done)
}

// directory sets the working directory and the umask.
func (c *compiler) directory() {
	if !c.s.Inherits {
		c.Call("chdir", c.Text(c.s.CWD.Path)).Says("working directory %s", c.s.CWD.Path)
	}
	if c.s.Status.Umask >= 0 {
		c.Call("umask", script.Int(c.s.Status.Umask))
	}
}
