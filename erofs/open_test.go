package erofs

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"elfwright/elffile"
	"elfwright/internal/samples"
)

// mkfs has mkfs.erofs make an image.
func mkfs(t testing.TB, tree string, args ...string) string {
	t.Helper()
	samples.Need(t, "mkfs.erofs")
	image := filepath.Join(t.TempDir(), "mkfs.image")
	out, err := exec.Command("mkfs.erofs", append(args, image, tree)...).CombinedOutput()
	if err != nil {
		t.Fatalf("mkfs.erofs %s: %v\n%s", args, err, out)
	}
	return image
}

// mkfsTree is a tree that mkfs.erofs can read: version 1.5 cannot read a name of 255
// bytes.
func mkfsTree(t testing.TB) string {
	t.Helper()
	tree := oddTree(t, 1)
	must(t, os.Remove(filepath.Join(tree, "d", strings.Repeat("x", 255))))
	setTimes(t, tree)
	return tree
}

// TestReadsMkfs reads the images of the format's own tool, laid out in all ways.
func TestReadsMkfs(t *testing.T) {
	tree := mkfsTree(t)
	want := factsOf(t, tree)
	for _, args := range []string{
		"", "-Eforce-inode-extended", "-Enoinline_data", "-x1", "-x5000", "--chunksize=4096", "--chunksize=65536",
		"--chunksize=4096 -Eforce-chunk-indexes", "-Enosbcrc", "-U12345678-1234-1234-1234-123456789012",
	} {
		t.Run(args, func(t *testing.T) {
			image := mkfs(t, tree, strings.Fields(args)...)
			same(t, "the image", factsIn(t, open(t, image)), want)
		})
	}
}

// TestCompact reads inodes of the small kind, which have small owners and one time.
func TestCompact(t *testing.T) {
	tree := t.TempDir()
	must(t, os.WriteFile(filepath.Join(tree, "file"), []byte("contents"), 0o640))
	must(t, os.Symlink("file", filepath.Join(tree, "link")))
	image := mkfs(t, tree, "-Eforce-inode-compact", "-T1234567890")
	x := open(t, image)
	for _, name := range []string{".", "file", "link"} {
		st, err := x.Lstat(name)
		must(t, err)
		if st.ModTime().Unix() != 1234567890 {
			t.Errorf("%s: %v", name, st.ModTime())
		}
	}
	if b, err := x.ReadFile("link"); string(b) != "contents" {
		t.Errorf("%q, %v", b, err)
	}
	if dir := mount(t, image); dir != "" {
		same(t, "the image", factsIn(t, x), factsOf(t, dir))
	}
}

func TestRefusesCompression(t *testing.T) {
	tree := t.TempDir()
	must(t, os.WriteFile(filepath.Join(tree, "zeros"), make([]byte, 1<<20), 0o644))
	must(t, os.WriteFile(filepath.Join(tree, "small"), []byte("contents"), 0o644))
	x := open(t, mkfs(t, tree, "-zlz4"))
	if _, err := x.ReadFile("zeros"); err == nil || !strings.Contains(err.Error(), "compressed, which is not supported") {
		t.Error(err)
	}
	if b, err := x.ReadFile("small"); string(b) != "contents" {
		t.Errorf("%q, %v", b, err)
	}
}

// TestExtentElsewhere asks for files that do not lie in one run.
func TestExtentElsewhere(t *testing.T) {
	tree := t.TempDir()
	must(t, os.WriteFile(filepath.Join(tree, "small"), []byte("contents"), 0o644))
	must(t, os.WriteFile(filepath.Join(tree, "large"), random(1, 1<<20), 0o644))
	_, _, err := open(t, mkfs(t, tree)).Extent("small")
	if no, ok := errors.AsType[interface {
		error
		No() bool
	}](err); !ok || !no.No() {
		t.Errorf("inline: %v", err)
	}
	x := open(t, mkfs(t, tree, "--chunksize=65536"))
	off, size, err := x.Extent("large")
	if err != nil || off == 0 || size != 1<<20 {
		t.Errorf("0x%x, 0x%x, %v", off, size, err)
	}
}

func TestFS(t *testing.T) {
	tree := t.TempDir()
	for _, dir := range []string{"a/b/c", "empty"} {
		must(t, os.MkdirAll(filepath.Join(tree, dir), 0o755))
	}
	for _, name := range []string{"file", "a/file", "a/b/c/file", "a/b/empty"} {
		must(t, os.WriteFile(filepath.Join(tree, name), random(1, 10_000*strings.Count(name, "/")), 0o644))
	}
	for name, target := range map[string]string{"a/up": "../file", "a/root": "/a/b", "a/dir": "b/c", "a/b/above": "../../../../file"} {
		must(t, os.Symlink(target, filepath.Join(tree, name)))
	}
	image, _ := write(t, tree, Options{})
	x := open(t, image)
	must(t, fstest.TestFS(x, "file", "a/up", "a/root", "a/b/c/file", "empty"))
	for _, name := range []string{"a/root/c/file", "a/dir/file", "a/b/above", "a/root/above"} {
		if st, err := x.Stat(name); err != nil || !st.Mode().IsRegular() {
			t.Errorf("%s: %v", name, err)
		}
	}
	f, err := x.Open("a/b/c/file")
	must(t, err)
	defer f.Close()
	if _, err := f.(interface {
		Seek(int64, int) (int64, error)
	}).Seek(5, 0); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"", "/file", "a/../file", "a//file", "file/"} {
		if _, err := x.Open(name); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestSymlinkLoop(t *testing.T) {
	tree := t.TempDir()
	must(t, os.Symlink("b", filepath.Join(tree, "a")))
	must(t, os.Symlink("a", filepath.Join(tree, "b")))
	image, _ := write(t, tree, Options{})
	if _, err := open(t, image).Stat("a"); !errors.Is(err, errLoop) {
		t.Error(err)
	}
}

func TestConcurrent(t *testing.T) {
	tree := oddTree(t, 1)
	image, _ := write(t, tree, Options{})
	x := open(t, image)
	want := factsIn(t, x)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { same(t, "at the same time", factsIn(t, x), want) })
	}
	wg.Wait()
}

// small is an image of every kind of file, in memory.
func small(t testing.TB) []byte {
	t.Helper()
	tree := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(tree, "d/e"), 0o755))
	must(t, os.WriteFile(filepath.Join(tree, "d/file"), []byte("contents"), 0o644))
	must(t, os.Link(filepath.Join(tree, "d/file"), filepath.Join(tree, "d/linked")))
	must(t, os.Symlink("d/file", filepath.Join(tree, "link")))
	setXattr(t, filepath.Join(tree, "d/file"), "user.one", []byte("1"))
	setTimes(t, tree)
	img, err := Build(tree, Options{Owner: &Owner{}})
	must(t, err)
	defer img.Close()
	return readAll(t, img.Data)
}

// sealed puts the right checksum into a changed image.
func sealed(b []byte) []byte {
	le.PutUint32(b[superOff+4:], superChecksum(b[superOff:blockSize]))
	return b
}

// nodeOff is where a file's inode lies.
func nodeOff(t testing.TB, b []byte, name string) int64 {
	t.Helper()
	x, err := Open(elffile.Buffer(b), int64(len(b)))
	must(t, err)
	p, err := x.find(name, false)
	must(t, err)
	return p.off
}

// TestHostile changes a field of a good image, and expects an error that names it.
func TestHostile(t *testing.T) {
	good := small(t)
	file, dir, link := nodeOff(t, good, "d/file"), nodeOff(t, good, "d"), nodeOff(t, good, "link")
	sub := nodeOff(t, good, "d/e")
	entries := func(inode int64) int64 { return inode + extendedSize }
	for _, tc := range []struct {
		name, says string
		change     func(b []byte) []byte
	}{
		{"empty", "too few for an EROFS image", func(b []byte) []byte { return nil }},
		{"cut", "blocks at 0x424: 0x2 blocks", func(b []byte) []byte { return b[:blockSize] }},
		{"magic", "superblock, magic at 0x400: 0x00000000", func(b []byte) []byte { le.PutUint32(b[superOff:], 0); return b }},
		{"checksum", "superblock, checksum at 0x404", func(b []byte) []byte { b[superOff+4] ^= 1; return b }},
		{"block size", "blkszbits at 0x40c: 30", func(b []byte) []byte { b[superOff+12] = 30; return sealed(b) }},
		{"feature", "48-bit block addresses (0x80)", func(b []byte) []byte { b[superOff+80] = 0x80; return sealed(b) }},
		{"unknown feature", "the feature 0x80000000 is unknown", func(b []byte) []byte { b[superOff+83] = 0x80; return sealed(b) }},
		{"devices", "extra_devices at 0x456: 3", func(b []byte) []byte { b[superOff+80] = 8; b[superOff+86] = 3; return sealed(b) }},
		{"root", "is past the end", func(b []byte) []byte { le.PutUint16(b[superOff+14:], 0xffff); return sealed(b) }},
		{"root a file", "is not a directory", func(b []byte) []byte { le.PutUint16(b[superOff+14:], uint16(file/slotSize)); return sealed(b) }},
		{"meta", "past the end", func(b []byte) []byte { le.PutUint32(b[superOff+40:], 0xffffffff); return sealed(b) }},
		{"size", "i_size at", func(b []byte) []byte { le.PutUint64(b[file+8:], 1<<40); return sealed(b) }},
		{"negative size", "more than 63 bits", func(b []byte) []byte { le.PutUint64(b[file+8:], 1<<63); return sealed(b) }},
		{"block", "from block 0xfffffff0 are past", func(b []byte) []byte { le.PutUint32(b[file+16:], 0xfffffff0); return sealed(b) }},
		{"compressed", "compressed, which is not supported", func(b []byte) []byte { b[file] = 1 | 1<<1; return sealed(b) }},
		{"layout", "layout 5", func(b []byte) []byte { b[file] = 1 | 5<<1; return sealed(b) }},
		{"chunks", "past the end of the image", func(b []byte) []byte {
			b[file] = 1 | 4<<1
			le.PutUint32(b[file+16:], 0)
			le.PutUint64(b[file+8:], 1<<60)
			return sealed(b)
		}},
		{"xattrs", "i_xattr_icount", func(b []byte) []byte { le.PutUint16(b[file+2:], 0xffff); return sealed(b) }},
		{"xattr name", "of name and", func(b []byte) []byte { b[file+extendedSize+xattrHeaderSize] = 200; return sealed(b) }},
		{"xattr prefix", "the prefix 99", func(b []byte) []byte { b[file+extendedSize+xattrHeaderSize+1] = 99; return sealed(b) }},
		{"shared xattrs", "shared attributes need", func(b []byte) []byte { b[file+extendedSize+4] = 255; return sealed(b) }},
		{"mode", "of no known type", func(b []byte) []byte { le.PutUint16(b[file+4:], 0); return sealed(b) }},
		{"other type", "of another type than in the directory", func(b []byte) []byte { le.PutUint16(b[file+4:], 0o20644); return sealed(b) }},
		{"link size", "of a symbolic link", func(b []byte) []byte { le.PutUint64(b[link+8:], 5000); return sealed(b) }},
		{"link zero", "has a zero byte", func(b []byte) []byte { b[link+extendedSize+1] = 0; return sealed(b) }},
		{"name offset", "nameoff 0x7", func(b []byte) []byte { le.PutUint16(b[entries(dir)+8:], 7); return sealed(b) }},
		{"names", "is not behind the entries", func(b []byte) []byte { le.PutUint16(b[entries(dir)+direntSize+8:], 0xfff0); return sealed(b) }},
		{"slash", "is no name", func(b []byte) []byte { b[entries(dir)+5*direntSize+3] = '/'; return sealed(b) }},
		{"type", "of the unknown type 99", func(b []byte) []byte { b[entries(dir)+2*direntSize+10] = 99; return sealed(b) }},
		{"nid", "past the end of the image", func(b []byte) []byte { le.PutUint64(b[entries(dir)+3*direntSize:], 1<<62); return sealed(b) }},
		{"order", "comes after", func(b []byte) []byte { b[entries(dir)+5*direntSize+3] = '!'; return sealed(b) }},
		{"dot", `"." is inode`, func(b []byte) []byte { le.PutUint64(b[entries(dir):], 36); return sealed(b) }},
		{"dot dot", `".." is inode`, func(b []byte) []byte {
			le.PutUint64(b[entries(dir)+direntSize:], uint64(sub/slotSize))
			return sealed(b)
		}},
		{"loop", "a directory that has another name already", func(b []byte) []byte {
			le.PutUint64(b[entries(dir)+2*direntSize:], uint64(dir/slotSize))
			return sealed(b)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := tc.change(append([]byte(nil), good...))
			err := walk(b)
			if err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v, want %q", err, tc.says)
			}
		})
	}
}

// walk reads all of an image, and returns the first fault.
func walk(b []byte) error {
	x, err := Open(elffile.Buffer(b), int64(len(b)))
	if err != nil {
		return err
	}
	return fs.WalkDir(x, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if _, err := d.Info(); err != nil {
			return err
		}
		switch d.Type() {
		case 0:
			if _, err := x.ReadFile(path); err != nil {
				return err
			}
			_, _, _ = x.Extent(path)
		case fs.ModeSymlink:
			if _, err := x.ReadLink(path); err != nil {
				return err
			}
			_, _ = x.Stat(path)
		}
		return nil
	})
}

// TestRefusesZip is another format.
func TestRefusesZip(t *testing.T) {
	b := append([]byte("PK\x03\x04"), make([]byte, 1<<20)...)
	if err := walk(b); err == nil || !strings.Contains(err.Error(), "not an EROFS image") {
		t.Error(err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(small(f))
	if samples.Missing("mkfs.erofs") == "" {
		tree := f.TempDir()
		must(f, os.WriteFile(filepath.Join(tree, "file"), random(1, 5000), 0o644))
		must(f, os.Symlink("file", filepath.Join(tree, "link")))
		for _, args := range [][]string{nil, {"--chunksize=4096"}, {"--chunksize=4096", "-Eforce-chunk-indexes"}, {"-zlz4"}} {
			b, err := os.ReadFile(mkfs(f, tree, args...))
			must(f, err)
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<20 {
			return
		}
		_ = walk(b)
		if len(b) >= superOff+superSize { // past the checksum, and as a tree on the disk
			b = append([]byte(nil), b...)
			le.PutUint32(b[superOff+8:], le.Uint32(b[superOff+8:])&^compatChecksum)
			_ = walk(b)
			extractFuzzed(t, b)
		}
	})
}
