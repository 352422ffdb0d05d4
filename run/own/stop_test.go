package own_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"elfwright/dyn/load"
	"elfwright/internal/samples"
	"elfwright/run/own"
)

// TestStop has a program stop before its first instruction, when the constructors of
// its libraries have run, and lets it go on.
func TestStop(t *testing.T) {
	dir := samples.Make(t, aloneRecipe(t, "x86_64-linux-gnu-", true, false, []string{"-mtls-dialect=gnu"}))
	_, image := build(t, filepath.Join(dir, "main"), load.Options{}, own.Options{Stop: true})
	out, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(image, "x")
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	var ws syscall.WaitStatus
	timer := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
	defer timer.Stop()
	if _, err := syscall.Wait4(cmd.Process.Pid, &ws, syscall.WUNTRACED, nil); err != nil || !ws.Stopped() {
		t.Fatalf("it did not stop: %v, %v", ws, err)
	}
	text := func() string {
		b, err := os.ReadFile(out.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if got := text(); got != "preinit\nargc 2\nb begins\na begins 2\n" {
		t.Errorf("when it stops it has said %q", got)
	}
	cmd.Process.Signal(syscall.SIGCONT)
	cmd.Wait()
	if got := text(); !strings.HasSuffix(got, "b ends\n") || cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("status %d, %q", cmd.ProcessState.ExitCode(), got)
	}
}
