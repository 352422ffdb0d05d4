package riscv_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"elfwright/internal/linktest"
	"elfwright/internal/samples"
	"elfwright/machine/riscv64"
)

// TestEmit holds what --emit-relocs leaves of shortened code against GNU ld, which
// also leaves relocations of nothing.
func TestEmit(t *testing.T) {
	samples.Need(t, "riscv64-linux-gnu-ld")
	args := []string{"-m", "elf64lriscv", "-q", "-Tdata=0x11000", assemble(t, riscv64.Machine, "short.s")}
	gnu := filepath.Join(t.TempDir(), "gnu")
	if msg, err := exec.Command("riscv64-linux-gnu-ld", append(args, "-o", gnu)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, msg)
	}
	const none, relax = 0, 51
	want := linktest.Emitted(t, gnu, false, none, relax)
	got := linktest.Emitted(t, linktest.Ours(t, args), false, none, relax)
	if len(want) < 10 || !slices.Equal(want, got) {
		t.Errorf("%q\nGNU ld has\n%q", got, want)
	}
}
