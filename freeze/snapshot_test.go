package freeze_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	dir := t.TempDir()
	for round := range 4 {
		frozen, end := filepath.Join(dir, fmt.Sprint("frozen", round)), filepath.Join(dir, fmt.Sprint("end", round))
		out, err := os.Create(filepath.Join(dir, fmt.Sprint("out", round)))
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		cmd := exec.Command(prog, "32", end)
		cmd.Stdout = out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer cmd.Process.Kill()
		for began := time.Now(); size(out) == 0 && time.Since(began) < 10*time.Second; {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(13*round) * time.Millisecond)
		pid, ran := cmd.Process.Pid, false
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
}

func size(f *os.File) int64 {
	st, err := f.Stat()
	if err != nil {
		return 0
	}
	return st.Size()
}
