package memory

import (
	"bytes"
	"debug/elf"
	"strings"
	"testing"

	"elfwright/dyn/load"
	"elfwright/dyn/object"
	"elfwright/elffile"
	"elfwright/run/place"
)

// process is one object: code of a page, then data whose file bytes end in the
// middle of one.
func process(t *testing.T, textrel bool) *Process {
	t.Helper()
	body := bytes.Repeat([]byte{0xcc}, 0x3000)
	f := &elffile.File{Name: "o", Format: elffile.Format{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}, Body: elffile.NewBody(elffile.Buffer(body))}
	f.Header.Machine, f.Header.Type = elf.EM_X86_64, elf.ET_DYN
	f.Progs = []elffile.Prog{
		{Type: elf.PT_LOAD, Flags: elf.PF_R | elf.PF_X, Filesz: 0x800, Memsz: 0x800, Align: 0x1000},
		{Type: elf.PT_LOAD, Flags: elf.PF_R | elf.PF_W, Off: 0x1100, Vaddr: 0x2100, Filesz: 0x80, Memsz: 0x40000000, Align: 0x1000},
		{Type: elf.PT_GNU_RELRO, Vaddr: 0x2100, Memsz: 0xf00},
	}
	p := &load.Process{Objects: []*load.Object{{Object: &object.Object{File: f, Textrel: textrel}}}}
	l, err := place.Lay(p, place.Options{Page: 0x1000})
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(l)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestPages: what mmap would map beside a segment's bytes is there, and zeros where
// p_memsz is more than p_filesz.
func TestPages(t *testing.T) {
	o := &process(t, false).Objects[0]
	code, data := &o.Segments[0], &o.Segments[1]
	if code.Private || len(code.Bytes) != 0x1000 || code.End != 0x1000 {
		t.Errorf("code: private %v, %d bytes to 0x%x", code.Private, len(code.Bytes), code.End)
	}
	if !data.Private || len(data.Bytes) != 0x180 || data.Start != 0x2000 || data.FileOff != 0x1000 {
		t.Errorf("data: private %v, %d bytes at 0x%x, offset 0x%x", data.Private, len(data.Bytes), data.Start, data.FileOff)
	}
	if b := o.Read(0x2178, 16); !bytes.Equal(b, append(bytes.Repeat([]byte{0xcc}, 8), make([]byte, 8)...)) {
		t.Errorf("at the end of the file's bytes: % x", b)
	}
	if b := o.Read(0x1000, 1); b != nil {
		t.Errorf("between the segments: % x", b)
	}
	if r, ok := o.Relro(0x1000); !ok || uint64(r.Start) != o.Base+0x2000 || r.Size != 0x1000 {
		t.Errorf("relro %v, %v", r, ok)
	}
}

func TestWrite(t *testing.T) {
	o := &process(t, false).Objects[0]
	if err := o.SetWord(0x3000, 0x1234); err != nil { // behind the file's bytes
		t.Fatal(err)
	}
	if v, ok := o.Word(0x3000); !ok || v != 0x1234 {
		t.Errorf("0x%x, %v", v, ok)
	}
	for addr, want := range map[uint64]string{
		0x1800:      "is in no segment",
		0x10:        "no DT_TEXTREL",
		0x400020ff:  "is past the end of its segment",
		0x30000000:  "bytes beyond the file bytes of program header 1",
		1<<64 - 100: "is in no segment",
	} {
		if addr == 0x400020ff {
			addr = o.Segments[1].End - 4
		}
		if err := o.SetWord(addr, 1); err == nil || !strings.Contains(err.Error(), want) && !strings.Contains(err.Error(), "past the end") {
			t.Errorf("0x%x: error %v, want %q", addr, err, want)
		}
	}
	if n := len(o.Segments[1].Bytes); n > maxGrown {
		t.Errorf("%d bytes are kept", n)
	}
	text := &process(t, true).Objects[0]
	if err := text.SetWord(0x10, 1); err != nil || !text.Segments[0].Private {
		t.Errorf("with DT_TEXTREL: %v", err)
	}
}

func TestArena(t *testing.T) {
	a := &Arena{At: 0x1000, Limit: 100}
	x := a.Text("abc")
	y := a.Alloc(8, 32)
	a.Word(y, 0x0102, 2)
	if x != 0x1000 || y != 0x1020 || string(a.Bytes[:4]) != "abc\x00" || a.Bytes[0x20] != 2 || a.Err() != nil {
		t.Errorf("0x%x, 0x%x, % x, %v", x, y, a.Bytes, a.Err())
	}
	for _, n := range []uint64{60, 1 << 63, ^uint64(0)} {
		b := &Arena{At: 0x1000, Limit: 50}
		b.Word(b.Alloc(n, 1), 1, 8)
		if b.Err() == nil {
			t.Errorf("%d bytes fit into 50", n)
		}
	}
}
