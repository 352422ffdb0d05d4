package run_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"elfwright/internal/samples"
	"elfwright/run"
)

// TestStopMain has programs of engine interp stop right before main, whatever way
// they have the address of what calls it, and lets them go on.
func TestStopMain(t *testing.T) {
	for _, m := range []struct{ gcc, emulator, root string }{
		{"gcc", "", ""}, {"musl-gcc", "", ""}, {"aarch64-linux-gnu-gcc", "qemu-aarch64", "/usr/aarch64-linux-gnu"},
	} {
		samples.Need(t, m.gcc)
		dir := samples.Make(t, samples.Recipe{Files: map[string]string{"main.c": `
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
__attribute__((constructor)) static void first(void) { write(1, "constructor\n", 12); }
int main(int argc, char **argv, char **envp)
{
	write(1, argv[argc - 1], strlen(argv[argc - 1]));
	return argc == 3 && envp == environ ? 7 : 1;
}
`}, Steps: [][]string{
			{m.gcc, "-D_GNU_SOURCE", "-o", "pie", "main.c"},
			{m.gcc, "-D_GNU_SOURCE", "-Wl,-z,lazy", "-Wl,-z,norelro", "-o", "lazy", "main.c"},
			{m.gcc, "-D_GNU_SOURCE", "-no-pie", "-Wl,-z,now", "-o", "now", "main.c"},
		}})
		for _, name := range []string{"pie", "lazy", "now"} {
			image := saved(t, run.Program{Args: []string{filepath.Join(dir, name)}, Root: m.root, Stop: run.AtMain})
			argv := []string{image, "a", "said"}
			if m.emulator != "" {
				samples.Need(t, m.emulator)
				argv = append([]string{m.emulator}, argv...)
			}
			stopsAtMain(t, argv)
		}
	}
	dir := samples.Make(t, samples.Recipe{Files: map[string]string{"free.c": "void _start(void) {}\n"}, Steps: [][]string{
		{"gcc", "-nostartfiles", "-o", "free", "free.c"}}})
	_, err := run.Prepare(run.Program{Args: []string{filepath.Join(dir, "free")}, Engine: run.Interp, Stop: run.AtMain})
	if err == nil || !strings.Contains(err.Error(), "it cannot be stopped at main: it has the address of __libc_start_main in 0 places, not in one") {
		t.Errorf("%v", err)
	}
}

func stopsAtMain(t *testing.T, argv []string) {
	t.Helper()
	samples.Settle(t, argv[len(argv)-3])
	out, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	timer := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
	defer timer.Stop()
	var ws syscall.WaitStatus
	if _, err := syscall.Wait4(cmd.Process.Pid, &ws, syscall.WUNTRACED, nil); err != nil || !ws.Stopped() {
		t.Fatalf("%v: it did not stop: %v, %v", argv, ws, err)
	}
	text, err := os.ReadFile(out.Name())
	if err != nil || string(text) != "constructor\n" {
		t.Errorf("%v: when it stops it has said %q, %v", argv, text, err)
	}
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	text, err = os.ReadFile(out.Name())
	if err != nil || string(text) != "constructor\nsaid" || cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("%v: %v, it has said %q, %v", argv, cmd.ProcessState, text, err)
	}
}
