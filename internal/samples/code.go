package samples

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Code is machine code that stands as bytes in a Go file, assembled from its source.
type Code struct {
	Bytes   []byte
	Symbols map[string]uint64 // by name, the offset

	objdump string
}

// Assemble assembles a source with the tools whose names begin with prefix, and
// with flags for the assembler. The result is linked, because RISC-V's assembler
// leaves even distances within the code to the linker.
func Assemble(t testing.TB, prefix, source string, flags ...string) *Code {
	t.Helper()
	Need(t, prefix+"as", prefix+"ld", prefix+"objcopy", prefix+"objdump", prefix+"nm")
	dir := t.TempDir()
	obj, linked, raw := filepath.Join(dir, "a.o"), filepath.Join(dir, "a"), filepath.Join(dir, "a.bin")
	run := func(tool string, args ...string) string {
		out, err := exec.Command(prefix+tool, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", tool, args, err, out)
		}
		return string(out)
	}
	var emulation []string
	if slices.Contains(flags, "-mabi=ilp32") {
		emulation = []string{"-m", "elf32lriscv"}
	}
	run("as", append([]string{"-o", obj, source}, flags...)...)
	run("ld", append([]string{"-Ttext=0", "-e", "0", "-o", linked, obj}, emulation...)...)
	run("objcopy", "-O", "binary", "-j", ".text", linked, raw)
	c := &Code{Symbols: make(map[string]uint64), objdump: run("objdump", "-d", "-w", linked)}
	var err error
	if c.Bytes, err = os.ReadFile(raw); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(run("nm", linked)) {
		if f := strings.Fields(line); len(f) == 3 {
			c.Symbols[f[2]], _ = strconv.ParseUint(f[0], 16, 64)
		}
	}
	return c
}

// instruction is a line of objdump -d: offset, bytes or words, text.
var instruction = regexp.MustCompile(`^ +([0-9a-f]+):\t[0-9a-f ]+\t(.*)$`)

// Elements are the bytes as elements of a Go slice: an instruction a line, with
// objdump's text of it.
func (c *Code) Elements() string {
	var b strings.Builder
	var starts []int
	var texts []string
	for line := range strings.Lines(c.objdump) {
		if m := instruction.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			off, _ := strconv.ParseUint(m[1], 16, 32)
			starts, texts = append(starts, int(off)), append(texts, strings.Join(strings.Fields(m[2]), " "))
		}
	}
	for i, from := range append(starts, len(c.Bytes)) {
		if i == 0 {
			continue
		}
		for _, x := range c.Bytes[starts[i-1]:from] {
			fmt.Fprintf(&b, "0x%02x, ", x)
		}
		fmt.Fprintf(&b, "// %s\n", texts[i-1])
	}
	return b.String()
}
