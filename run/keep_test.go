package run_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/internal/samples"
	"elfwright/run"

	"golang.org/x/sys/unix"
)

// keepIn is set in the environment of the test binary that is to become a program
// whose image is kept in the directory.
const keepIn = "ELFWRIGHT_RUN_TEST_KEEP"

// TestKept starts a program twice with its image kept: as files are executed, and
// where none is.
func TestKept(t *testing.T) {
	if dir := os.Getenv(keepIn); dir != "" {
		r, err := run.Prepare(run.Program{Args: []string{"/bin/echo", "said"}, Env: []string{"A=b"}, Argv0: "name", Engine: run.Own, Cache: dir, Self: "/bin/true"})
		if err == nil {
			err = r.Exec()
		}
		t.Fatal(err)
	}
	samples.Need(t, "/lib64/ld-linux-x86-64.so.2")
	start := func(dir string) {
		t.Helper()
		cmd := exec.Command(os.Args[0], "-test.run=^TestKept$")
		cmd.Env = append(os.Environ(), keepIn+"="+dir)
		if out, err := cmd.CombinedOutput(); string(out) != "said\n" || err != nil {
			t.Errorf("%v: %q", err, out)
		}
		if kept, err := filepath.Glob(dir + "/*.image"); err != nil || len(kept) != 1 {
			t.Errorf("%v: kept are %s", err, strings.Join(kept, ", "))
		}
	}
	for range 2 {
		start(filepath.Join(t.TempDir(), "kept"))
	}
	dir := t.TempDir()
	for range 2 {
		start(dir)
	}
	dir = t.TempDir()
	switch err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOEXEC, "mode=0700"); {
	case errors.Is(err, unix.EPERM):
		t.Skip("the rest needs a file system from which nothing is executed: only root makes one")
	case err != nil:
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	}()
	for range 2 {
		start(dir)
	}
}
