package elffile

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// storedFixture is a file of n bytes as Stored, and its directory.
func storedFixture(t *testing.T, n int) (d Data, dir string, content []byte) {
	t.Helper()
	dir = t.TempDir()
	content = make([]byte, n)
	for i := range content {
		content[i] = byte(i*7 + i>>8)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), content, 0o644); err != nil {
		t.Fatal(err)
	}
	root, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	d, err = Stored(root, "file")
	if err != nil {
		t.Fatal(err)
	}
	return d, dir, content
}

func TestStored(t *testing.T) {
	for _, n := range []int{0, 1, 4096, smallCopy, smallCopy + 1, longCopy + 5} {
		d, dir, content := storedFixture(t, n)
		b := NewBody(Buffer("head"))
		b.Put(0x1000, d)
		if n > 10 {
			b.Put(0x1000+int64(n), Slice(d, 5, int64(n)-9))
		}
		out := filepath.Join(dir, "out")
		if err := b.WriteFile(out, 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		want, err := b.Bytes(0, uint64(b.Size()))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("0x%x bytes: %v, or the file differs from what is read", n, err)
		}
		if n > 0 && !bytes.Equal(got[0x1000:0x1000+n], content) {
			t.Errorf("0x%x bytes: other contents", n)
		}
	}
}

func TestStoredReadAt(t *testing.T) {
	d, _, content := storedFixture(t, 1000)
	d = Slice(Slice(d, 100, 800), 50, 600)
	p := make([]byte, 700)
	n, err := d.ReadAt(p, 10)
	if n != 590 || err != io.EOF || !bytes.Equal(p[:n], content[160:750]) {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := d.ReadAt(p, 600); n != 0 || err != io.EOF {
		t.Errorf("at the end: %d, %v", n, err)
	}
	if n, err := d.ReadAt(p, -1); n != 0 || err == nil {
		t.Errorf("before the beginning: %d, %v", n, err)
	}
}

// TestStoredHoles keeps holes where they are.
func TestStoredHoles(t *testing.T) {
	d, dir, _ := storedFixture(t, 0)
	f, err := os.OpenFile(filepath.Join(dir, "file"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte("middle"), 64<<20); err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(128 << 20); err != nil {
		t.Fatal(err)
	}
	if d, err = Stored(d.(stored).f.dir, "file"); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	if err := NewBody(d).WriteFile(out, 0o644); err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Stat(out, &st); err != nil || st.Size != 128<<20 || st.Blocks*512 > 1<<20 {
		t.Errorf("0x%x bytes in %d sectors, %v", st.Size, st.Blocks, err)
	}
	p := make([]byte, 6)
	if r, err := os.Open(out); err != nil {
		t.Error(err)
	} else if _, err := r.ReadAt(p, 64<<20); err != nil || string(p) != "middle" {
		t.Errorf("%q, %v", p, err)
	}
}

// TestStoredChanged: what is read is what was there, or nothing.
func TestStoredChanged(t *testing.T) {
	for _, tc := range []struct {
		says   string
		change func(name string) error
	}{
		{"0x64 bytes, were 0x20000", func(name string) error { return os.Truncate(name, 100) }},
		{"0x30000 bytes, were 0x20000", func(name string) error { return os.Truncate(name, 0x30000) }},
		{"modified at 5.000000006", func(name string) error { return os.Chtimes(name, time.Time{}, time.Unix(5, 6)) }},
		{"has taken its place", func(name string) error {
			if err := os.WriteFile(name+"2", make([]byte, 0x20000), 0o644); err != nil {
				return err
			}
			return os.Rename(name+"2", name)
		}},
		{"since it was looked at", func(name string) error { return errors.Join(os.Remove(name), unix.Mkfifo(name, 0o644)) }},
		{"too many levels", func(name string) error { return errors.Join(os.Rename(name, name+"2"), os.Symlink("file2", name)) }},
		{"no such file", os.Remove},
	} {
		d, dir, _ := storedFixture(t, 0x20000)
		name := filepath.Join(dir, "file")
		if err := tc.change(name); err != nil {
			t.Fatal(err)
		}
		_, err := d.ReadAt(make([]byte, 10), 0)
		checkChanged(t, "read", err, name, tc.says)
		err = NewBody(d).WriteFile(filepath.Join(dir, "out"), 0o644)
		checkChanged(t, "write", err, name, tc.says)
		if _, err := os.Stat(filepath.Join(dir, "out")); err == nil {
			t.Errorf("%s: a file was left", tc.says)
		}
	}
}

func checkChanged(t *testing.T, what string, err error, name, says string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), name) {
		t.Errorf("%s: %v, want %q", what, err, says)
	}
}

func TestStoredRefuses(t *testing.T) {
	dir := t.TempDir()
	root, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "dir"), 0o755), os.Symlink("dir", filepath.Join(dir, "link")), unix.Mkfifo(filepath.Join(dir, "pipe"), 0o644)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"dir", "link", "pipe", "none"} {
		if _, err := Stored(root, name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestStoredProc is a file that says it is empty, and is not.
func TestStoredProc(t *testing.T) {
	dir, err := os.Open("/proc/self")
	if err != nil {
		t.Skip(err)
	}
	defer dir.Close()
	if _, err := Stored(dir, "status"); err == nil || !strings.Contains(err.Error(), "though its size is 0") {
		t.Error(err)
	}
}
