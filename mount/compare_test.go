package mount

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A view is what a user sees of one file.
type view struct {
	stat   string
	target string
	xattrs string
	same   string // the first path of the same file
}

// look goes through a tree and returns what is seen of each file. Contents are
// compared by sameContents.
func look(t testing.TB, root string, owners bool) map[string]view {
	t.Helper()
	seen := make(map[string]view)
	first := make(map[uint64]string)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return err
		}
		if info, err := d.Info(); err != nil || info.Mode().Type() != d.Type() {
			t.Errorf("%s: readdir says %v, lstat %v, %v", path, d.Type(), info, err)
		}
		v := view{stat: fmt.Sprintf("mode %o nlink %d size %d mtime %d.%09d", st.Mode, st.Nlink, st.Size, st.Mtim.Sec, st.Mtim.Nsec)}
		if st.Mode&unix.S_IFMT == unix.S_IFDIR {
			v.stat = fmt.Sprintf("mode %o nlink %d mtime %d.%09d", st.Mode, st.Nlink, st.Mtim.Sec, st.Mtim.Nsec) // sizes of directories are each file system's own
		}
		if owners {
			v.stat += fmt.Sprintf(" owner %d:%d", st.Uid, st.Gid)
		}
		if k := st.Mode & unix.S_IFMT; k == unix.S_IFCHR || k == unix.S_IFBLK {
			v.stat += fmt.Sprintf(" device %d:%d", unix.Major(st.Rdev), unix.Minor(st.Rdev))
		}
		if d.Type()&fs.ModeSymlink != 0 {
			if v.target, err = os.Readlink(path); err != nil {
				return err
			}
		}
		if v.xattrs, err = xattrsOf(path); err != nil {
			return err
		}
		if at, ok := first[st.Ino]; ok {
			v.same = at
		} else {
			first[st.Ino] = rel
		}
		seen[rel] = v
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

func xattrsOf(path string) (string, error) {
	names := make([]byte, 64<<10)
	n, err := unix.Llistxattr(path, names)
	if err != nil {
		return "", &os.PathError{Op: "listxattr", Path: path, Err: err}
	}
	var out []string
	for name := range strings.SplitSeq(strings.TrimRight(string(names[:n]), "\x00"), "\x00") {
		if name == "" {
			continue
		}
		value := make([]byte, 64<<10)
		n, err := unix.Lgetxattr(path, name, value)
		if err != nil {
			return "", &os.PathError{Op: "getxattr " + name, Path: path, Err: err}
		}
		if size, err := unix.Lgetxattr(path, name, nil); err != nil || size != n {
			return "", fmt.Errorf("%s: getxattr %s: size %d, then %d, %v", path, name, size, n, err)
		}
		out = append(out, fmt.Sprintf("%s=%q", name, value[:n]))
	}
	slices.Sort(out)
	return strings.Join(out, " "), nil
}

// sameTree compares what is mounted with the tree that it was made from: what
// stat, readlink and getxattr say, and contents by read and by mmap.
func sameTree(t testing.TB, want, got string, owners bool) {
	t.Helper()
	w, g := look(t, want, owners), look(t, got, owners)
	for name, v := range w {
		if g[name] != v {
			t.Errorf("%q:\n got %+v\nwant %+v", name, g[name], v)
		}
	}
	for name := range g {
		if _, ok := w[name]; !ok {
			t.Errorf("%q: is in the mount and not in the tree", name)
		}
	}
	sameContents(t, want, got, w)
}

func sameContents(t testing.TB, want, got string, files map[string]view) {
	t.Helper()
	n := 0
	for name := range files {
		if st, err := os.Lstat(filepath.Join(want, name)); err != nil || !st.Mode().IsRegular() {
			continue
		}
		a, err := os.ReadFile(filepath.Join(want, name))
		if os.IsPermission(err) {
			continue // nobody cannot read the original
		}
		must(t, err)
		b, err := os.ReadFile(filepath.Join(got, name))
		must(t, err)
		if !bytes.Equal(a, b) {
			t.Errorf("%s: read gives other bytes (%d, want %d)", name, len(b), len(a))
		}
		if m := mapped(t, filepath.Join(got, name)); !bytes.Equal(a, m) {
			t.Errorf("%s: mmap gives other bytes (%d, want %d)", name, len(m), len(a))
		}
		n++
	}
	if n < 600 {
		t.Errorf("only %d files compared", n)
	}
}

// mapped reads a file through a mapping, from its end to its beginning.
func mapped(t testing.TB, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	st, err := f.Stat()
	must(t, err)
	if st.Size() == 0 {
		return nil
	}
	m, err := unix.Mmap(int(f.Fd()), 0, int(st.Size()), unix.PROT_READ, unix.MAP_PRIVATE)
	must(t, err)
	defer unix.Munmap(m)
	out := make([]byte, len(m))
	for i := len(m) - 1; i >= 0; i-- {
		out[i] = m[i]
	}
	return out
}
