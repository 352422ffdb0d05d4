package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// Registers are the content of NT_PRSTATUS's register set, as machine.Status
// names its slots.
type Registers []byte

// Get is a register's value.
func (r Registers) Get(name string) uint64 {
	return binary.LittleEndian.Uint64(r[r.slot(name):])
}

// Set changes a register.
func (r Registers) Set(name string, v uint64) {
	binary.LittleEndian.PutUint64(r[r.slot(name):], v)
}

// abi is that of the machine whose registers they are: no two sets have one size.
func (r Registers) abi() *ABI {
	for _, a := range abis {
		if a.size() == len(r) {
			return a
		}
	}
	panic("capture: no machine has that many registers")
}

func (r Registers) slot(name string) int {
	s, ok := r.abi().Machine.Status.Slot(name)
	if !ok {
		panic("capture: no register " + name)
	}
	return s.Off
}

// PC is where the thread goes on.
func (r Registers) PC() uint64 { return r.Get(r.abi().Machine.Status.PC) }

// SetPC changes where the thread goes on.
func (r Registers) SetPC(v uint64) { r.Set(r.abi().Machine.Status.PC, v) }

// SP is the stack pointer.
func (r Registers) SP() uint64 { return r.Get(r.abi().Machine.Status.SP) }

// What a call that is to be made again returns within the kernel
// (include/linux/errno.h).
const (
	restartSys     = -512
	restartNoIntr  = -513
	restartNoHand  = -514
	restartByBlock = -516
)

// Restarted returns the registers of a thread that was stopped in a system call
// as the kernel would set them if no signal had come (arch_do_signal_or_restart):
// the call is made again. A call that goes on in another way than it began
// (nanosleep, poll, a futex with a timeout) does so by restart_syscall, for which
// the kernel keeps a block; a new process has none, and begins anew. Where a
// machine does not tell the call that is being made, the kernel has already gone
// back before it.
func (r Registers) Restarted(block bool) Registers {
	n, abi := Registers(bytes.Clone(r)), r.abi()
	if _, ok := r.InCall(); !ok {
		return n
	}
	again := r.Get(abi.made)
	switch int64(r.Get(abi.result)) {
	case restartSys, restartNoIntr, restartNoHand:
	case restartByBlock:
		if block {
			again = abi.restart
		}
	default:
		return n
	}
	n.Set(abi.number, again)
	n.Set(abi.made, ^uint64(0))
	n.Set(abi.Machine.Status.PC, r.PC()-uint64(len(abi.insn)))
	return n
}

// InCall says whether the thread was stopped in a system call, and in which, as
// far as the machine's registers tell.
func (r Registers) InCall() (nr uint64, ok bool) {
	abi := r.abi()
	if abi.made == "" {
		return 0, false
	}
	nr = r.Get(abi.made)
	return nr, int64(nr) >= 0
}

// callWith returns registers with which a thread makes a system call at pc.
func (r Registers) callWith(pc, nr uint64, args []uint64) Registers {
	n, abi := Registers(bytes.Clone(r)), r.abi()
	n.Set(abi.number, nr)
	if abi.made != "" {
		n.Set(abi.made, ^uint64(0))
	}
	n.Set(abi.Machine.Status.PC, pc)
	for i, name := range abi.args {
		v := uint64(0)
		if i < len(args) {
			v = args[i]
		}
		n.Set(name, v)
	}
	return n
}

func getRegisters(tid int) (Registers, error) {
	const notePrstatus = 1
	b, err := getRegset(tid, notePrstatus, make([]byte, 512))
	if err == nil && len(b) != abi.size() {
		err = fmt.Errorf("%d bytes of registers are not those of %s", len(b), abi.Machine.Name)
	}
	return Registers(b), err
}

func setRegisters(tid int, r Registers) error {
	const notePrstatus = 1
	return setRegset(tid, notePrstatus, r)
}

// pageSize is that of the machine we run on.
var pageSize = uint64(unix.Getpagesize())
