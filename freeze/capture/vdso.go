package capture

import (
	"encoding/binary"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"elfwright/image"
	"elfwright/proc"
)

// leaveVDSO lets each thread go on for a moment that is within the kernel's own code:
// what that reads may be another in the next process. It is before the memory is
// looked at, for the threads write to it.
func (t *Target) leaveVDSO(s *Snapshot) error {
	maps, err := t.Maps()
	if err != nil {
		return err
	}
	for i := range maps {
		if m := &maps[i]; m.Name == vdsoName {
			return t.leave(m, s.Status.Ignored)
		}
	}
	return nil
}

func (t *Target) leave(vdso *proc.Map, ignored uint64) error {
	const (
		trap  = uint64(1) << (unix.SIGTRAP - 1)
		tries = 1000
		steps = 100000 // a function has some hundreds of instructions
	)
	within := func(th *thread) bool { return vdso.Contains(image.Addr(th.regs.PC())) && !inCall(th.regs) }
	for i := 0; i < len(t.threads); i++ {
		th := t.threads[i]
		if !within(th) {
			continue
		}
		if ignored&trap == 0 {
			if err := t.stepOut(th, within, trap, steps); err != nil {
				return err
			}
			continue
		}
		// A step would make the kernel set the action of SIGTRAP to the default.
		for n := 0; within(th); n++ {
			if n == tries {
				return t.fault("thread %d: does not leave the vDSO", th.tid)
			}
			if err := t.run(th, time.Duration(n)*10*time.Microsecond); err != nil {
				return err
			}
		}
		// It may have started others meanwhile.
		if err := t.seize(); err != nil {
			return err
		}
		i = -1
	}
	return nil
}

func inCall(r Registers) bool {
	_, ok := r.InCall()
	return ok
}

// stepOut lets a thread make one instruction after the other, while all signals are
// blocked but the one that tells of each: a handler would be called from within, and
// if SIGTRAP was blocked, the kernel would drop its action.
func (t *Target) stepOut(th *thread, within func(*thread) bool, trap uint64, steps int) error {
	if err := setMask(th.tid, ^trap); err != nil {
		return t.fault("thread %d: signal mask: %w", th.tid, err)
	}
	for n := 0; within(th); n++ {
		if n == steps {
			return t.fault("thread %d: does not leave the vDSO in %d instructions", th.tid, steps)
		}
		if err := t.instruction(th); err != nil {
			return err
		}
		var err error
		if th.regs, err = getRegisters(th.tid); err != nil {
			return t.fault("thread %d: registers: %w", th.tid, err)
		}
	}
	if err := setMask(th.tid, th.mask); err != nil {
		return t.fault("thread %d: signal mask: %w", th.tid, err)
	}
	return nil
}

// instruction lets a thread make one instruction.
func (t *Target) instruction(th *thread) error {
	for {
		if _, err := ptrace(unix.PTRACE_SINGLESTEP, th.tid, 0, 0); err != nil {
			return t.fault("thread %d: step: %w", th.tid, err)
		}
		ws, err := wait(th.tid)
		switch {
		case err != nil:
			return t.fault("thread %d: wait: %w", th.tid, err)
		case !ws.Stopped():
			return t.fault("thread %d: has ended", th.tid)
		case uint32(ws)>>16 != 0:
		case ws.StopSignal() == unix.SIGTRAP && !sent(th.tid):
			return nil
		default: // it comes again when we are done
			th.stops = append(th.stops, ws.StopSignal())
		}
	}
}

// sent says whether the signal that a thread has stopped for was sent by a process.
func sent(tid int) bool {
	info := make([]byte, siginfoSize)
	if _, err := ptrace(unix.PTRACE_GETSIGINFO, tid, 0, uintptr(unsafe.Pointer(&info[0]))); err != nil {
		return false
	}
	const siCode = 8
	return int32(binary.NativeEndian.Uint32(info[siCode:])) <= 0 // SI_USER, SI_TKILL, SI_QUEUE
}

// run lets a thread run for a moment.
func (t *Target) run(th *thread, moment time.Duration) error {
	if _, err := ptrace(unix.PTRACE_CONT, th.tid, 0, 0); err != nil {
		return t.fault("thread %d: continue: %w", th.tid, err)
	}
	time.Sleep(moment)
	if _, err := ptrace(unix.PTRACE_INTERRUPT, th.tid, 0, 0); err != nil {
		return t.fault("thread %d: interrupt: %w", th.tid, err)
	}
	for {
		ws, err := wait(th.tid)
		switch {
		case err != nil:
			return t.fault("thread %d: wait: %w", th.tid, err)
		case !ws.Stopped():
			return t.fault("thread %d: has ended", th.tid)
		case uint32(ws)>>16 == eventStop:
			return t.registers()
		}
		if _, err := ptrace(unix.PTRACE_CONT, th.tid, 0, uintptr(ws.StopSignal())); err != nil {
			return t.fault("thread %d: continue: %w", th.tid, err)
		}
	}
}
