package samples

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Core returns the path of a core file of a C++ program with two threads that
// aborted, and of the program, in the form that gdb writes: with section headers.
// It must not be written to.
func Core(t testing.TB) (core, program string) {
	t.Helper()
	Need(t, "gdb")
	p := Find(t, "x86-64-c++")
	program = p.Build(t)
	dir := Make(t, Recipe{
		// The environment ends up in the core file: none but what is named.
		Steps: [][]string{{"env", "-i", "PATH=" + os.Getenv("PATH"), "gdb", "-nx", "-batch",
			"-ex", "set startup-with-shell off", "-ex", "set debuginfod enabled off",
			"-ex", "run crash", "-ex", "generate-core-file core", "-ex", "kill", program}},
		Needs: []string{"gdb"},
		Out:   "core",
	})
	core = filepath.Join(dir, "core")
	if _, err := os.Stat(core); err != nil {
		// Where ptrace is forbidden, as in some containers, gdb says so and exits
		// with success.
		os.RemoveAll(dir)
		t.Skip("gdb wrote no core file")
	}
	return core, program
}

// KernelCore lets a program crash and returns the core file that the kernel, or
// for a foreign machine qemu, wrote. Those have no section headers. It skips the
// test where core files go elsewhere (/proc/sys/kernel/core_pattern), and for
// RISC-V, for which qemu 7.2 writes none.
func KernelCore(t testing.TB, p Program) string {
	t.Helper()
	if p.Lang != "c" && p.Lang != "c++" {
		t.Fatalf("%s has no crash mode", p.Name)
	}
	pattern, err := os.ReadFile("/proc/sys/kernel/core_pattern")
	if err != nil || strings.ContainsAny(string(pattern), "|/") {
		t.Skipf("core files go to %q", strings.TrimSpace(string(pattern)))
	}
	Need(t, "sh")
	path := p.Build(t)
	ctx, cancel := context.WithTimeout(context.Background(), runTime)
	defer cancel()
	run := p.Command(ctx, t, path, "crash")
	dir := t.TempDir()
	// The shell raises the limit for the program, not for this process.
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", `ulimit -c unlimited && "$@"; exit 0`, "sh"}, run.Args...)...)
	cmd.Dir, cmd.Env = dir, run.Env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("no core file: %v\n%s", err, out)
	}
	// qemu's name for the program's core file holds a date; the one that the
	// kernel may write as well is of qemu.
	glob := "core*"
	if !p.native() {
		glob = "qemu_*.core"
	}
	found, err := filepath.Glob(filepath.Join(dir, glob))
	if err != nil || len(found) == 0 {
		t.Skipf("the crash of %s left no core file", p.Name)
	}
	return found[0]
}

// Wait starts a program in its "wait" mode and returns its process id once it
// sleeps. It is killed when the test ends.
func Wait(t testing.TB, p Program, path string) int {
	t.Helper()
	cmd := p.Command(t.Context(), t, path, "wait")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	said := make(chan error, 1)
	go func() {
		line := make([]byte, len("waiting\n"))
		_, err := out.Read(line)
		if err == nil && string(line) != "waiting\n" {
			err = fmt.Errorf("%s said %q", p.Name, line)
		}
		said <- err
	}()
	select {
	case err := <-said:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(runTime):
		t.Fatalf("%s did not start to wait", p.Name)
	}
	return cmd.Process.Pid
}
