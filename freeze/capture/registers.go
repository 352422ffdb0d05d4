package capture

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/sys/unix"

	"elfwright/machine"
	"elfwright/machine/amd64"
)

// Registers are the content of NT_PRSTATUS's register set, as machine.Status
// names its slots.
type Registers []byte

// ABI is how a machine makes system calls.
type ABI struct {
	Machine *machine.Machine
	number  string    // the register of a call's number
	made    string    // the one that says which call is being made; -1 for none
	result  string    // and that of the result
	args    [6]string //
	insn    []byte    // the instruction
	restart uint64    // number of restart_syscall
	Xstate  uintptr   // the note that has the extended state
}

// x86-64 psABI, appendix A.2, and Linux, arch/x86/include/asm/syscall.h.
var abi = &ABI{
	Machine: amd64.Machine, number: "rax", made: "orig_rax", result: "rax", args: [6]string{"rdi", "rsi", "rdx", "r10", "r8", "r9"},
	insn: []byte{0x0f, 0x05}, restart: 219, Xstate: 0x202,
}

// Get is a register's value.
func (r Registers) Get(name string) uint64 {
	s, ok := abi.Machine.Status.Slot(name)
	if !ok {
		panic("capture: no register " + name)
	}
	return binary.LittleEndian.Uint64(r[s.Off:])
}

// Set changes a register.
func (r Registers) Set(name string, v uint64) {
	s, ok := abi.Machine.Status.Slot(name)
	if !ok {
		panic("capture: no register " + name)
	}
	binary.LittleEndian.PutUint64(r[s.Off:], v)
}

// PC is where the thread goes on.
func (r Registers) PC() uint64 { return r.Get(abi.Machine.Status.PC) }

// SP is the stack pointer.
func (r Registers) SP() uint64 { return r.Get(abi.Machine.Status.SP) }

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
// the kernel keeps a block; a new process has none, and begins anew.
func (r Registers) Restarted(block bool) Registers {
	out := bytes.Clone(r)
	n := Registers(out)
	if int64(r.Get(abi.made)) < 0 {
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

// InCall says whether the thread was stopped in a system call, and in which.
func (r Registers) InCall() (nr uint64, ok bool) {
	nr = r.Get(abi.made)
	return nr, int64(nr) >= 0
}

// callWith returns registers with which a thread makes a system call at pc.
func (r Registers) callWith(pc, nr uint64, args []uint64) Registers {
	n := Registers(bytes.Clone(r))
	n.Set(abi.number, nr)
	n.Set(abi.made, ^uint64(0))
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
	return Registers(b), err
}

func setRegisters(tid int, r Registers) error {
	const notePrstatus = 1
	return setRegset(tid, notePrstatus, r)
}

// pageSize is that of the machine we run on.
var pageSize = uint64(unix.Getpagesize())
