package elffile

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// openDescriptor opens a file without keeping it open.
func openDescriptor(t *testing.T, name string) *File {
	t.Helper()
	fd, err := unix.Open(name, unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		t.Fatal(err)
	}
	f, err := OpenDescriptor(name, fd, &st)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != unix.EBADF {
		t.Errorf("the descriptor is still open: %v", err)
	}
	return f
}

// TestOpenDescriptor has a file of which no descriptor is kept: it can be copied,
// and that it is cut is noticed, by its name or else by the page.
func TestOpenDescriptor(t *testing.T) {
	for _, moved := range []bool{false, true} {
		name := sparseELF(t, 1<<20)
		whole, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f := openDescriptor(t, name)
		defer f.Close()
		if f.Mode() != 0o755 || len(f.Sections()) != 9 {
			t.Errorf("mode %v, %d sections", f.Mode(), len(f.Sections()))
		}
		out := filepath.Join(t.TempDir(), "out")
		if err := f.Encode().WriteFile(out, f.Mode()); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(out); err != nil || !bytes.Equal(b, whole) {
			t.Errorf("the copy differs, %v", err)
		}
		if err := f.Guard(func() error { return nil }); err != nil {
			t.Error(err)
		}
		at := name
		if moved {
			at += ".moved"
			if err := os.Rename(name, at); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Truncate(at, 8192); err != nil {
			t.Fatal(err)
		}
		wantError(t, f.Guard(func() error { return nil }), map[bool]string{false: "the file shrank from 0x100000 to 0x2000", true: "the byte at 0xfffff can no longer be read"}[moved])
	}
}
