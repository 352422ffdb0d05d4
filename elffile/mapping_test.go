package elffile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"elfwright/internal/elftest"
)

// sparseELF writes an ELF file with its program headers in front, its section
// headers at the end and nothing between.
func sparseELF(t *testing.T, size int64) string {
	t.Helper()
	k := elftest.Kinds()[0]
	d := elftest.ExecSections(k)
	d.Overlay = nil
	data := d.Bytes()
	f, err := Parse("", data)
	if err != nil {
		t.Fatal(err)
	}
	sections := f.Sections()
	table := size - int64(len(sections)*f.ShdrSize())
	f.Header.Shoff = uint64(table)
	name := filepath.Join(t.TempDir(), "sparse")
	b := f.Encode()
	b.Truncate(size)
	for i := range sections {
		b.Put(table+int64(i*f.ShdrSize()), Buffer(sections[i].Encode(f.Format)))
	}
	if err := b.WriteFile(name, 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

// resident returns how many KiB of a mapping this process has touched, by the
// kernel's account (proc(5), smaps, Rss).
func resident(t *testing.T, b []byte) int {
	t.Helper()
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	start := fmt.Sprintf("%08x-", uintptr(unsafe.Pointer(unsafe.SliceData(b))))
	in := false
	for s := bufio.NewScanner(f); s.Scan(); {
		line := s.Text()
		if strings.Contains(line, " r--p ") {
			in = strings.HasPrefix(line, start)
		}
		var kib int
		if n, _ := fmt.Sscanf(line, "Rss: %d kB", &kib); in && n == 1 {
			return kib
		}
	}
	t.Fatalf("no mapping at %s", start)
	return 0
}

// TestOpenTouches opens a file of 1 GiB: its program headers cost the page they
// are on, and the section headers theirs only when they are asked for. The kernel
// may map up to 64 KiB of cached pages around a fault (fault_around_bytes).
func TestOpenTouches(t *testing.T) {
	const around = 64
	f, err := Open(sparseELF(t, 1<<30))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if len(f.Progs) != 5 || f.CheckProgs() != nil || f.ProgErr != nil {
		t.Errorf("%d program headers, %v", len(f.Progs), f.CheckProgs())
	}
	b := f.mapping.Bytes()
	if kib := resident(t, b); kib > around {
		t.Errorf("the program headers touched %d KiB", kib)
	}
	if len(f.Sections()) != 9 || f.SectionErr() != nil {
		t.Errorf("%d section headers, %v", len(f.Sections()), f.SectionErr())
	}
	if kib := resident(t, b); kib > 2*around {
		t.Errorf("with the section headers %d KiB were touched", kib)
	}
	out := filepath.Join(t.TempDir(), "out")
	if err := f.Encode().WriteFile(out, f.Mode()); err != nil {
		t.Fatal(err)
	}
	if kib := resident(t, b); kib > 2*around {
		t.Errorf("with a copy %d KiB were touched", kib)
	}
	if st, err := os.Stat(out); err != nil || st.Mode() != 0o755 || st.Size() != 1<<30 {
		t.Errorf("%v, %v", st, err)
	}
}

// sink keeps what is read from being left out.
var sink byte

// TestShrinkReading cuts a file under its mapping: an error, where it would be a
// signal that ends the program.
func TestShrinkReading(t *testing.T) {
	name := sparseELF(t, 1<<20)
	f, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Truncate(name, 8192); err != nil {
		t.Fatal(err)
	}
	for what, read := range map[string]func() error{
		"section headers": func() error { f.Sections(); return nil },
		"bytes":           func() error { sink += f.mapping.Bytes()[1<<19]; return nil },
		"copy": func() error {
			_, err := io.Copy(io.Discard, io.NewSectionReader(f.Body, 0, f.Body.Size()))
			return err
		},
		"write": func() error { _, err := f.Encode().WriteTo(io.Discard); return err },
		"search": func() error {
			cstring(f.mapping.Bytes()[8192-10:], 0)
			cstring(f.mapping.Bytes()[8192:], 0)
			return nil
		},
	} {
		err := f.Guard(read) // each time: a view that failed is not taken for read
		wantError(t, err, name, "the file shrank from 0x100000 to 0x2000 bytes while it was read")
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestShrinkLastPage: the rest of the page on which a file ends reads as zeros,
// without a fault. That is an error all the same.
func TestShrinkLastPage(t *testing.T) {
	name := write(t, filepath.Join(t.TempDir(), "x"), strings.Repeat("x", 4096+2000))
	m, err := Map(name)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	read := func() error { sink += m.Bytes()[4096+1999]; return nil }
	if err := m.Guard(read); err != nil {
		t.Error(err)
	}
	if err := os.Truncate(name, 4096+1000); err != nil {
		t.Fatal(err)
	}
	wantError(t, m.Guard(read), name, "the file shrank from 0x17d0 to 0x13e8 bytes")
}

func TestShrinkWriting(t *testing.T) {
	for _, full := range []bool{false, true} { // with holes at the end, and without
		for _, left := range []int64{0, 4096, 1<<20 - 1} {
			name := sparseELF(t, 1<<20)
			if full {
				write(t, name, "\x7fELF"+strings.Repeat("x", 1<<20-4))
			}
			m, err := Map(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(name, left); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			out := write(t, filepath.Join(dir, "out"), "old")
			for what, d := range map[string]Data{"mapped": m.Data(), "window": Slice(m.Data(), 100, 1<<20-100), "memory": Buffer(m.Bytes())} {
				if what == "memory" && left > 1<<19 {
					continue // the page is still there, as zeros
				}
				err := m.Guard(func() error { return NewBody(d).WriteFile(out, 0o644) })
				if err == nil || what != "memory" && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("full %v, cut to 0x%x, %s: %v", full, left, what, err)
				}
				content(t, out, "old")
				onlyFiles(t, dir, "out")
			}
			m.Close()
		}
	}
}

// TestGuardPasses: a panic that has nothing to do with the mapping stays one.
func TestGuardPasses(t *testing.T) {
	m, err := Map(sparseELF(t, 1<<16))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	name := sparseELF(t, 1<<16)
	other, err := Map(name)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := os.Truncate(name, 1); err != nil {
		t.Fatal(err)
	}
	for what, fn := range map[string]func() error{
		"panic":           func() error { panic("mine") },
		"index":           func() error { var b []byte; i := 3; _ = b[i]; return nil },
		"nil":             func() error { var p *Section; _ = p.Size; return nil },
		"another mapping": func() error { sink += other.Bytes()[1<<15]; return nil },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: the panic is gone", what)
				}
			}()
			if err := m.Guard(fn); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}()
	}
	if err := m.Guard(func() error { return errBroken }); err != errBroken {
		t.Error(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, tc := range map[string]struct{ content, words string }{
		"empty":  {"", "needs 0x10 bytes, the file has 0x0"},
		"script": {"#!/bin/sh\necho hello\n", `the first bytes are "#!/b", not the ELF magic`},
		"cut":    {"\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 20), "ELF header at 0x0: needs 0x40 bytes, the file has 0x1b"},
	} {
		path := write(t, filepath.Join(dir, name), tc.content)
		f, err := Open(path)
		wantError(t, err, path, tc.words)
		if f != nil {
			t.Errorf("%s: both a file and an error", name)
		}
	}
	if _, err := Open(filepath.Join(dir, "nowhere")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestPread(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte("0123456789"), 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := Map(name)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	d := Pread(Slice(m.Data(), 2, 5))
	b := make([]byte, 5)
	if n, err := d.ReadAt(b, 0); n != 5 || err != nil || string(b) != "23456" || d.Size() != 5 {
		t.Errorf("%d, %v, %q", n, err, b)
	}
	if n, err := d.ReadAt(b, 3); n != 2 || err != io.EOF {
		t.Errorf("at the end: %d, %v", n, err)
	}
	if _, ok := Pread(Buffer("x")).(Buffer); !ok {
		t.Error("a buffer is something else")
	}
}
