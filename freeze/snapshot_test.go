package freeze_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"elfwright/freeze"
	"elfwright/internal/samples"
)

// TestSnapshot freezes a process that never stands still, from a copy that it makes
// of itself: it runs while the file is written, no page is of another moment than
// the others, and the copy is gone in the end.
func TestSnapshot(t *testing.T) {
	samples.Need(t, "gcc")
	prog := compile(t, "-O1", "testdata/steps.c")
	for round := range 4 {
		onTheRun(t, time.Duration(13*round)*time.Millisecond, func(pid int, frozen string) {
			ran := false
			r, err := freeze.Freeze(pid, frozen, freeze.Options{Snapshot: true, Progress: func(done, total uint64) {
				b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
				ran = ran || done < total && bytes.Contains(b, []byte("TracerPid:\t0\n"))
			}})
			if err != nil {
				t.Fatal(err)
			}
			if r.Stopped <= 0 {
				t.Errorf("stood still for %v", r.Stopped)
			}
			if !ran {
				t.Error("it stands still while the file is written")
			}
			if b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid)); len(b) != 0 {
				t.Errorf("it has children: %s", b)
			}
		}, prog, "32")
	}
}

// TestInVDSO freezes a process that is in the kernel's own code nearly all the time.
// A thread is let out of it, and what it does meanwhile is not lost.
func TestInVDSO(t *testing.T) {
	samples.Need(t, "gcc")
	prog := compile(t, "-O1", "testdata/clock.c")
	for round := range 8 {
		var more []string
		if round%4 == 3 {
			more = []string{"ignore"}
		}
		onTheRun(t, time.Duration(round)*time.Millisecond, func(pid int, frozen string) {
			if _, err := freeze.Freeze(pid, frozen, freeze.Options{}); err != nil {
				t.Fatal(err)
			}
		}, append([]string{prog}, more...)...)
	}
}

// onTheRun starts a program that works until there is a file, of which it is told
// the name; it is frozen meanwhile. The process and the thawed one have to find all as
// it was.
func onTheRun(t *testing.T, after time.Duration, freeze func(pid int, frozen string), args ...string) {
	t.Helper()
	dir := t.TempDir()
	frozen, end := filepath.Join(dir, "frozen"), filepath.Join(dir, "end")
	out, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(args[0], slices.Insert(args[1:], 0, end)...)
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	for began := time.Now(); size(out) == 0 && time.Since(began) < 10*time.Second; {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(after)
	freeze(cmd.Process.Pid, frozen)
	samples.Settle(t, frozen)
	if err := os.WriteFile(end, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if b, _ := os.ReadFile(out.Name()); cmd.ProcessState.ExitCode() != 3 || string(b) != "ready\nall as it was\n" {
		t.Errorf("the process: %v, %q", cmd.ProcessState, b)
	}
	thawed(t, dir, frozen, 3, "all as it was\n")
}

func size(f *os.File) int64 {
	st, err := f.Stat()
	if err != nil {
		return 0
	}
	return st.Size()
}
