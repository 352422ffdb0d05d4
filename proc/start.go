package proc

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"elfwright/image"
)

// Run is a program to start.
type Run struct {
	Path       string
	Args, Env  []string
	StackLimit uint64 // RLIMIT_STACK; 0 leaves it as it is
}

// Stopped is a program that is stopped before its first instruction, without
// address randomisation.
type Stopped struct {
	*Process
	PC, SP image.Addr
}

// Fate is how a program that did not get as far as its first instruction ended.
type Fate struct {
	Errno  unix.Errno  // of execve
	Signal unix.Signal // that killed it past the point of no return
}

// Error tells it.
func (f *Fate) Error() string {
	if f.Signal != 0 {
		return "killed by " + unix.SignalName(f.Signal)
	}
	return "execve: " + unix.ErrnoName(f.Errno)
}

const addrNoRandomize = 0x0040000 // ADDR_NO_RANDOMIZE, personality(2)

// Start starts a program without address randomisation and calls fn while it is
// stopped before its first instruction; then the program is killed. The error is
// a *Fate where the kernel did not start it.
//
// Set-user-ID and set-group-ID programs are randomised all the same
// (PER_CLEAR_ON_SETID): run a copy of them.
func Start(run Run, fn func(*Stopped) error) error {
	// Personality and ptrace belong to the thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	old, _, errno := unix.Syscall(unix.SYS_PERSONALITY, 0xffffffff, 0, 0)
	if errno != 0 {
		return fmt.Errorf("personality: %w", errno)
	}
	if _, _, errno := unix.Syscall(unix.SYS_PERSONALITY, old|addrNoRandomize, 0, 0); errno != 0 {
		return fmt.Errorf("personality: %w", errno)
	}
	defer unix.Syscall(unix.SYS_PERSONALITY, old, 0, 0)
	proc, err := startLimited(run)
	if err != nil {
		if e, ok := errors.AsType[unix.Errno](err); ok {
			return &Fate{Errno: e}
		}
		return err
	}
	defer func() {
		proc.Kill()
		var ws unix.WaitStatus
		unix.Wait4(proc.Pid, &ws, 0, nil)
		proc.Release()
	}()
	if err := stopped(proc.Pid); err != nil {
		return fmt.Errorf("%s: %w", run.Path, err)
	}
	p, err := Open(proc.Pid)
	if err != nil {
		return err
	}
	defer p.Close()
	s := &Stopped{Process: p}
	if s.PC, s.SP, err = p.registers(); err != nil {
		return err
	}
	return fn(s)
}

// stopped waits until a traced program has done its execve; the error is a *Fate
// where that killed it.
func stopped(pid int) error {
	var ws unix.WaitStatus
	if _, err := unix.Wait4(pid, &ws, 0, nil); err != nil {
		return fmt.Errorf("wait: %w", err)
	}
	switch {
	case ws.Signaled():
		return &Fate{Signal: ws.Signal()}
	case ws.Stopped() && ws.StopSignal() != unix.SIGTRAP:
		return &Fate{Signal: ws.StopSignal()}
	case !ws.Stopped():
		return fmt.Errorf("ended with %d instead of stopping", ws.ExitStatus())
	}
	return nil
}

// registers reads pc and sp of a stopped process from /proc/PID/syscall, where
// every machine has them last.
func (p *Process) registers() (pc, sp image.Addr, err error) {
	b, err := p.read("syscall")
	if err != nil {
		return 0, 0, err
	}
	return parseSyscall(string(b))
}

func parseSyscall(text string) (pc, sp image.Addr, err error) {
	w := strings.Fields(text)
	if len(w) < 3 {
		return 0, 0, fmt.Errorf("syscall: %q has no sp and pc", text)
	}
	s, err1 := strconv.ParseUint(w[len(w)-2], 0, 64)
	c, err2 := strconv.ParseUint(w[len(w)-1], 0, 64)
	return image.Addr(c), image.Addr(s), errors.Join(err1, err2)
}

// Step lets the program run one instruction and returns the signal that stops
// it then: SIGTRAP where nothing is wrong.
func (s *Stopped) Step() (unix.Signal, error) {
	if err := unix.PtraceSingleStep(s.PID); err != nil {
		return 0, fmt.Errorf("process %d: step: %w", s.PID, err)
	}
	var ws unix.WaitStatus
	if _, err := unix.Wait4(s.PID, &ws, 0, nil); err != nil {
		return 0, fmt.Errorf("wait: %w", err)
	}
	if ws.Signaled() {
		return ws.Signal(), nil
	}
	return ws.StopSignal(), nil
}

// startLimited starts the program with its stack limit. A limit is inherited
// from the one who starts it, so that it is ours for that moment.
func startLimited(run Run) (*os.Process, error) {
	if run.StackLimit != 0 {
		var old unix.Rlimit
		if err := unix.Getrlimit(unix.RLIMIT_STACK, &old); err != nil {
			return nil, err
		}
		limit := unix.Rlimit{Cur: run.StackLimit, Max: old.Max}
		if limit.Cur > limit.Max {
			return nil, fmt.Errorf("a stack limit of %#x is above the hard limit %#x", limit.Cur, limit.Max)
		}
		if err := unix.Setrlimit(unix.RLIMIT_STACK, &limit); err != nil {
			return nil, fmt.Errorf("setrlimit: %w", err)
		}
		defer unix.Setrlimit(unix.RLIMIT_STACK, &old)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	env := run.Env
	if env == nil {
		env = []string{} // nil would be ours
	}
	return os.StartProcess(run.Path, run.Args, &os.ProcAttr{Env: env, Files: []*os.File{null, null, null}, Sys: traced()})
}
