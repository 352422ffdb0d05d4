package mount

import (
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// forwarded are the signals that are passed on to the program.
var forwarded = []os.Signal{
	unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH, unix.SIGCONT,
}

// forward passes signals on to the program until stop is called. Ignored ones
// (nohup) stay ignored, and the program inherits that.
func forward() (to func(pid int), stop func()) {
	c := make(chan os.Signal, 64)
	for _, s := range forwarded {
		if !signal.Ignored(s) {
			signal.Notify(c, s)
		}
	}
	to = func(pid int) {
		go func() {
			for s := range c {
				if sig := s.(unix.Signal); !fromTerminal(sig) {
					_ = unix.Kill(pid, sig) // it may have ended
				}
			}
		}()
	}
	return to, func() {
		signal.Stop(c)
		close(c)
	}
}

// fromTerminal reports that a signal was most likely sent by the terminal to
// the whole process group in its foreground: the program, which is in the same
// group, has got it, and a second one would mean something else to it.
func fromTerminal(s unix.Signal) bool {
	switch s {
	case unix.SIGINT, unix.SIGQUIT, unix.SIGHUP, unix.SIGWINCH:
	default:
		return false
	}
	tty, err := unix.Open("/dev/tty", unix.O_RDONLY|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(tty)
	group, err := unix.IoctlGetInt(tty, unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// wait returns the exit code of the program when it has ended. If it stops
// itself for the sake of the terminal, as an editor does, so do we, so that the
// shell sees it.
func wait(pid int) (int, error) {
	for {
		var ws unix.WaitStatus
		_, err := unix.Wait4(pid, &ws, unix.WUNTRACED, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return ExitFailed, os.NewSyscallError("wait4", err)
		case ws.Exited():
			return ws.ExitStatus(), nil
		case ws.Signaled():
			return ExitBySignal + int(ws.Signal()), nil
		case ws.Stopped():
			stopWith(pid, ws.StopSignal())
		}
	}
}

// stopWith stops this process because the program has stopped. A stop by SIGSTOP
// is a debugger's or a batch system's, which may continue the program alone; it
// would then wait for us.
func stopWith(pid int, s unix.Signal) {
	if s != unix.SIGTSTP && s != unix.SIGTTIN && s != unix.SIGTTOU {
		return
	}
	// Ctrl-Z stops both, us perhaps after this report came: then the program is
	// running again as we are.
	time.Sleep(settle)
	if stopped(pid) {
		_ = unix.Kill(unix.Getpid(), unix.SIGSTOP)
	}
}

const settle = 20 * time.Millisecond

// stopped asks /proc for the state of a process, the letter after its name.
func stopped(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, rest, ok := strings.Cut(string(b[strings.LastIndexByte(string(b), ')')+1:]), " ")
	return ok && strings.HasPrefix(rest, "T")
}
