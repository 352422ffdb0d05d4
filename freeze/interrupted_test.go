package freeze_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"elfwright/freeze"
	"elfwright/internal/samples"
)

// dyingFreezer is the variable by which this program is a freezer that is killed in
// the middle of its work: the number of the process.
const dyingFreezer = "DYING_FREEZER"

func freezeAndDie() {
	pid, _ := strconv.Atoi(os.Getenv(dyingFreezer))
	_, err := freeze.Freeze(pid, os.Args[1], freeze.Options{Progress: func(done, total uint64) { unix.Kill(os.Getpid(), unix.SIGKILL) }})
	fmt.Println("not killed:", err)
	os.Exit(1)
}

// TestInterrupted ends the freezing before the file is there, by a context and by
// force: the process goes on undisturbed. No file is left by the first.
func TestInterrupted(t *testing.T) {
	samples.Need(t, "gcc")
	steps := compile(t, "-O1", "testdata/steps.c")
	prog := compile(t, "-O1", "testdata/resources.c", "-pthread")
	dir := t.TempDir()
	frozen, end := filepath.Join(dir, "frozen"), filepath.Join(dir, "end")
	for _, args := range [][]string{{steps, end, "32"}, {prog, "threads"}, {"sleep", "1"}} {
		for _, kill := range []bool{false, true} {
			os.Remove(end)
			cmd := exec.Command(args[0], args[1:]...)
			var out strings.Builder
			cmd.Stdout = &out
			cmd.Dir = dir
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(200 * time.Millisecond)
			if kill {
				byForce(t, cmd.Process.Pid, filepath.Join(t.TempDir(), "frozen"))
			} else {
				byContext(t, cmd.Process.Pid, frozen)
			}
			unix.Kill(cmd.Process.Pid, unix.SIGCONT) // "threads" stops itself
			if err := os.WriteFile(end, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			slow := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
			cmd.Wait()
			slow.Stop()
			want := map[string]int{steps: 3, prog: 3, "sleep": 0}[args[0]]
			if got := cmd.ProcessState.ExitCode(); got != want {
				t.Errorf("%s, by force %v: %v, %q; want exit code %d", filepath.Base(args[0]), kill, cmd.ProcessState, out.String(), want)
			}
		}
	}
}

func byForce(t *testing.T, pid int, frozen string) {
	freezer := exec.Command("/proc/self/exe", frozen)
	freezer.Env = append(os.Environ(), dyingFreezer+"="+strconv.Itoa(pid))
	if out, _ := freezer.CombinedOutput(); freezer.ProcessState.ExitCode() != -1 {
		t.Fatalf("%v: %s", freezer.ProcessState, out)
	}
}

func byContext(t *testing.T, pid int, frozen string) {
	ctx, cancel := context.WithCancel(context.Background())
	_, err := freeze.Freeze(pid, frozen, freeze.Options{Context: ctx, FDs: map[int]string{1: freeze.Inherit}, Progress: func(done, total uint64) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want %v", err, context.Canceled)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(frozen), "*frozen*")); len(left) != 0 {
		t.Errorf("left: %s", left)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(frozen), ".elfwright*")); len(left) != 0 {
		t.Errorf("left: %s", left)
	}
}
