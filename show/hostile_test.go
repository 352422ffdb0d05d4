package show

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"elfwright/elffile"
	"elfwright/internal/elftest"
)

// parses says whether data has a usable ELF header.
func parses(data []byte) (*elffile.File, bool) {
	f, err := elffile.Parse("x", data)
	return f, err == nil
}

// limited counts what is printed and stops a printer that does not end.
type limited struct{ n, max int }

func (l *limited) Write(p []byte) (int, error) {
	if l.n += len(p); l.n > l.max {
		return 0, errors.New("too much output")
	}
	return len(p), nil
}

// Broken neighbours of good files: no panic, little time, output in proportion.
func TestMutations(t *testing.T) {
	sample := 400
	if testing.Short() {
		sample = 60
	}
	for i, k := range elftest.Kinds() {
		for _, data := range [][]byte{elftest.Shared(k).Bytes(), elftest.Object(k).Bytes(), elftest.Core(k).Bytes()} {
			n := 0
			for what, broken := range elftest.Mutate(uint64(i), data) {
				if n++; n > sample {
					break
				}
				f, ok := parses(broken)
				if !ok {
					continue
				}
				opt := everything
				opt.JSON, opt.Demangle = n%2 == 0, n%3 == 0
				start := time.Now()
				w := &limited{max: 4<<20 + 2000*len(broken)}
				if _, err := Print(w, f, opt); err != nil {
					t.Errorf("%s, %s: %v", k.Name, what, err)
				}
				if d := time.Since(start); d > 2*time.Second {
					t.Errorf("%s, %s: %v", k.Name, what, d)
				}
			}
		}
	}
}

func FuzzPrint(f *testing.F) {
	for _, data := range elftest.Corpus() {
		if len(data) < 1<<14 {
			f.Add(data, false)
			f.Add(data, true)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, js bool) {
		file, ok := parses(data)
		if !ok {
			return
		}
		opt := everything
		opt.JSON, opt.Demangle, opt.Decompress = js, true, true
		opt.Views |= NM | DynSyms
		var b bytes.Buffer
		r, err := Print(&b, file, opt)
		if err != nil {
			t.Fatal(err)
		}
		if js && !json.Valid(b.Bytes()) {
			t.Fatalf("not JSON:\n%s", b.String())
		}
		if !js {
			for _, c := range b.Bytes() {
				if c < ' ' && c != '\n' || c == 0x7f {
					t.Fatalf("the control character 0x%x is printed:\n%q", c, b.String())
				}
			}
		}
		_ = r
	})
}

// A thousand sections that name the same bytes as their symbol table do not
// print them a thousand times.
func TestOverlappingTables(t *testing.T) {
	syms := make([]byte, 24*2000)
	f := elftest.File{Type: elf.ET_REL, Machine: elf.EM_X86_64}
	f.Sections = append(f.Sections, elftest.Section{Name: ".symtab", Type: elf.SHT_SYMTAB, Content: elftest.Bytes(syms), Link: ".strtab", Entsize: 24})
	f.Sections = append(f.Sections, elftest.Section{Name: ".strtab", Type: elf.SHT_STRTAB, Content: elftest.Bytes("\x00")})
	for range 3000 {
		f.Sections = append(f.Sections, elftest.Section{Type: elf.SHT_SYMTAB, Link: ".strtab", Entsize: 24})
	}
	data := f.Bytes()
	file, _ := parses(data)
	off := file.Sections()[1].Off
	for i := range file.Sections() {
		if s := &file.Sections()[i]; s.Type == elf.SHT_SYMTAB {
			s.Off, s.Size = off, uint64(len(syms))
		}
	}
	w := &limited{max: 100 << 20}
	r, err := Print(w, file, Options{Views: Symbols})
	if err != nil || len(r.Faults) == 0 {
		t.Errorf("%d bytes, %v, faults %v", w.n, err, r.Faults)
	}
}

// A string table without a NUL in which every symbol is named.
func TestEndlessNames(t *testing.T) {
	const n = 20000
	f := elftest.File{Type: elf.ET_REL, Machine: elf.EM_X86_64, Sections: []elftest.Section{
		{Name: ".symtab", Type: elf.SHT_SYMTAB, Content: elftest.Bytes(make([]byte, 24*n)), Link: ".strtab", Entsize: 24},
		{Name: ".strtab", Type: elf.SHT_STRTAB, Content: elftest.Bytes(strings.Repeat("x", 1<<20))},
	}}
	data := f.Bytes()
	file, _ := parses(data)
	for i := range n {
		data[file.Sections()[1].Off+uint64(24*i)] = byte(i)
	}
	for _, view := range []View{Symbols, NM} {
		w := &limited{max: 400 << 20}
		start := time.Now()
		if _, err := Print(w, file, Options{Views: view}); err != nil {
			t.Errorf("%v", err)
		}
		if d := time.Since(start); d > 8*time.Second {
			t.Error(d)
		}
	}
}

// A file that shrinks while it is shown gives an error in the view that misses
// its bytes; the views before and after it are there, and the JSON is whole.
func TestShrinkingFile(t *testing.T) {
	data := elftest.Shared(elftest.Kinds()[0]).Bytes()
	for _, js := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := elffile.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		f.Sections()
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		r, err := Print(&b, f, Options{Views: FileHeader | Symbols | Segments | Relocs, JSON: js})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Faults) == 0 || !errors.Is(r.Faults[0], io.ErrUnexpectedEOF) {
			t.Errorf("faults: %v", r.Faults)
		}
		if js {
			document(t, b.String())
		} else if !strings.Contains(b.String(), "Program Headers:") {
			t.Errorf("the program headers are missing:\n%s", b.String())
		}
		f.Close()
	}
}
