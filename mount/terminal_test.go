package mount

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal opens a new one.
func terminal(t *testing.T) (keyboard, screen *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	n, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	must(t, err)
	must(t, unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0))
	screen, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	must(t, err)
	t.Cleanup(func() {
		keyboard.Close()
		screen.Close()
	})
	return keyboard, screen
}

// TestTerminal types Ctrl-C and Ctrl-Z: the program gets one SIGINT, and both
// processes stop and go on.
func TestTerminal(t *testing.T) {
	needRoot(t)
	c := carrierBy(t, "mkfs")
	keyboard, screen := terminal(t)
	cmd := mode{name: "root-fuse", via: FUSE, served: true}.start(c, []string{"/opt/elfwright-test"}, "signals")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	cmd.Stdin = screen
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewScanner(out)
	next := func(want string) {
		t.Helper()
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("%q, want %s", lines.Text(), want)
		}
	}
	next("ready")
	children, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/task/" + strconv.Itoa(cmd.Process.Pid) + "/children")
	must(t, err)
	program, err := strconv.Atoi(strings.Fields(string(children) + " 0")[0])
	must(t, err)

	_, err = keyboard.Write([]byte{3}) // Ctrl-C
	must(t, err)
	next("SIGINT")
	must(t, cmd.Process.Signal(unix.SIGUSR1))
	next("SIGUSR1") // and no second SIGINT before it

	_, err = keyboard.Write([]byte{26}) // Ctrl-Z
	must(t, err)
	// The group is of the leader of a session, orphaned: the kernel does not stop
	// it by SIGTSTP, so the stop is by hand.
	must(t, unix.Kill(-cmd.Process.Pid, unix.SIGSTOP))
	eventually(t, "both stop", func() bool { return stopped(cmd.Process.Pid) && (program == 0 || stopped(program)) })
	must(t, unix.Kill(-cmd.Process.Pid, unix.SIGCONT))
	must(t, cmd.Process.Signal(unix.SIGTERM))
	next("SIGTERM")
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 5 {
		t.Errorf("exit code %d", code)
	}
}
