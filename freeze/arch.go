package freeze

import (
	"elfwright/freeze/capture"
	"elfwright/machine"
)

// arch is what differs from machine to machine in a frozen file, and in what it
// does.
type arch struct {
	*machine.Machine

	// taskSizes are where user memory may end, the usual one first: what a kernel
	// is configured for, whatever the processor has.
	taskSizes []uint64
	highest   uint64 // above it the kernel may put the new stack
	stat      statLayout
	epollPad  int // bytes between events and data in struct epoll_event

	// check refuses a processor that is not good enough, before anything is undone.
	check func(c *compiler)
	// thread gives the thread that runs it what only this machine has.
	thread func(c *compiler, t *capture.Thread, says func(what string) string)
	// frame writes the frame of a signal that a thread would return from, and
	// returns the stack pointer for that: rt_sigreturn brings back all registers, the
	// signal mask and the alternate stack at once.
	frame func(c *compiler, t *capture.Thread) uint64
	// begin is what is done before the old memory is unmapped, mapVDSO afterwards.
	begin   func(c *compiler)
	mapVDSO func(c *compiler)
	// parking is room behind the script, and as much again behind that which the
	// process has free, where the kernel's own code waits meanwhile.
	parking uint64
	vdso    vdsoCode
}

// statLayout are offsets in struct stat.
type statLayout struct{ size, mode, mtime uint64 }

// vdsoCode is how code replaces functions of the vDSO.
type vdsoCode struct {
	prefix string            // of their names
	keep   string            // the function that needs no data and stays
	calls  map[string]uint32 // the calls that they make when they cannot answer by themselves
	call   func(nr uint32) []byte
	none   []byte // returns -ENOSYS
}

// archOf finds the machine of a process.
func archOf(s *capture.Snapshot) *arch {
	if s.Machine == arm64.Name {
		return arm64
	}
	return amd64
}
