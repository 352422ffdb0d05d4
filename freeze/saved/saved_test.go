package saved_test

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/freeze/core"
	"elfwright/freeze/note"
	"elfwright/freeze/saved"
	"elfwright/machine/amd64"
)

var format = elffile.Format{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}

// library is the first page of a library, with a build ID and two segments.
func library(id string) []byte {
	h := elffile.Header{Type: elf.ET_DYN, Machine: elf.EM_X86_64, Version: 1, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 4}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = 2, 1, 1
	b := make([]byte, 0x1000)
	copy(b, h.Encode(format))
	for i, p := range []elffile.Prog{
		{Type: elf.PT_LOAD, Flags: 4, Filesz: 0x1000, Memsz: 0x1000, Align: 0x1000},
		{Type: elf.PT_LOAD, Flags: 5, Off: 0x1000, Vaddr: 0x1000, Filesz: 0x1000, Memsz: 0x1000, Align: 0x1000},
		{Type: elf.PT_LOAD, Flags: 6, Off: 0x2000, Vaddr: 0x2000, Filesz: 0x1000, Memsz: 0x1000, Align: 0x1000},
		{Type: elf.PT_NOTE, Flags: 4, Off: 0x200, Vaddr: 0x200, Filesz: uint64(16 + len(id)), Memsz: uint64(16 + len(id)), Align: 4},
	} {
		copy(b[64+56*i:], p.Encode(format))
	}
	copy(b[0x200:], "\x04\x00\x00\x00"+string(rune(len(id)))+"\x00\x00\x00\x03\x00\x00\x00GNU\x00"+id)
	return b
}

const base = 0x7f0000000000

// gcored is a core as gcore writes it: of the library at base only the first page
// has a segment, of a file of data none has.
func gcored(t *testing.T, lib, data string) *saved.Process {
	t.Helper()
	st := amd64.Machine.Status
	c := &core.Core{
		Info: core.Info{PID: 7, Name: "prog"}, Auxv: make([]byte, 16), Threads: []core.Thread{{TID: 7, Regs: make([]byte, st.FPValid-st.Regs)}},
		Files: []core.File{
			{Start: base, End: base + 0x1000, Name: lib}, {Start: base + 0x1000, End: base + 0x2000, Off: 0x1000, Name: lib}, {Start: base + 0x2000, End: base + 0x3000, Off: 0x2000, Name: lib},
			{Start: base + 0x8000, End: base + 0x9000, Off: 0x1000, Name: data},
		},
		Segments: []core.Segment{
			{Start: 0x5000, Size: 0x3000, Flags: 6, Stored: 0x1000, Parts: []core.Part{{Start: 0x5000, Data: elffile.Buffer("memory")}}},
			{Start: base, Size: 0x1000, Flags: 4, Stored: 0x1000, Parts: []core.Part{{Start: base, Data: elffile.Buffer(library("\x01\x02\x03\x04"))}}},
		},
	}
	body, err := c.Write(amd64.Machine)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := body.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	f, err := elffile.Parse("core", b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	list, err := saved.Open(f, amd64.Machine)
	if err != nil || len(list) != 1 {
		t.Fatal(len(list), err)
	}
	t.Cleanup(list[0].Close)
	return list[0]
}

// write makes files: a library with a build ID, and data.
func write(t *testing.T, id string) (lib, data string) {
	dir := t.TempDir()
	lib, data = filepath.Join(dir, "lib.so"), filepath.Join(dir, "data")
	text := append(library(id), bytes.Repeat([]byte("code"), 0x400)...)
	for name, b := range map[string][]byte{lib: append(text, bytes.Repeat([]byte("vars"), 0x400)...), data: bytes.Repeat([]byte("0123456789abcdef"), 0x200)} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return lib, data
}

func read(p *saved.Process, at uint64, n int) string {
	b := make([]byte, n)
	got, err := p.ReadAt(b, int64(at))
	if err != nil {
		return fmt.Sprintf("%q, %v", b[:got], err)
	}
	return string(b)
}

func TestCoreOfGcore(t *testing.T) {
	lib, data := write(t, "\x01\x02\x03\x04")
	p := gcored(t, lib, data)
	var prots []string
	for _, m := range p.Maps {
		prots = append(prots, fmt.Sprintf("%x %d", m.Start, m.Prot))
	}
	if got, want := strings.Join(prots, ", "), "5000 6, 7f0000000000 4, 7f0000001000 5, 7f0000002000 6, 7f0000008000 4"; got != want {
		t.Errorf("mappings %s, want %s", got, want)
	}
	if fmt.Sprint(p.Guessed) != fmt.Sprint([]string{data}) {
		t.Errorf("guessed: %q", p.Guessed)
	}
	for at, want := range map[uint64]string{
		0x5000: "memory\x00", 0x5ffe: "\x00\x00\x00\x00", base + 0x1000: "codecode", base + 0x1ffc: "codevars", base + 0x8000: "0123", 0x9000: "not mapped", base + 0x7000: "not mapped",
	} {
		if got := read(p, at, len(want)); got != want && (want != "not mapped" || !strings.Contains(got, want)) {
			t.Errorf("at 0x%x: %q, want %q", at, got, want)
		}
	}
}

// TestOtherFile: pages are not taken from another file of the same name.
func TestOtherFile(t *testing.T) {
	lib, data := write(t, "\x01\x02\x03\x05")
	p := gcored(t, lib, data)
	if got := read(p, base+0x1000, 4); !strings.Contains(got, "has build ID 01020305; the one that was mapped had 01020304") {
		t.Error(got)
	}
	same, _ := write(t, "\x01\x02\x03\x04")
	p = gcored(t, lib, data)
	p.Moved = map[string]string{lib: same}
	if got := read(p, base+0x1000, 4); got != "code" {
		t.Error(got)
	}
	p = gcored(t, filepath.Dir(lib), data) // a directory
	if got := read(p, base+0x1000, 4); !strings.Contains(got, "not a regular file") {
		t.Error(got)
	}
}

// TestSize: a file without build ID is known by its size.
func TestSize(t *testing.T) {
	_, data := write(t, "")
	p := saved.New(&note.Process{Maps: []note.Map{{Range: note.Range{Start: 0x1000, Size: 0x1000}, Name: data, File: &note.File{Size: 0x1fff}}}}, amd64.Machine, nil, nil)
	defer p.Close()
	if got := read(p, 0x1000, 4); !strings.Contains(got, "has 0x2000 bytes; the one that was mapped had 0x1fff") {
		t.Error(got)
	}
}

func Example() {
	p := saved.New(&note.Process{
		Threads: []note.Thread{{TID: 1}},
		Maps:    []note.Map{{Range: note.Range{Start: 0x1000, Size: 0x2000}, Prot: 6}},
	}, amd64.Machine, make([][]byte, 1), []saved.Part{{Start: 0x1000, Data: elffile.Buffer("what was written")}})
	b := make([]byte, 20)
	n, err := p.ReadAt(b, 0x1000)
	fmt.Printf("%q %d %v\n", b[:16], n, err)
	// Output: "what was written" 20 <nil>
}
