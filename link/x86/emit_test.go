package x86_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"elfwright/internal/linktest"
)

// TestEmit holds what --emit-relocs leaves of loads from the GOT against GNU ld.
func TestEmit(t *testing.T) {
	for _, c := range []struct {
		args  []string
		files []string
	}{
		{[]string{"-m", "elf_x86_64"}, files64(t, "load64.s", "data64.s")},
		{[]string{"-m", "elf_x86_64", "-pie", "--no-dynamic-linker"}, files64(t, "load64.s", "data64.s")},
		{[]string{"-m", "elf_i386"}, files32(t, "load32.s", "base32.s")},
		{[]string{"-m", "elf_i386", "-pie", "--no-dynamic-linker"}, files32(t, "load32.s")},
	} {
		args := append(append(c.args, "-q", "-e", "0"), c.files...)
		gnu := filepath.Join(t.TempDir(), "gnu")
		if msg, err := exec.Command("ld", append(args, "-o", gnu)...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, msg)
		}
		want, got := linktest.Emitted(t, gnu, true), linktest.Emitted(t, linktest.Ours(t, args), true)
		if len(want) < 10 || !slices.Equal(want, got) {
			t.Errorf("%v:\n%q\nGNU ld has\n%q", c.args, got, want)
		}
	}
}
