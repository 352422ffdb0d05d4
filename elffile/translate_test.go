package elffile

import (
	"bytes"
	"debug/elf"
	"os"
	"testing"

	"elfwright/internal/elftest"
	"elfwright/internal/samples"
)

// bodyBytes is all of a body.
func bodyBytes(t testing.TB, b *Body) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := b.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// there translates a file by n and reads it again.
func there(t testing.TB, f *File, from, to int64) *File {
	t.Helper()
	b, err := Translate(f, from, to)
	if err != nil {
		t.Fatal(err)
	}
	g, err := ParseBody(f.Name, b)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestTranslate puts every kind of file into a larger one: its headers, translated,
// name the same bytes there. Back it is the file that it was.
func TestTranslate(t *testing.T) {
	const at = 0x30000
	for name, b := range elftest.WellFormed() {
		f, err := Parse(name, b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.at(0); err != nil {
			t.Logf("%s: %v", name, err)
			continue
		}
		if len(f.Progs)+len(f.Sections()) == 0 {
			continue // nothing tells
		}
		g := there(t, f, 0, at)
		if n, err := Translation(g, at); n != at || err != nil {
			t.Errorf("%s: translated by %d, and %d is found out: %v", name, at, n, err)
		}
		if n, err := Translation(g); n != at && f.Header.Phoff == uint64(f.EhdrSize()) || n != at && err == nil {
			t.Errorf("%s: translated by %d, and %d is found out without a hint: %v", name, at, n, err)
		}
		if back := bodyBytes(t, there(t, g, at, 0).Body); !bytes.Equal(back, b) {
			t.Errorf("%s: there and back, it is another file", name)
		}
		outer := append(make([]byte, at), bodyBytes(t, g.Body)...)
		sameThere(t, name, f, g, outer)
	}
}

// sameThere compares what the headers of f name in f with what those of g name in
// the outer file.
func sameThere(t *testing.T, name string, f, g *File, outer []byte) {
	t.Helper()
	part := func(off, n uint64) []byte {
		if n == 0 || off > uint64(len(outer)) || n > uint64(len(outer))-off {
			return nil
		}
		return outer[off : off+n]
	}
	plain := NewBody(Buffer(outer))
	h := &File{Name: name, Format: g.Format, Header: g.Header, Body: plain}
	h.readProgs()
	if len(h.Progs) != len(f.Progs) || len(h.Sections()) != len(f.Sections()) {
		t.Fatalf("%s: %d and %d headers are found in the outer file, not %d and %d", name, len(h.Progs), len(h.Sections()), len(f.Progs), len(f.Sections()))
	}
	for i := range f.Progs {
		if f.Progs[i].Type == elf.PT_NULL || f.Progs[i].Type == elf.PT_PHDR || f.Progs[i].Filesz == 0 {
			continue
		}
		want, _ := f.ProgData(i)
		// What has the headers themselves differs in them.
		if got := part(h.Progs[i].Off, h.Progs[i].Filesz); f.Progs[i].Off >= f.Header.Phoff+uint64(len(f.Progs)*f.PhdrSize()) && !bytes.Equal(got, want) {
			t.Errorf("%s: program header %d names other bytes", name, i)
		}
	}
	for i, s := range f.Sections() {
		if want, err := f.SectionData(i); s.HasBytes() && err == nil && !bytes.Equal(part(h.Sections()[i].Off, s.Size), want) {
			t.Errorf("%s: section %d names other bytes", name, i)
		}
	}
}

// TestTranslateLimits: an offset that does not fit its field is refused, and the
// field is named.
func TestTranslateLimits(t *testing.T) {
	for _, k := range elftest.Kinds() {
		f, err := Parse(k.Name, elftest.ExecSections(k).Bytes())
		if err != nil {
			t.Fatal(err)
		}
		bad := []int64{-1 << 20, -1 << 62}
		if f.Is64() {
			bad = append(bad, 1<<63-1)
		} else {
			bad = append(bad, 1<<32, 1<<32-1, 1<<40)
		}
		for _, n := range bad {
			if _, err := Translate(f, 0, n); err == nil {
				t.Errorf("%s: translated by %d", k.Name, n)
			}
		}
		if f.Is64() {
			there(t, f, 0, 1<<40)
		} else {
			there(t, f, 0, 1<<31)
		}
	}
}

// TestTranslateSystem is the round trip with files of this system: a sample, or
// with ELFWRIGHT_SWEEP all.
func TestTranslateSystem(t *testing.T) {
	t.Parallel()
	paths := samples.SystemELFs("/usr/bin", "/usr/lib", "/usr/sbin")
	if os.Getenv("ELFWRIGHT_SWEEP") == "" {
		paths = samples.Some(paths, 60, 7)
	}
	n := 0
	for path := range paths {
		f, err := Open(path)
		if err != nil {
			t.Error(err)
			continue
		}
		n++
		err = f.Guard(func() error {
			if _, err := f.at(0); err != nil {
				t.Logf("%v", err) // it is wrong as it is
				return nil
			}
			g := there(t, f, 0, 1<<24)
			if from, err := Translation(g); from != 1<<24 {
				t.Errorf("%s: translated by %d, and %d is found out: %v", path, 1<<24, from, err)
			}
			back := there(t, g, 1<<24, 0).Body
			return Diff(f.Body, back, func(from, to int64) bool {
				t.Errorf("%s: there and back, it differs in [0x%x, 0x%x)", path, from, to)
				return false
			})
		})
		if err != nil {
			t.Error(err)
		}
		f.Close()
	}
	t.Logf("%d files", n)
}

// FuzzTranslate: whatever can be translated comes back the same.
func FuzzTranslate(f *testing.F) {
	for _, data := range elftest.Corpus() {
		f.Add(data, int64(0x1000))
	}
	f.Fuzz(func(t *testing.T, data []byte, n int64) {
		file, err := Parse("fuzz", data)
		if err != nil {
			return
		}
		bounded(t, len(data), func() {
			from, err := Translation(file, n)
			if err != nil {
				return
			}
			b, err := Translate(file, from, n)
			if err != nil {
				checkPlaced(t, "fuzz", err)
				return
			}
			g, err := ParseBody("fuzz", b)
			if err != nil {
				t.Fatal(err)
			}
			back, err := Translate(g, n, from)
			if err != nil {
				t.Fatalf("translated by %d, it does not come back: %v", n, err)
			}
			if !bytes.Equal(bodyBytes(t, back), bodyBytes(t, file.Body)) {
				t.Error("there and back, it is another file")
			}
		})
	})
}
