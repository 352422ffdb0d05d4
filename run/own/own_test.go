package own_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/run/own"

	"golang.org/x/sys/unix"
)

// build makes the image of a program and returns it as a file.
func build(t testing.TB, prog string, lo load.Options, opt own.Options) (*own.Result, string) {
	t.Helper()
	p, err := load.Load(prog, lo)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	b, err := bind.Bind(p, bind.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := own.Build(p, b, opt)
	if err != nil {
		t.Fatal(err)
	}
	f, err := r.Image.File()
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), filepath.Base(prog))
	if err := f.Encode().WriteFile(out, 0o755); err != nil {
		t.Fatal(err)
	}
	return r, out
}

// ordinary runs an open file under a name, as a user without rights where the tests
// run as root.
func ordinary(t testing.TB, f *os.File, name string, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command("/proc/self/fd/3", args...)
	cmd.Args[0] = name
	cmd.ExtraFiles = []*os.File{f}
	cmd.Dir = "/"
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	return result(t, cmd)
}

// inMemory copies a file into one that has no name.
func inMemory(t testing.TB, file, name string) *os.File {
	t.Helper()
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), name)
	t.Cleanup(func() { f.Close() })
	b, err := os.ReadFile(file)
	if err == nil {
		_, err = f.Write(b)
	}
	if err != nil {
		t.Fatal(err)
	}
	// What is open for writing is not executed.
	r, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", fd))
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	t.Cleanup(func() { r.Close() })
	return r
}

// output runs a program and returns what it writes to both its outputs, and its
// status.
func output(t testing.TB, argv ...string) (string, int) {
	t.Helper()
	return result(t, exec.Command(argv[0], argv[1:]...))
}

// result runs a command, for ten seconds at most.
func result(t testing.TB, cmd *exec.Cmd) (string, int) {
	t.Helper()
	var b bytes.Buffer
	cmd.Stdout, cmd.Stderr = &b, &b
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
	defer timer.Stop()
	err := cmd.Wait()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		t.Fatal(err)
	}
	if cmd.ProcessState.ExitCode() < 0 {
		return b.String() + cmd.ProcessState.String(), -1
	}
	return b.String(), cmd.ProcessState.ExitCode()
}

// emulated puts qemu before a program of another machine.
func emulated(machine string, argv ...string) []string {
	if machine == "x86_64" {
		return argv
	}
	return append([]string{"qemu-" + machine}, argv...)
}
