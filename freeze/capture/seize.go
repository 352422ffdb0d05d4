package capture

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"elfwright/proc"
)

// Target is a process whose threads are all stopped.
type Target struct {
	*proc.Process
	threads []*thread // the first is the one that the process began with
	steps   *steps
	insn    uint64 // address of a system call instruction in it
	scratch uint64 // a page of its memory that is ours; 0: none
	kill    bool
	inTree  bool // others of its tree are stopped, too
	pidfd   int  // 0: not opened
	once    once
	blind   bool // as if the kernel did not tell guard pages from others
	began   time.Time
	stopped time.Duration
	copy    *proc.Process // that stands for the process's memory; nil: none
	copyID  uint64        // its number for the process
}

// thread is a stopped thread, as it is to be let go.
type thread struct {
	tid     int
	regs    Registers
	mask    uint64
	masked  bool
	paused  bool          // by a stop signal
	block   bool          // the call that it is in goes on by restart_syscall; see armEnter
	vectors []byte        // what it had in SVE's registers; nil: nothing
	stops   []unix.Signal // stop signals that came while it made our calls
}

// With stops a process, calls fn, and lets the process go on; it is killed
// instead if fn asked for that by [Target.Kill] and returned no error.
func With(pid int, fn func(*Target) error) error {
	p, err := proc.Open(pid)
	if err != nil {
		return err
	}
	t := &Target{Process: p, began: time.Now()}
	defer func() { t.Process.Close() }()
	if err := supported(); err != nil {
		return err
	}
	if err := checkTarget(p); err != nil {
		return err
	}
	// The kernel knows the tracer as a thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	t.steps = stepsOf(abi)
	if err := t.seize(); err != nil {
		return errors.Join(err, t.release())
	}
	err = fn(t)
	if t.pidfd != 0 {
		unix.Close(t.pidfd)
	}
	if err != nil {
		t.kill = false
	}
	err = errors.Join(err, t.release())
	if t.copy != nil {
		err = errors.Join(err, t.dropCopy())
	}
	return err
}

// Stopped says how long the process stood still, once it goes on.
func (t *Target) Stopped() time.Duration { return t.stopped }

// Kill has the process killed in the end.
func (t *Target) Kill() { t.kill = true }

// ReadAt reads memory: off is an address. process_vm_readv(2) copies once where
// /proc/PID/mem copies twice, but does not read what the process itself cannot.
func (t *Target) ReadAt(b []byte, off int64) (int, error) {
	p, n := t.Process, 0
	if t.copy != nil {
		p = t.copy
	}
	if uint64(len(b)) >= pageSize {
		local := []unix.Iovec{{Base: &b[0], Len: uint64(len(b))}}
		remote := []unix.RemoteIovec{{Base: uintptr(off), Len: len(b)}}
		n, _ = unix.ProcessVMReadv(p.PID, local, remote, 0)
		if n == len(b) {
			return n, nil
		}
		n = max(n, 0)
	}
	m, err := p.ReadAt(b[n:], off+int64(n))
	return n + m, err
}

func (t *Target) fault(format string, args ...any) error {
	return fmt.Errorf("process %d: "+format, append([]any{t.PID}, args...)...)
}

// seize stops threads until there are no more to stop: one that runs may start
// others meanwhile.
func (t *Target) seize() error {
	dir := fmt.Sprintf("/proc/%d/task", t.PID)
	for {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return t.fault("%w", err)
		}
		found := 0
		for _, e := range entries {
			tid, err := strconv.Atoi(e.Name())
			if err != nil || slices.ContainsFunc(t.threads, func(th *thread) bool { return th.tid == tid }) {
				continue
			}
			found++
			if err := t.stop(tid); err != nil {
				return err
			}
		}
		if found == 0 {
			break
		}
	}
	slices.SortFunc(t.threads, func(a, b *thread) int {
		if (a.tid == t.PID) != (b.tid == t.PID) {
			if a.tid == t.PID {
				return -1
			}
			return 1
		}
		return a.tid - b.tid
	})
	if len(t.threads) == 0 || t.threads[0].tid != t.PID {
		return t.fault("its first thread has ended while others go on; such a process cannot be frozen")
	}
	return t.registers()
}

// stop stops one thread. One that has ended by then is no error.
func (t *Target) stop(tid int) error {
	if _, err := ptrace(unix.PTRACE_SEIZE, tid, 0, unix.PTRACE_O_TRACESYSGOOD); err != nil {
		if err == unix.ESRCH {
			return nil
		}
		return t.fault("thread %d: %w", tid, seizeError(err, t.PID, tid))
	}
	if _, err := ptrace(unix.PTRACE_INTERRUPT, tid, 0, 0); err != nil {
		return t.fault("thread %d: interrupt: %w", tid, err)
	}
	for {
		ws, err := wait(tid)
		switch {
		case err != nil:
			return t.fault("thread %d: wait: %w", tid, err)
		case !ws.Stopped() && tid == t.PID:
			return t.fault("has ended")
		case !ws.Stopped():
			return nil
		case uint32(ws)>>16 == eventStop:
			// A thread that was stopped already tells by which signal.
			t.threads = append(t.threads, &thread{tid: tid, paused: ws.StopSignal() != unix.SIGTRAP})
			return nil
		}
		// A signal on its way: it is delivered, and the stop comes after it.
		if _, err := ptrace(unix.PTRACE_CONT, tid, 0, uintptr(ws.StopSignal())); err != nil {
			return t.fault("thread %d: continue: %w", tid, err)
		}
	}
}

func seizeError(err error, pid, tid int) error {
	if err != unix.EPERM {
		return fmt.Errorf("ptrace: %w", err)
	}
	if state := threadState(pid, tid); state == 'Z' {
		return errors.New("has ended while other threads go on; such a process cannot be frozen")
	}
	if b, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope"); err == nil && len(b) > 0 && b[0] != '0' {
		return fmt.Errorf("ptrace: not permitted: kernel.yama.ptrace_scope is %c, which lets only ancestors trace; start the program by freeze --run", b[0])
	}
	return errors.New("ptrace: not permitted: another user's process, or one that is not dumpable (set-id, or by its own wish)")
}

func threadState(pid, tid int) byte {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "task", strconv.Itoa(tid), "stat"))
	if err != nil {
		return 0
	}
	s, err := proc.ParseStat(b)
	if err != nil {
		return 0
	}
	return s.State
}

// registers reads what each thread must have again when it is let go.
func (t *Target) registers() error {
	for _, th := range t.threads {
		var err error
		if th.regs, err = getRegisters(th.tid); err != nil {
			return t.fault("thread %d: registers: %w", th.tid, err)
		}
		if th.mask, err = getMask(th.tid); err != nil {
			return t.fault("thread %d: signal mask: %w", th.tid, err)
		}
	}
	return nil
}

// resumed are the registers with which a thread goes on that made calls for us.
func (th *thread) resumed() Registers {
	r := th.regs.Restarted(true)
	if th.block {
		r.Set(abi.number, abi.restart)
	}
	return r
}

// release lets go of the process: what was changed is changed back, and each
// call that was interrupted is made again.
func (t *Target) release() error {
	var errs []error
	if t.kill {
		unix.Kill(t.PID, unix.SIGKILL)
	} else {
		errs = append(errs, t.restore())
	}
	for _, th := range t.threads {
		if _, err := ptrace(unix.PTRACE_DETACH, th.tid, 0, 0); err != nil && err != unix.ESRCH {
			errs = append(errs, err)
		}
		for _, s := range th.stops {
			unix.Tgkill(t.PID, th.tid, s)
		}
	}
	if t.kill {
		t.bury()
	}
	t.threads = nil
	if t.stopped == 0 {
		t.stopped = time.Since(t.began)
	}
	if err := errors.Join(errs...); err != nil {
		return t.fault("letting it go: %w", err)
	}
	return nil
}

// restore makes of the threads what they were before they made our calls. From then on
// the process goes on undisturbed also if we end in the middle of it all.
func (t *Target) restore() error {
	var errs []error
	if t.scratch != 0 {
		errs = append(errs, t.freeScratch())
	}
	for _, th := range t.threads {
		if th.regs == nil || !th.masked {
			continue
		}
		errs = append(errs, setRegisters(th.tid, th.resumed()), setMask(th.tid, th.mask))
		if th.vectors != nil {
			errs = append(errs, setRegset(th.tid, NoteSVE, th.vectors))
		}
		th.masked = false
	}
	return errors.Join(errs...)
}

// bury waits for the threads of a process that was killed. The dead of a tracer are
// nobody else's before it has waited for them: neither the first thread's parent hears
// of its end, nor does wait4 for the first tell anything while there are others.
func (t *Target) bury() {
	for _, th := range t.threads {
		if th.tid != t.PID {
			wait(th.tid)
		}
	}
	b, err := t.read("status")
	if err != nil {
		return
	}
	if s, err := ParseStatus(b); err == nil && s.PPID != os.Getpid() { // our own child is buried by who started it
		wait(t.PID)
	}
}
