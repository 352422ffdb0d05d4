package phdr_test

import (
	"bytes"
	"debug/elf"
	"errors"
	"path/filepath"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/samples"
	"elfwright/phdr"
)

// TestDetach puts bytes in and takes them out again, in every way there is to put
// them in: the program runs, and doing so again and again leaves nothing
// behind.
func TestDetach(t *testing.T) {
	for _, name := range []string{"x86-64-pie", "x86-64-static", "x86-64-mold-pie", "i386-static", "aarch64-static-pie", "arm-static", "riscv64-static"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSubject(t, samples.Find(t, name))
			dir := t.TempDir()
			h := dataHeader()
			h.Alone, h.Base, h.BaseAlign = true, 48, 4096
			apart := phdr.Header{Type: dataType + 8, Data: elffile.Buffer("not loaded"), Unloaded: true}
			ways := map[string][]phdr.Header{"loaded": {h}, "both": {h, apart}}
			if s.Narrow() {
				delete(ways, "both")
			}
			for how, headers := range ways {
				with, without, again := filepath.Join(dir, how), filepath.Join(dir, how+".without"), filepath.Join(dir, how+".again")
				add(t, s.path, with, phdr.Options{}, headers...)
				s.same(t, with)
				s.finds(t, with, true, false)
				detachAll(t, with, without)
				s.same(t, without)
				if _, status := s.Run(t, without, "find", "0x65770001"); status == 0 {
					t.Errorf("%s: the header is still found", how)
				}
				var sizes []int64
				for range 3 {
					add(t, without, again, phdr.Options{}, headers...)
					s.same(t, again)
					sizes = append(sizes, detachAll(t, again, without))
				}
				if sizes[1] != sizes[2] {
					t.Errorf("%s: what is left grows: %d bytes", how, sizes)
				}
			}
		})
	}
}

// detachAll takes all headers of ours out of a file and returns its size.
func detachAll(t *testing.T, from, to string) int64 {
	t.Helper()
	r, err := edit(t, from, to, func(f *elffile.File) (*phdr.Result, error) {
		for {
			i := -1
			for k, p := range f.Progs {
				if p.Type == dataType || p.Type == dataType+8 {
					i = k
				}
			}
			if i < 0 {
				return &phdr.Result{Body: f.Encode(), Report: &phdr.Report{}}, nil
			}
			r, err := phdr.Detach(f, i, phdr.Options{})
			if err != nil {
				return nil, err
			}
			if f, err = elffile.ParseBody(f.Name, r.Body); err != nil {
				return nil, err
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = r
	f := open(t, to)
	return f.Body.Size()
}

// TestDetachRefuses: what is the program's own stays.
func TestDetachRefuses(t *testing.T) {
	for _, name := range []string{"x86-64-pie", "x86-64-static", "arm-pie"} {
		f := open(t, samples.Find(t, name).Build(t))
		for i, p := range f.Progs {
			_, err := phdr.Detach(f, i, phdr.Options{})
			if _, ok := errors.AsType[*phdr.Refusal](err); !ok {
				t.Errorf("%s: program header %d (%v) is taken out: %v", name, i, p.Type, err)
			}
		}
		if _, err := phdr.Detach(f, len(f.Progs), phdr.Options{}); err == nil {
			t.Errorf("%s: a program header that is not there is taken out", name)
		}
	}
}

// TestDetachSymbols: a symbol in a section that goes is at an absolute address.
func TestDetachSymbols(t *testing.T) {
	p := samples.Find(t, "x86-64-pie")
	dir := t.TempDir()
	with, copied := filepath.Join(dir, "with"), filepath.Join(dir, "copied")
	h := dataHeader()
	h.Alone = true
	add(t, p.Build(t), with, phdr.Options{}, h)
	for _, k := range p.Editors() {
		if k.Name == "objcopy" {
			k.Apply(t, with, copied)
		}
	}
	detachAll(t, copied, copied)
	f := open(t, copied)
	tab, err := f.SymbolTable(f.SectionByType(elf.SHT_SYMTAB))
	if err != nil {
		t.Fatal(err)
	}
	for i := range tab.Len() {
		if x := int(tab.At(i).Shndx); x < elffile.ShnLoReserve && x >= len(f.Sections()) {
			t.Errorf("symbol %d is in section %d of %d", i, x, len(f.Sections()))
		}
	}
	if b, _ := f.Body.Bytes(0, uint64(f.Body.Size())); bytes.Contains(b, payload()) {
		t.Error("the bytes are still there")
	}
}
