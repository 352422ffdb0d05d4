package show_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/show"
)

// loaderImage is a loader of 0x20 bytes, the header, two regions, their data.
func loaderImage(second uint64) []byte {
	b := bytes.Repeat([]byte{0xaa}, 0x20)
	for _, w := range []uint64{0x5e14dead14de5ead, 128 + 0x30, 0xffffff8040000000, 0x1000, 0x3000, 0x10, 0x8000, 2,
		0x40000000, 0x10, 0, 1, second, 0x20, 0x10, 1} {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return append(b, make([]byte, 0x30)...)
}

func TestLoaderImage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "loader.img")
	if err := os.WriteFile(path, loaderImage(0x50000000), 0o666); err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	r, err := show.Path(&text, show.Input{Path: path}, show.Options{})
	if err != nil || len(r.Faults) > 0 {
		t.Fatal(r.Faults, err)
	}
	for _, want := range []string{"Microkit loader image, raw binary", "file offset 0x20, 0xb0 bytes", "Kernel entry:        0xffffff8040000000", "0x0000000050000000  0x0000000000000020  0xb0 "} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, &text)
		}
	}
	var doc bytes.Buffer
	_, err = show.Path(&doc, show.Input{Path: "-", Stdin: bytes.NewReader(loaderImage(0x40000008))}, show.Options{JSON: true})
	var got struct {
		Entry   string `json:"kernel_entry"`
		Regions []struct{ Load string }
	}
	if err != nil || json.Unmarshal(doc.Bytes(), &got) != nil || got.Entry != "0xffffff8040000000" || got.Regions[1].Load != "0x40000008" {
		t.Errorf("%v\n%s", err, &doc)
	}
	if r, _ := show.Path(&doc, show.Input{Path: "-", Stdin: bytes.NewReader(loaderImage(0x40000008))}, show.Options{}); len(r.Faults) != 1 {
		t.Error("regions over each other are no fault", r.Faults)
	}
}

// Microkit's ELF kind has the same bytes in one segment with all rights.
func TestLoaderWithinELF(t *testing.T) {
	for _, flags := range []elf.ProgFlag{elf.PF_R | elf.PF_W | elf.PF_X, elf.PF_R | elf.PF_X} {
		body := loaderImage(0x50000000)
		f := elffile.Format{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}
		h := elffile.Header{Type: elf.ET_EXEC, Machine: elf.EM_AARCH64, Version: 1, Entry: 0x1000, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1}
		copy(h.Ident[:], "\x7fELF\x02\x01\x01")
		p := elffile.Prog{Type: elf.PT_LOAD, Flags: flags, Off: 0x1000, Vaddr: 0x1000, Paddr: 0x1000, Filesz: uint64(len(body)), Memsz: uint64(len(body)), Align: 0x1000}
		file := append(h.Encode(f), p.Encode(f)...)
		file = append(append(file, make([]byte, 0x1000-len(file))...), body...)
		path := filepath.Join(t.TempDir(), "loader.elf")
		if err := os.WriteFile(path, file, 0o666); err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if _, err := show.Path(&text, show.Input{Path: path}, show.Options{}); err != nil {
			t.Fatal(err)
		}
		want := flags&elf.PF_W != 0
		if got := strings.Contains(text.String(), "Microkit loader image, ELF") && strings.Contains(text.String(), "file offset 0x1020"); got != want {
			t.Errorf("%v: %v, want %v\n%s", flags, got, want, &text)
		}
	}
}
