package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// terminal freezes an editor in a terminal between two halves of what is typed into
// it. Both processes write the same file in the end.
func terminal(r *runner, n int) error {
	for i := range n {
		r.editor(fmt.Sprint("i", i))
	}
	return nil
}

// screen is a program in a terminal of its own.
type screen struct {
	cmd    *exec.Cmd
	master *os.File
	tty    *os.File
	seen   chan struct{} // closed when nothing more comes
}

func openScreen(dir string, argv []string) (*screen, error) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	s := &screen{master: master, seen: make(chan struct{})}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80})
	}
	if err != nil {
		return nil, err
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	s.tty = tty
	s.cmd = exec.Command(argv[0], argv[1:]...)
	s.cmd.Dir, s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = dir, tty, tty, tty
	s.cmd.Env = append(os.Environ(), "TERM=xterm", "LC_ALL=C")
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(s.seen)
		b := make([]byte, 4096)
		for {
			if _, err := master.Read(b); err != nil {
				return
			}
		}
	}()
	return s, nil
}

func (s *screen) write(text string) {
	for _, c := range []byte(text) {
		s.master.Write([]byte{c})
		time.Sleep(200 * time.Microsecond)
	}
}

// read waits until the program has read what was typed: what it has not is in the
// terminal, and the thawed one has another.
//
// The kernel hands on what is typed when it has time for it, and does not tell before:
// only when there is nothing for a while all is read.
func (s *screen) read() {
	for quiet, tries := 0, 0; quiet < 20 && tries < 5000; tries++ {
		n, err := unix.IoctlGetInt(int(s.tty.Fd()), unix.TIOCINQ)
		if err != nil {
			return
		}
		quiet++
		if n != 0 {
			quiet = 0
		}
		time.Sleep(3 * time.Millisecond)
	}
}

// end waits until the program has ended.
func (s *screen) end() error {
	slow := time.AfterFunc(10*time.Second, func() { s.cmd.Process.Kill() })
	err := s.cmd.Wait()
	s.master.Close()
	s.tty.Close()
	if !slow.Stop() {
		return fmt.Errorf("does not end when it is told to")
	}
	return err
}

const (
	half  = "first line\nsecond line\n"
	other = "third line\n"
)

// editor types half, freezes, and types the rest.
func (r *runner) editor(name string) {
	dir := filepath.Join(r.dir, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		r.fault("%v", err)
		return
	}
	defer os.RemoveAll(dir)
	s, err := openScreen(dir, r.args)
	if err != nil {
		r.fault("%v", err)
		return
	}
	time.Sleep(150 * time.Millisecond) // vim throws away what was typed before it was there
	typed := r.random.IntN(len(half))
	s.write("i" + half[:typed])
	s.read()
	time.Sleep(time.Duration(r.random.Int64N(int64(30 * time.Millisecond))))
	frozen := filepath.Join(dir, "frozen")
	ok := r.freeze(s.cmd.Process.Pid, frozen)
	r.lives++
	if r.finish(s, dir, half[typed:], "the one that went on") {
		r.live++
	}
	if !ok {
		return
	}
	r.thaws++
	if s, err = openScreen(dir, []string{frozen}); err != nil {
		r.fault("thawed: %v", err)
		return
	}
	time.Sleep(50 * time.Millisecond)
	if r.finish(s, dir, half[typed:], "thawed") {
		r.thawed++
	}
}

// finish types the rest, and looks at the file.
func (r *runner) finish(s *screen, dir, rest, who string) bool {
	s.write(rest + other + "\x1b")
	time.Sleep(50 * time.Millisecond)
	s.write(":wq\r")
	err := s.end()
	name := filepath.Join(dir, "text")
	b, e := os.ReadFile(name)
	os.Remove(name)
	want := half + other
	switch {
	case err != nil:
		r.fault("%s: %v", who, err)
	case e != nil:
		r.fault("%s: %v", who, e)
	case string(b) != want+"\n" && string(b) != want:
		r.fault("%s: wrote %q", who, b)
	default:
		return true
	}
	return false
}
