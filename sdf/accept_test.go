package sdf_test

import (
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/sdf"
	"elfwright/sdf/desc"
)

// Files that we can read, and Microkit's own tool cannot, are warned of.
func TestAccepted(t *testing.T) {
	dir := build(t, "aarch64-linux-gnu-gcc", source)
	whole, err := os.ReadFile(filepath.Join(dir, "a.elf"))
	if err != nil {
		t.Fatal(err)
	}
	// at moves what [off, off+n) has to the end, at 4 bytes behind a multiple of 8.
	at := func(b []byte, off, n uint64) ([]byte, uint64) {
		for len(b)%8 != 4 {
			b = append(b, 0)
		}
		return append(b, b[off:off+n]...), uint64(len(b))
	}
	symtab := func(f *elffile.File) *elffile.Section {
		for i := range f.Sections() {
			if f.Sections()[i].Type == elf.SHT_SYMTAB {
				return &f.Sections()[i]
			}
		}
		t.Fatal("no symbol table")
		return nil
	}
	for _, c := range []struct {
		change func(f *elffile.File, b []byte) []byte
		want   string
	}{
		{func(_ *elffile.File, b []byte) []byte { return b }, ""},
		{func(f *elffile.File, b []byte) []byte {
			b, f.Header.Shoff = at(b, f.Header.Shoff, uint64(f.Header.Shnum)*64)
			return b
		}, "e_shoff"},
		{func(f *elffile.File, b []byte) []byte {
			b, f.Header.Phoff = at(b, f.Header.Phoff, uint64(f.Header.Phnum)*56)
			return b
		}, "e_phoff"},
		{func(f *elffile.File, b []byte) []byte {
			s := symtab(f)
			b, s.Off = at(b, s.Off, s.Size)
			return b
		}, "sh_offset"},
		{func(f *elffile.File, b []byte) []byte {
			s := symtab(f)
			copy(b[f.Sections()[s.Link].Off+1:], "\xff\xfe")
			return b
		}, "is no text"},
	} {
		f, err := elffile.Parse("a.elf", whole)
		if err != nil {
			t.Fatal(err)
		}
		symtab(f) // sections are read, and written by Encode
		f.Body = elffile.NewBody(elffile.Buffer(c.change(f, append([]byte(nil), whole...))))
		dir := t.TempDir()
		if err := f.Encode().WriteFile(filepath.Join(dir, "a.elf"), 0o666); err != nil {
			t.Fatal(err)
		}
		a, err := sdf.Apply(parse(t, desc.Default(desc.AArch64), one), sdf.Options{Search: []string{dir}})
		if err != nil {
			t.Errorf("%s: %v", c.want, err)
			continue
		}
		if got := fmt.Sprint(a.Warnings); (len(a.Warnings) > 0) != (c.want != "") || !strings.Contains(got, c.want) {
			t.Errorf("want %q: %s", c.want, got)
		}
		a.Close()
	}
}
