package freeze_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"elfwright/elffile"
	"elfwright/freeze"
	"elfwright/freeze/saved"
	"elfwright/internal/samples"
	"elfwright/machine/aarch64"
)

// TestOnAArch64 freezes testdata/aarch64.c: what this machine alone has. It runs
// in the guest of TestAArch64, or on such a machine.
func TestOnAArch64(t *testing.T) {
	if runtime.GOARCH != "arm64" {
		t.Skip("is for AArch64; TestAArch64 runs it")
	}
	samples.Need(t, "gcc")
	prog := compile(t, "-O1", "-static", "-pthread", "testdata/aarch64.c")
	for _, name := range []string{
		"registers", "simd", "signed_pointer", "keys_off", "tagged_addresses", "guarded", "within_handler", "thread_pointer",
	} {
		for way, opt := range map[string]freeze.Options{"plain": {}, "other vDSO": {OtherVDSO: true}} {
			t.Run(name+"/"+way, func(t *testing.T) {
				t.Parallel()
				dir, frozen := t.TempDir(), filepath.Join(t.TempDir(), "frozen")
				want := name + " is as it was\n"
				if out, code, err := run(t, dir, frozen, opt, prog, name); err != nil || code != 3 || out != want {
					t.Fatal(code, out, err)
				}
				if name == "simd" {
					checkSIMD(t, frozen)
				}
				thawed(t, dir, frozen, 3, want)
			})
		}
	}
	// What a call would lose, or what lasts.
	for name, live := range map[string]string{"sve": "spins\n", "sve_long": "spins\n", "sleeps": "sleeps\nin time\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			frozen := filepath.Join(t.TempDir(), "frozen")
			var out bytes.Buffer
			r := freeze.Run{Args: []string{prog, name}, Out: &out, Err: os.Stderr, When: regexp.MustCompile("^s"), After: 20 * time.Second}
			_, code, err := r.Start(frozen)
			if want := live + name + " is as it was\n"; err != nil || code != 3 || out.String() != want {
				t.Fatal(code, out.String(), err)
			}
			samples.Settle(t, frozen)
			text, err := exec.Command(frozen).CombinedOutput()
			if !strings.HasSuffix(string(text), name+" is as it was\n") {
				t.Errorf("thawed: %v, %q", err, text)
			}
		})
	}
	t.Run("missing feature", func(t *testing.T) {
		frozen := filepath.Join(t.TempDir(), "frozen")
		if out, code, err := run(t, "/tmp", frozen, freeze.Options{}, prog, "feature"); err != nil || code != 3 {
			t.Fatal(code, out, err)
		}
		thawed(t, "/tmp", frozen, 125, "thaw: this processor has no feature 62 of AT_HWCAP (tag 16), which the process may use\n")
	})
}

// checkSIMD looks for what the case has in its first register.
func checkSIMD(t *testing.T, frozen string) {
	t.Helper()
	f, err := elffile.Open(frozen)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	list, err := saved.Open(f, aarch64.Machine)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	defer list[0].Close()
	state := list[0].State(0)
	const size, fpcr = 528, 516
	if len(state) != size || state[0] != 1 || state[1] != 4 || state[15] != 46 || state[fpcr+2] != 0xc0 {
		t.Errorf("registers in the file: %x", state)
	}
	if !slices.Contains(list[0].CPU, "asimd") {
		t.Errorf("features in the file: %q", list[0].CPU)
	}
}
