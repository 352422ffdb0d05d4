package capture

import (
	"bytes"
	"fmt"
	"runtime"

	"elfwright/machine"
)

// ABI is what differs from machine to machine when a process is asked what it is:
// how it makes system calls, and what state its threads have besides the registers
// that all programs use.
type ABI struct {
	Machine *machine.Machine
	goarch  string
	number  string                                 // the register of a call's number
	made    string                                 // the one that says which call is being made, -1 for none; empty: the kernel has gone back before the call when it can be asked
	result  string                                 // and that of the result
	args    [6]string                              //
	insn    []byte                                 // the instruction
	restart uint64                                 // number of restart_syscall
	blocks  []uint64                               // the calls that go on by it
	loads   func(code []byte) (nr uint64, ok bool) // an instruction that loads a call's number
	// Extended is the note of the registers that are kept apart from the general
	// ones.
	Extended uintptr
}

// steps are what is done with a process because of its machine.
type steps struct {
	// probes are pieces of code that end in a system call; processor runs them, at
	// an address, and notes what they answer.
	probes    []byte
	processor func(t *Target, c *CPU, at uint64) error
	// extra reads what threads of this machine alone have; nil: nothing.
	extra func(t *Target, th *thread, out *Thread) error
	// enter readies a thread that was stopped for its first call; nil: nothing is
	// to be done.
	enter func(t *Target, th *thread) error
}

// abis are the machines whose processes can be frozen.
var abis = []*ABI{x86, arm}

func stepsOf(a *ABI) *steps {
	if a == arm {
		return &armSteps
	}
	return &x86Steps
}

// abi is that of the processes here; nil: none can be frozen.
var abi = native()

func native() *ABI {
	for _, a := range abis {
		if a.goarch == runtime.GOARCH {
			return a
		}
	}
	return nil
}

// supported refuses machines without an ABI, and kernels whose pages are larger than
// the ones that frozen files are laid out for.
func supported() error {
	const page = 0x1000
	switch {
	case abi == nil:
		return fmt.Errorf("processes of %s cannot be frozen so far", runtime.GOARCH)
	case pageSize != page:
		return fmt.Errorf("pages have %#x bytes on this kernel; processes can be frozen so far where they have %#x", pageSize, page)
	}
	return nil
}

// size is that of the register set.
func (a *ABI) size() int {
	last := a.Machine.Status.Slots[len(a.Machine.Status.Slots)-1]
	return last.Off + last.Size
}

// skip has a thread that has just entered a system call make none.
func (a *ABI) skip(tid int, r Registers) error {
	if a.made == "" {
		return skipByNote(tid)
	}
	r = Registers(bytes.Clone(r))
	r.Set(a.made, ^uint64(0))
	return setRegisters(tid, r)
}
