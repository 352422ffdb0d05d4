package prelude_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/samples"
	"elfwright/machine/amd64"
)

// stackS writes the stack pointer and what the stack holds from there on.
const stackS = `
	.globl _start
_start:	pushq %rsp
	movq %rsp, %rsi
	movl $1, %edi
	movl $2056, %edx
	movl $1, %eax
	syscall
	xorl %edi, %edi
	movl $231, %eax
	syscall
`

// TestStack: arguments, environment, auxiliary vector and strings are the same
// bytes; but AT_ENTRY is the prelude's, and the table has moved.
func TestStack(t *testing.T) {
	samples.Need(t, "setarch")
	dir := openDir(t)
	original := samples.MakeFile(t, samples.Recipe{
		Files: map[string]string{"stack.S": stackS},
		Steps: [][]string{{"gcc", "-nostdlib", "-static", "-no-pie", "-Wl,-z,noexecstack", "-o", "stack", "stack.S"}},
		Out:   "stack",
	})
	b, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "program")
	var seen [2][]byte
	var entry [2]uint64
	for i := range seen {
		write(t, program, b)
		if i == 1 {
			installScript(t, original, program, greeting(t, amd64.Machine))
		}
		if err := os.Chmod(program, 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := elffile.Open(program)
		if err != nil {
			t.Fatal(err)
		}
		entry[i] = f.Header.Entry
		f.Close()
		out, _, status := run(t, false, dir, "setarch", "-R", program, "one", "two", string(bytes.Repeat([]byte("x"), 2048)))
		if status != 0 {
			t.Fatalf("status %d", status)
		}
		seen[i] = bytes.TrimPrefix([]byte(out), []byte("first\n"))
	}
	was, is := auxv(t, seen[0]), auxv(t, seen[1])
	if was[atEntry] != entry[0] || is[atEntry] != entry[1] || entry[0] == entry[1] {
		t.Errorf("AT_ENTRY was 0x%x and is 0x%x; e_entry 0x%x and 0x%x", was[atEntry], is[atEntry], entry[0], entry[1])
	}
	sp := binary.LittleEndian.Uint64(seen[0])
	random := int(was[atRandom]-sp) + 8
	if was[atRandom] != is[atRandom] || random < 0 || random+16 > len(seen[0]) {
		t.Fatalf("AT_RANDOM was 0x%x and is 0x%x; the stack pointer was 0x%x", was[atRandom], is[atRandom], sp)
	}
	for i := range seen {
		clear(seen[i][random : random+16])
	}
	if !bytes.Equal(seen[0], seen[1]) {
		t.Errorf("the stack was\n% x\nand is\n% x", seen[0], seen[1])
	}
}

const (
	atPhdr        = 3
	atPhnum       = 5
	atEntry       = 9
	atRandom      = 25
	atSysinfoEhdr = 33
)

// auxv reads the auxiliary vector and clears what may differ: where the table is
// and how long, the entry, and the vdso's place, which is random.
func auxv(t *testing.T, stack []byte) map[uint64]uint64 {
	t.Helper()
	if len(stack) != 2056 {
		t.Fatalf("%d bytes of the stack", len(stack))
	}
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(stack[8*i:]) }
	i := 2 + int(word(1)) + 1 // behind the stack pointer, argc, arguments and 0
	for word(i) != 0 {
		i++ // the environment
	}
	m := make(map[uint64]uint64)
	for i++; word(i) != 0; i += 2 {
		m[word(i)] = word(i + 1)
		switch word(i) {
		case atPhdr, atPhnum, atEntry, atSysinfoEhdr:
			clear(stack[8*i+8 : 8*i+16])
		}
	}
	return m
}
