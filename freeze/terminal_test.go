package freeze_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"elfwright/freeze"
	"elfwright/internal/samples"
)

// shellAt is an interactive shell at a terminal of its own, of which the test has
// the other side.
type shellAt struct {
	t    *testing.T
	cmd  *exec.Cmd
	side *os.File
	lock sync.Mutex
	text string
}

func startShell(t *testing.T) *shellAt {
	t.Helper()
	side, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	n, err := unix.IoctlGetInt(int(side.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(side.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer tty.Close()
	s := &shellAt{t: t, side: side, cmd: exec.Command("bash", "--norc", "--noediting", "-i")}
	s.cmd.Env = append(os.Environ(), "PS1=> ")
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = tty, tty, tty
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := side.Read(b)
			if err != nil {
				return
			}
			s.lock.Lock()
			s.text += string(b[:n])
			s.lock.Unlock()
		}
	}()
	t.Cleanup(func() {
		s.cmd.Process.Kill()
		s.cmd.Wait()
		side.Close()
	})
	return s
}

// types types, and waits for an answer, which it takes.
func (s *shellAt) types(keys, answer string) {
	s.t.Helper()
	s.side.WriteString(keys)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		s.lock.Lock()
		before, after, ok := strings.Cut(s.text, answer)
		if ok {
			s.text = after
		}
		s.lock.Unlock()
		if ok {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("typed %q, want %q, got %q", keys, answer, before)
		}
	}
}

// TestTreeTerminal freezes a shell that has one job in the background, one that is
// stopped, and a terminal. It goes on at another terminal, as a job of the shell
// there.
func TestTreeTerminal(t *testing.T) {
	samples.Need(t, "bash")
	s := startShell(t)
	s.types("", "> ")
	s.types("sleep 100 &\n", "> ")
	s.types("sleep 50 | cat\n", "cat")
	time.Sleep(50 * time.Millisecond)
	s.types("\x1a", "Stopped")
	s.types("x=kept; echo is $x\n", "is kept")
	frozen := filepath.Join(t.TempDir(), "frozen")
	if _, err := freeze.Freeze(s.cmd.Process.Pid, frozen, freeze.Options{Tree: true}); err != nil {
		t.Fatal(err)
	}
	s.types("echo still $x; jobs\n", "still kept")
	s.types("", "Stopped")
	samples.Settle(t, frozen)

	o := startShell(t)
	o.types("", "> ")
	o.types(frozen+"; echo code $?\n", "frozen")
	time.Sleep(100 * time.Millisecond)
	o.types("echo again $x; jobs; echo end\n", "again kept")
	o.types("", "Running")
	o.types("", "Stopped")
	o.types("", "end")
	o.types("fg %2\n", "sleep 50 | cat")
	time.Sleep(50 * time.Millisecond)
	o.types("\x03", "> ")
	o.types("kill %1; exit 9\n", "code 9")
	o.types("echo outside ${x-gone}\n", "outside gone")
}

// TestTreeStops stops a thawed program at a terminal, by its key: the shell sees
// that, and has it go on.
func TestTreeStops(t *testing.T) {
	samples.Need(t, "bash")
	s := startShell(t)
	s.types("", "> ")
	s.types("bash -c 'kill -STOP $$; read x; echo got $x; exit 4'\n", "Stopped")
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", s.cmd.Process.Pid))
	var pid int
	if _, e := fmt.Sscan(string(b), &pid); err != nil || e != nil {
		t.Fatal(err, e)
	}
	frozen := filepath.Join(t.TempDir(), "frozen")
	if _, err := freeze.Freeze(pid, frozen, freeze.Options{Tree: true}); err != nil {
		t.Fatal(err)
	}
	samples.Settle(t, frozen)
	s.types("fg\n", "bash")
	s.types("live\n", "got live")
	for range 2 {
		s.types(frozen+"\n", "frozen")
		time.Sleep(100 * time.Millisecond)
		s.types("\x1a", "Stopped")
		s.types("bg\n", "&")
		time.Sleep(50 * time.Millisecond)
		s.types("jobs\n", "Stopped") // for it reads
		s.types("fg\n", "frozen")
		time.Sleep(50 * time.Millisecond)
		s.types("thawed\n", "got thawed")
		s.types("echo code $?\n", "code 4")
	}
}
