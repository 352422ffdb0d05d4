package capture

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"elfwright/internal/samples"
)

// TestGuardPages finds guard pages with the kernel's help and without.
func TestGuardPages(t *testing.T) {
	samples.Need(t, "gcc")
	prog := filepath.Join(t.TempDir(), "prog")
	if out, err := exec.Command("gcc", "-o", prog, "../testdata/resources.c", "-pthread").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(prog, "guard_pages")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	for stat := ""; !strings.Contains(stat, ") T "); time.Sleep(time.Millisecond) {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		stat = string(b)
	}
	var found [2]string
	for i := range found {
		err := With(cmd.Process.Pid, func(target *Target) error {
			target.blind = i == 1
			s, err := target.Snapshot()
			if err != nil {
				return err
			}
			for j := range s.Maps {
				if g := s.Maps[j].Guard; len(g) > 0 {
					found[i] += fmt.Sprint(s.Maps[j].Range, g, "\n")
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found[0] == "" {
		t.Skip("this kernel has no guard pages, or does not tell them (Linux 6.15)")
	}
	if found[0] != found[1] {
		t.Errorf("with the kernel's help:\n%swithout:\n%s", found[0], found[1])
	}
}
