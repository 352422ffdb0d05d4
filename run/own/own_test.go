package own_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/run/own"
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

// output runs a program and returns what it writes to both its outputs, and its
// status.
func output(t testing.TB, argv ...string) (string, int) {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	var b bytes.Buffer
	cmd.Stdout, cmd.Stderr = &b, &b
	err := cmd.Run()
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

func write(t testing.TB, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.TrimLeft(text, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
}
