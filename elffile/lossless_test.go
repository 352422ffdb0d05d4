package elffile

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// clobber overwrites the tables in the body, so that Encode cannot pass by
// having left them alone.
func clobber(f *File) {
	bad := func(off uint64, n int) {
		if n > 0 {
			f.Body.Put(int64(off), Buffer(bytes.Repeat([]byte{0xa5}, n)))
		}
	}
	bad(0, f.EhdrSize())
	if int(f.Header.Phentsize) == f.PhdrSize() {
		bad(f.Header.Phoff, len(f.Progs)*f.PhdrSize())
	}
	if int(f.Header.Shentsize) == f.ShdrSize() {
		bad(f.Header.Shoff, len(f.Sections())*f.ShdrSize())
	}
}

// checkLossless parses, destroys what Encode must write, encodes and compares.
func checkLossless(t *testing.T, name string, data []byte) {
	t.Helper()
	f, err := Parse(name, data)
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	f.Sections()
	clobber(f)
	enc := f.Encode()
	got := make([]byte, enc.Size())
	if n, err := enc.ReadAt(got, 0); n != len(got) {
		t.Errorf("%s: read %d of %d encoded bytes: %v", name, n, len(got), err)
		return
	}
	if !bytes.Equal(got, data) {
		t.Errorf("%s: encode(parse(f)) differs from f", name)
	}
}

func TestLosslessSystem(t *testing.T) {
	roots := []string{"/usr/bin"}
	if os.Getenv("ELFWRIGHT_SWEEP") != "" {
		roots = []string{"/usr"}
	}
	n := 0
	for _, root := range roots {
		filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return nil
			}
			m, err := Map(path)
			if err != nil {
				return nil
			}
			defer m.Close()
			if IsELF(m.Bytes()) {
				n++
				checkLossless(t, path, m.Bytes())
			}
			return nil
		})
	}
	t.Logf("%d ELF files", n)
	if n == 0 {
		t.Error("no ELF file found")
	}
}
