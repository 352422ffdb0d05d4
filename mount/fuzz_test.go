package mount

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"

	"elfwright/erofs"
)

func Example() {
	_, err := Trees("/proc/self/exe")
	fmt.Println(err)
	// Output: /proc/self/exe: carries no tree
}

// FuzzSource holds the check of a superblock to what it promises: an image that
// is within the file.
func FuzzSource(f *testing.F) {
	f.Add(superblock(12, 4), int64(0), int64(0))
	f.Add(append(make([]byte, 512), superblock(9, 7)...), int64(512), int64(4096))
	f.Add([]byte{}, int64(-1), int64(1)<<62)
	name := filepath.Join(f.TempDir(), "file")
	f.Fuzz(func(t *testing.T, b []byte, off, size int64) {
		must(t, os.WriteFile(name, b, 0o644))
		s := Source{Path: name, Offset: off, Size: size}
		file, err := s.open()
		if err != nil {
			return
		}
		file.Close()
		if s.Offset < 0 || s.Size < 0 || s.Size > int64(len(b))-s.Offset || size > 0 && s.Size > size {
			t.Errorf("accepted 0x%x bytes at 0x%x of 0x%x", s.Size, s.Offset, len(b))
		}
	})
}

// FuzzTree asks about images as the kernel does: no panic, no end that never
// comes, no more bytes than asked for.
func FuzzTree(f *testing.F) {
	dir := f.TempDir()
	must(f, os.MkdirAll(filepath.Join(dir, "tree/d"), 0o755))
	must(f, os.WriteFile(filepath.Join(dir, "tree/d/file"), pattern(5000, 1), 0o644))
	must(f, os.Symlink("d/file", filepath.Join(dir, "tree/link")))
	for _, maker := range []string{"build", "mkfs"} {
		if maker == "mkfs" {
			if _, err := os.Stat("/usr/bin/mkfs.erofs"); err != nil {
				continue
			}
		}
		image := filepath.Join(dir, maker)
		makers[maker](f, filepath.Join(dir, "tree"), image)
		b, err := os.ReadFile(image)
		must(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<20 {
			return
		}
		files, err := erofs.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		tree, err := newTree(files, int64(len(b)))
		if err != nil {
			return
		}
		left := 300
		walk(t, tree, fuse.FUSE_ROOT_ID, &left)
	})
}

// walk lists a directory in small pieces, and asks for all there is of each
// entry.
func walk(t *testing.T, tree *tree, id uint64, left *int) {
	buf := make([]byte, 1024)
	list := &fuse.DirEntryList{}
	for range 64 {
		next := fuse.NewDirEntryList(buf, list.Offset)
		if st := tree.ReadDirPlus(nil, &fuse.ReadIn{InHeader: fuse.InHeader{NodeId: id}, Offset: list.Offset}, next); !st.Ok() || len(next.Bytes()) == 0 {
			break
		}
		list = next
	}
	n := tree.node(id)
	if n == nil {
		t.Fatalf("node %d is forgotten", id)
	}
	entries, err := n.entries(tree.fs)
	if err != nil {
		return
	}
	for _, e := range entries {
		if *left--; *left < 0 {
			return
		}
		var out fuse.EntryOut
		if st := tree.Lookup(nil, &fuse.InHeader{NodeId: id}, e.Name(), &out); !st.Ok() || out.NodeId == 0 {
			continue
		}
		askAll(t, tree, &out, left)
	}
}

func askAll(t *testing.T, tree *tree, of *fuse.EntryOut, left *int) {
	in := &fuse.InHeader{NodeId: of.NodeId}
	tree.Readlink(nil, in)
	buf := make([]byte, 4096)
	if n, st := tree.ListXAttr(nil, in, buf); st.Ok() && int(n) > len(buf) {
		t.Errorf("%d bytes of names in %d", n, len(buf))
	}
	tree.GetXAttr(nil, in, "user.x", buf)
	if r, st := tree.Read(nil, &fuse.ReadIn{InHeader: *in, Offset: of.Size - min(of.Size, 100), Size: 100}, buf); st.Ok() && r.Size() > 100 {
		t.Errorf("%d bytes, 100 were asked for", r.Size())
	}
	if of.IsDir() {
		walk(t, tree, of.NodeId, left)
	}
	tree.Forget(of.NodeId, 1)
}
