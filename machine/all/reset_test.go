package all_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"elfwright/internal/samples"
	"elfwright/machine/aarch64"
	"elfwright/machine/amd64"
	"elfwright/machine/arm"
	"elfwright/machine/i386"
	"elfwright/machine/riscv64"
)

// resets are the codes that start a program again: each is a variable in a file
// of its own, beside its source.
var resets = []struct {
	pkg, prefix, source, name, file string
	code                            []byte
	flags                           []string
}{
	{"amd64", "x86_64-linux-gnu-", "reset.S", "reset", "reset.go", amd64.Machine.Reset, nil},
	{"i386", "i686-linux-gnu-", "reset.S", "reset", "reset.go", i386.Machine.Reset, nil},
	{"aarch64", "aarch64-linux-gnu-", "reset.S", "reset", "reset.go", aarch64.Machine.Reset, nil},
	{"arm", "arm-linux-gnueabihf-", "reset.S", "reset", "reset.go", arm.Machine.Reset, nil},
	{"arm", "arm-linux-gnueabihf-", "resetthumb.S", "resetThumb", "resetthumb.go", arm.Machine.ResetThumb, nil},
	{"riscv64", "riscv64-linux-gnu-", "reset.S", "reset", "reset.go", riscv64.Machine.Reset, []string{"--defsym", "XLEN=64"}},
	{"riscv64", "riscv64-linux-gnu-", "reset.S", "reset32", "reset32.go", riscv64.RV32.Reset, []string{"--defsym", "XLEN=32", "-march=rv32i", "-mabi=ilp32"}},
}

// TestResetCode assembles each source and compares it with the bytes in Go.
func TestResetCode(t *testing.T) {
	for _, r := range resets {
		t.Run(r.pkg+"/"+r.name, func(t *testing.T) {
			code := samples.Assemble(t, r.prefix, filepath.Join("..", r.pkg, r.source), r.flags...)
			if *update {
				write(t, filepath.Join("..", r.pkg, r.file), bytesGo(t, "TestResetCode", r.pkg, r.name, r.source, code))
				return
			}
			if !bytes.Equal(code.Bytes, r.code) {
				t.Errorf("%s is not %s assembled: go test ./machine/all -run TestResetCode -update", r.file, r.source)
			}
			if len(code.Bytes)%16 != 0 {
				t.Errorf("%d bytes: the table that follows would not be aligned", len(code.Bytes))
			}
		})
	}
}
