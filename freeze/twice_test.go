package freeze_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"elfwright/freeze"
	"elfwright/internal/samples"
)

// TestTwice freezes a process twice while it sleeps: the second time the call that
// it is in has another number, by which a new process cannot go on. Neither it nor
// what was frozen is woken early.
func TestTwice(t *testing.T) {
	t.Parallel()
	samples.Need(t, "gcc")
	prog := compile(t, "-O1", "-static", "testdata/sleeps.c")
	dir := t.TempDir()
	cmd := exec.Command(prog)
	log, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for name := filepath.Join(dir, "out"); len(read(t, name)) == 0; {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond)
	frozen := []string{filepath.Join(dir, "1"), filepath.Join(dir, "2")}
	for _, name := range frozen {
		r, err := freeze.Freeze(cmd.Process.Pid, name, freeze.Options{})
		if err != nil || len(r.Warnings) > 0 {
			t.Error(r, err)
		}
	}
	cmd.Wait()
	const want = "sleeps\nhas slept\n"
	if got := read(t, filepath.Join(dir, "out")); got != want || cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("the process that goes on: %v, %q", cmd.ProcessState, got)
	}
	for _, name := range frozen {
		samples.Settle(t, name)
		thawed(t, dir, name, 3, "has slept\n")
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
