package freeze_test

import (
	"bytes"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"elfwright/freeze"
	"elfwright/internal/samples"
)

// refused are the cases whose resource is refused, and what the error says.
var refused = map[string]string{
	"child":             "children ",
	"seccomp":           "seccomp mode 2",
	"sysv_memory":       "is System V shared memory",
	"outer_pipe":        "whose other end is another process's or gone",
	"connected":         "is a socket that is connected to another process",
	"deleted_directory": "is deleted",
	"posix_lock":        "has a lock of a kind that is not restored",
	"watches":           "watches files, and the kernel does not tell which",
}

// alone are the cases whose resource only one process can have: it is killed
// before the thaw.
var alone = map[string]bool{"tcp_listen": true, "udp": true, "unix_listen": true, "flock": true}

// TestResources freezes testdata/resources.c, a resource a case. The process that
// goes on and the thawed one have to find the resource as it was.
func TestResources(t *testing.T) {
	samples.Need(t, "gcc")
	prog := compile(t, "-O1", "testdata/resources.c", "-pthread")
	names, _ := exec.Command(prog).Output()
	if len(bytes.Fields(names)) < 50 {
		t.Fatalf("cases: %q", names)
	}
	for name := range strings.FieldsSeq(string(names)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resource(t, prog, name)
		})
	}
}

func compile(t *testing.T, args ...string) string {
	t.Helper()
	if prog := prebuilt(args); prog != "" {
		return prog
	}
	prog := filepath.Join(t.TempDir(), "prog")
	if out, err := exec.Command("gcc", append([]string{"-o", prog}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	return prog
}

func resource(t *testing.T, prog, name string) {
	opt := freeze.Options{Kill: alone[name]}
	if name == "pid" {
		opt.PIDs = freeze.PIDNS
	}
	dir, frozen := t.TempDir(), filepath.Join(t.TempDir(), "frozen")
	out, code, err := run(t, dir, frozen, opt, prog, name)
	if want := refused[name]; want != "" {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Fatalf("error %v, want one with %q", err, want)
		}
		if _, err := os.Stat(frozen); err == nil {
			t.Error("a file was written")
		}
		return
	}
	if err != nil {
		t.Fatal(err, out)
	}
	want := name + " is as it was\n"
	if !opt.Kill && (code != 3 || out != want) {
		t.Errorf("the process that goes on: exit code %d, %q", code, out)
	}
	thawed(t, dir, frozen, 3, want)
}

// TestMain keeps from the programs what this test was started with besides 0, 1
// and 2: they would have to be refused.
func TestMain(m *testing.M) {
	if os.Getpid() == 1 {
		guest()
	}
	unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC)
	os.Exit(m.Run())
}

// run starts a program in a directory and freezes it when it stops itself.
func run(t *testing.T, dir, frozen string, opt freeze.Options, args ...string) (out string, code int, err error) {
	t.Helper()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	var buf bytes.Buffer
	r := freeze.Run{Args: append([]string{"/usr/bin/env", "-C", dir}, args...), Env: os.Environ(), In: null, Out: &buf, Err: os.Stderr, Options: opt}
	if _, code, err = r.Start(frozen); err == nil {
		samples.Settle(t, frozen)
	}
	return buf.String(), code, err
}

// thawed starts a frozen file, which has to end with a code and an output.
func thawed(t *testing.T, dir, frozen string, code int, want string) {
	t.Helper()
	cmd := exec.Command(frozen)
	cmd.Dir, cmd.WaitDelay = dir, time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slow := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	defer slow.Stop()
	cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != code || out.String() != want {
		t.Errorf("thawed: %v, %q; want exit code %d, %q", cmd.ProcessState, out.String(), code, want)
	}
}
