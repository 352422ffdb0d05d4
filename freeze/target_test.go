package freeze_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"elfwright/freeze"
	"elfwright/internal/samples"
)

// TestEnded asks for processes that have no program any more: the error says why,
// and not that they are the kernel's.
func TestEnded(t *testing.T) {
	samples.Need(t, "gcc")
	dir := t.TempDir()
	src := "#include <pthread.h>\n#include <unistd.h>\nstatic void *f(void *p) { sleep(60); return p; }\nint main(void) { pthread_t t; pthread_create(&t, 0, f, 0); pthread_exit(0); }\n"
	if err := os.WriteFile(filepath.Join(dir, "main.c"), []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{compile(t, filepath.Join(dir, "main.c"), "-pthread")}, "its first thread has ended while others go on"},
		{[]string{"true"}, "has ended (State: Z (zombie))"},
	} {
		cmd := exec.Command(c.args[0], c.args[1:]...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer cmd.Wait()
		defer cmd.Process.Kill()
		for began := time.Now(); ; time.Sleep(time.Millisecond) {
			b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid), "status"))
			if err == nil && strings.Contains(string(b), "State:\tZ") {
				break
			}
			if time.Since(began) > 10*time.Second {
				t.Fatalf("%v: its first thread goes on", c.args)
			}
		}
		frozen := filepath.Join(dir, "frozen")
		if _, err := freeze.Freeze(cmd.Process.Pid, frozen, freeze.Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: error %v, want one with %q", c.args, err, c.want)
		}
	}
}
