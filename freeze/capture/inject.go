package capture

import (
	"bytes"

	"golang.org/x/sys/unix"

	"elfwright/image"
)

// A call that the process makes for us: all its signals are blocked meanwhile,
// and it is let run from the call's entry to its exit only. (A single step would
// raise SIGTRAP, and one that is blocked makes the kernel drop its handler.)

// call has a thread make a system call.
func (t *Target) call(th *thread, name string, args ...uint64) (uint64, error) {
	nr, ok := abi.Machine.Linux.Lookup(name)
	if !ok {
		return 0, t.fault("%s has no system call %s", abi.Machine.Name, name)
	}
	if !th.masked {
		th.masked = true
		if err := setMask(th.tid, ^uint64(0)); err != nil {
			return 0, t.fault("thread %d: signal mask: %w", th.tid, err)
		}
		if t.steps.enter != nil {
			if err := t.steps.enter(t, th); err != nil {
				return 0, err
			}
		}
	}
	if err := setRegisters(th.tid, th.regs.callWith(t.insn, uint64(nr), args)); err != nil {
		return 0, t.fault("thread %d: registers: %w", th.tid, err)
	}
	for range 2 {
		if err := t.toSyscallStop(th); err != nil {
			return 0, err
		}
	}
	r, err := getRegisters(th.tid)
	if err != nil {
		return 0, t.fault("thread %d: registers: %w", th.tid, err)
	}
	if v := r.Get(abi.result); v <= ^uint64(0)-4095 {
		return v, nil
	} else {
		return 0, unix.Errno(-v)
	}
}

// toSyscallStop lets a thread run to the entry or exit of a call.
func (t *Target) toSyscallStop(th *thread) error {
	for {
		if _, err := ptrace(unix.PTRACE_SYSCALL, th.tid, 0, 0); err != nil {
			return t.fault("thread %d: continue: %w", th.tid, err)
		}
		ws, err := wait(th.tid)
		switch {
		case err != nil:
			return t.fault("thread %d: wait: %w", th.tid, err)
		case !ws.Stopped():
			return t.fault("thread %d: has ended", th.tid)
		case ws.StopSignal() == syscallStop:
			return nil
		case uint32(ws)>>16 == 0:
			// Only SIGSTOP cannot be blocked; it comes again when we are done.
			th.stops = append(th.stops, ws.StopSignal())
		}
	}
}

// findInsn looks for the machine's system call instruction in the code of the
// process: first in the vDSO, then anywhere.
func (t *Target) findInsn(maps []Map) error {
	for _, vdso := range []bool{true, false} {
		for i := range maps {
			m := &maps[i]
			if !m.Exec() || (m.Name == vdsoName) != vdso || m.Name == vsyscallName {
				continue
			}
			b, err := t.Memory(image.Range{Start: m.Start, Size: min(m.Size, 64<<20)})
			if err != nil && len(b) == 0 {
				continue
			}
			if at := bytes.Index(b, abi.insn); at >= 0 {
				t.insn = uint64(m.Start) + uint64(at)
				return nil
			}
		}
	}
	return t.fault("no code in it makes a system call, by which it could be asked")
}

func (t *Target) makeScratch() (err error) {
	t.scratch, err = t.call(t.threads[0], "mmap", 0, pageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, ^uint64(0), 0)
	if err != nil {
		return t.fault("a page for answers: mmap: %w", err)
	}
	return nil
}

func (t *Target) freeScratch() error {
	at := t.scratch
	t.scratch = 0
	_, err := t.call(t.threads[0], "munmap", at, pageSize)
	return err
}

// answer has a thread make a call that writes n bytes to the scratch page, which
// is the argument at index where.
func (t *Target) answer(th *thread, n uint64, where int, name string, args ...uint64) ([]byte, error) {
	args[where] = t.scratch
	if _, err := t.call(th, name, args...); err != nil {
		return nil, err
	}
	return t.Memory(image.Range{Start: image.Addr(t.scratch), Size: n})
}
