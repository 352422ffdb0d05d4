package freeze

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"time"

	"golang.org/x/sys/unix"

	"elfwright/freeze/capture"
)

// Run is a program that is started to be frozen at a point of its run: when it
// stops itself (SIGSTOP), after a time, or when it has written a line.
type Run struct {
	Args    []string
	Env     []string
	In      *os.File
	Out     io.Writer
	Err     *os.File
	After   time.Duration  // 0: no time
	When    *regexp.Regexp // of a line of standard output; nil: none
	Options Options
}

// Start starts the program, freezes it at its point, and waits for its end. The
// code is the program's exit code, or 128 and the signal that ended it; 0 if it was
// killed because the options ask for it.
func (r *Run) Start(name string) (report *Report, code int, err error) {
	path, err := exec.LookPath(r.Args[0])
	if err != nil {
		return nil, 0, err
	}
	out, err := r.output()
	if err != nil {
		return nil, 0, err
	}
	child, err := os.StartProcess(path, r.Args, &os.ProcAttr{Env: r.Env, Files: []*os.File{r.In, out.to, r.Err}})
	out.started()
	if err != nil {
		return nil, 0, err
	}
	pid := child.Pid
	report, err = r.freeze(pid, name, out)
	if err != nil {
		if r.Options.Tree {
			capture.KillDescendants(pid)
		}
		unix.Kill(pid, unix.SIGKILL)
		unix.Kill(pid, unix.SIGCONT)
	}
	code, e := waitFor(pid)
	out.finish()
	if err == nil && !r.Options.Kill {
		err = errors.Join(e, out.err)
	}
	if r.Options.Kill {
		code = 0
	}
	return report, code, err
}

func (r *Run) freeze(pid int, name string, out *output) (*Report, error) {
	stopped, err := r.point(pid, out)
	if err != nil {
		return nil, err
	}
	report, err := Freeze(pid, name, r.Options)
	if stopped { // also who has attended to one that was killed
		unix.Kill(pid, unix.SIGCONT)
	}
	return report, err
}

// point waits for the freeze point. That a child stops nobody tells but wait4, so
// that it is asked again and again.
func (r *Run) point(pid int, out *output) (stopped bool, err error) {
	const often = time.Millisecond
	var after <-chan time.Time
	if r.After > 0 {
		after = time.After(r.After)
	}
	tick := time.NewTicker(often)
	defer tick.Stop()
	for {
		select {
		case <-after:
			return false, nil
		case <-out.matched:
			return false, nil
		case <-tick.C:
		}
		var ws unix.WaitStatus
		n, err := unix.Wait4(pid, &ws, unix.WNOHANG|unix.WUNTRACED, nil)
		switch {
		case err == unix.EINTR || n == 0:
		case err != nil:
			return false, fmt.Errorf("%s: wait: %w", r.Args[0], err)
		case ws.Stopped():
			return true, nil
		default:
			return false, fmt.Errorf("%s: has ended (%s) before it came to its freeze point", r.Args[0], ended(ws))
		}
	}
}

func ended(ws unix.WaitStatus) string {
	if ws.Signaled() {
		return unix.SignalName(ws.Signal())
	}
	return fmt.Sprintf("exit code %d", ws.ExitStatus())
}

// waitFor waits for the end of a child.
func waitFor(pid int) (code int, err error) {
	for {
		var ws unix.WaitStatus
		_, err := unix.Wait4(pid, &ws, 0, nil)
		switch {
		case err == unix.EINTR:
		case err == unix.ECHILD: // it had ended before
			return 0, nil
		case err != nil:
			return 0, fmt.Errorf("wait: %w", err)
		case ws.Signaled():
			return 128 + int(ws.Signal()), nil
		default:
			return ws.ExitStatus(), nil
		}
	}
}

// output is the program's standard output: as it is, or through us where lines of
// it are looked at.
type output struct {
	to      *os.File // of the program
	from    *os.File // what we read; nil: it does not go through us
	matched chan struct{}
	done    chan struct{}
	err     error
}

func (r *Run) output() (*output, error) {
	o := &output{matched: make(chan struct{}), done: make(chan struct{})}
	if f, ok := r.Out.(*os.File); ok && r.When == nil {
		o.to = f
		close(o.done)
		return o, nil
	}
	from, to, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	o.from, o.to = from, to
	go o.copy(r.Out, r.When)
	return o, nil
}

// started closes what is the program's alone.
func (o *output) started() {
	if o.from != nil {
		o.to.Close()
	}
}

// copy hands lines on, and looks at each.
func (o *output) copy(to io.Writer, when *regexp.Regexp) {
	defer close(o.done)
	in := bufio.NewReader(o.from)
	for {
		line, err := in.ReadSlice('\n')
		if _, e := to.Write(line); e != nil && o.err == nil {
			o.err = e
		}
		if when != nil && when.Match(bytes.TrimSuffix(line, []byte("\n"))) {
			when = nil
			close(o.matched)
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

// finish waits until all is handed on that the program has written. One that it
// leaves behind may keep the pipe open; it is not waited for.
func (o *output) finish() {
	if o.from == nil {
		return
	}
	select {
	case <-o.done:
	case <-time.After(time.Second):
	}
	o.from.Close()
}
