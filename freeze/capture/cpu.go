package capture

import (
	"debug/buildinfo"
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// CPU is what the process may know of its processor.
type CPU struct {
	Leaves []Leaf // of x86
	XCR0   uint64
	Arm    *ArmCPU
}

// Leaf is what CPUID answers: eax, ebx, ecx, edx.
type Leaf struct {
	Leaf, Sub uint32
	Words     [4]uint32
}

// Find returns the answer for a leaf, zeros if there is none.
func (c *CPU) Find(leaf, sub uint32) [4]uint32 {
	for _, l := range c.Leaves {
		if l.Leaf == leaf && l.Sub == sub {
			return l.Words
		}
	}
	return [4]uint32{}
}

// processor asks the processor as the process would.
func (t *Target) processor(s *Snapshot) error {
	info, err := buildinfo.ReadFile(t.path("exe"))
	s.Go = err == nil && info.GoVersion != ""
	main := t.threads[0]
	page, err := t.call(main, "mmap", 0, pageSize, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, ^uint64(0), 0)
	if err != nil {
		return t.fault("a page for code: mmap: %w", err)
	}
	for i := 0; i < len(t.steps.probes); i += 8 {
		if _, err := ptrace(unix.PTRACE_POKEDATA, t.PID, uintptr(page)+uintptr(i), uintptr(binary.LittleEndian.Uint64(t.steps.probes[i:]))); err != nil {
			return t.fault("a page for code: %w", err)
		}
	}
	err = t.steps.processor(t, &s.CPU, page)
	if _, e := t.call(main, "munmap", page, pageSize); err == nil && e != nil {
		err = t.fault("munmap: %w", e)
	}
	return err
}

// probe runs a piece of code up to its system call, with some registers set, and
// returns the registers as they are there. The call is not made: it has no number.
func (t *Target) probe(at uint64, set map[string]uint64) (Registers, error) {
	th := t.threads[0]
	r := th.regs.callWith(at, ^uint64(0), nil)
	for name, v := range set {
		r.Set(name, v)
	}
	if err := setRegisters(th.tid, r); err != nil {
		return nil, t.fault("registers: %w", err)
	}
	if err := t.toSyscallStop(th); err != nil {
		return nil, err
	}
	seen, err := getRegisters(th.tid)
	if err != nil {
		return nil, t.fault("registers: %w", err)
	}
	if err := abi.skip(th.tid, seen); err != nil {
		return nil, t.fault("registers: %w", err)
	}
	return seen, t.toSyscallStop(th)
}
