package mount

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"elfwright/erofs"
)

func (t *tree) OpenDir(_ <-chan struct{}, _ *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	if t.stateless {
		return fuse.ENOSYS
	}
	out.OpenFlags = fuse.FOPEN_KEEP_CACHE | fuse.FOPEN_CACHE_DIR
	return fuse.OK
}

// ReadDir lists names and types, ReadDirPlus what stat shows with them, so that
// ls -l asks once for a directory.
func (t *tree) ReadDir(_ <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	return t.readDir(in, out, false)
}

func (t *tree) ReadDirPlus(_ <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	return t.readDir(in, out, true)
}

// dots are "." and "..", which come first.
const dots = 2

func (t *tree) readDir(in *fuse.ReadIn, out *fuse.DirEntryList, plus bool) fuse.Status {
	dir := t.node(in.NodeId)
	if dir == nil {
		return fuse.Status(unix.ESTALE)
	}
	list, err := dir.entries(t.fs)
	if err != nil {
		return status(err)
	}
	pos := in.Offset
	for end := uint64(len(list)) + dots; pos < end; pos++ {
		ok, err := t.addEntry(dir, list, pos, out, plus)
		if err != nil {
			return status(err)
		}
		if !ok {
			return fuse.OK
		}
	}
	dir.listed()
	return fuse.OK
}

// addEntry adds the entry at pos, unless it does not fit any more.
func (t *tree) addEntry(dir *node, list []fs.DirEntry, pos uint64, out *fuse.DirEntryList, plus bool) (ok bool, err error) {
	if pos < dots {
		e := fuse.DirEntry{Mode: unix.S_IFDIR, Name: [dots]string{".", ".."}[pos], Ino: [dots]uint64{dir.attr.Ino, dir.up}[pos], Off: pos + 1}
		if plus {
			return out.AddDirLookupEntry(e) != nil, nil // of node 0: not looked up by that
		}
		return out.AddDirEntry(e), nil
	}
	entry := list[pos-dots]
	info, err := entry.Info()
	if err != nil {
		return false, err
	}
	a := info.Sys().(*erofs.Attr)
	e := fuse.DirEntry{Mode: a.Mode, Name: entry.Name(), Ino: a.Ino, Off: pos + 1}
	if !plus {
		return out.AddDirEntry(e), nil
	}
	to := out.AddDirLookupEntry(e)
	if to == nil {
		return false, nil
	}
	t.know(path.Join(dir.path, entry.Name()), dir.attr.Ino, info).entry(to)
	return true, nil
}

// entries returns the list of a directory, which is kept until it was read to
// the end.
func (n *node) entries(f *erofs.FS) ([]fs.DirEntry, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.list == nil {
		list, err := f.ReadDir(n.path)
		if err != nil {
			return nil, err
		}
		n.list = list
	}
	return n.list, nil
}

func (n *node) listed() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = nil
}

func (t *tree) xattrs(id uint64) (map[string][]byte, fuse.Status) {
	n := t.node(id)
	if n == nil {
		return nil, fuse.Status(unix.ESTALE)
	}
	info, err := t.fs.Lstat(n.path)
	if err != nil {
		return nil, status(err)
	}
	return info.Sys().(*erofs.Attr).Xattrs, fuse.OK
}

func (t *tree) GetXAttr(_ <-chan struct{}, in *fuse.InHeader, name string, dest []byte) (uint32, fuse.Status) {
	all, st := t.xattrs(in.NodeId)
	if !st.Ok() {
		return 0, st
	}
	value, ok := all[name]
	if !ok {
		return 0, fuse.ENOATTR
	}
	return fill(dest, value)
}

// ListXAttr lists names, each with its NUL. Those of trusted are root's, xattr(7);
// the kernel leaves it to file systems to hide them.
func (t *tree) ListXAttr(_ <-chan struct{}, in *fuse.InHeader, dest []byte) (uint32, fuse.Status) {
	all, st := t.xattrs(in.NodeId)
	if !st.Ok() {
		return 0, st
	}
	var names []string
	for name := range all {
		if in.Uid == 0 || !strings.HasPrefix(name, "trusted.") {
			names = append(names, name+"\x00")
		}
	}
	slices.Sort(names)
	return fill(dest, []byte(strings.Join(names, "")))
}

// fill copies a value to where it is wanted; if it is too long there, its length
// is the answer.
func fill(dest, value []byte) (uint32, fuse.Status) {
	if len(value) > len(dest) {
		return uint32(len(value)), fuse.ERANGE
	}
	return uint32(copy(dest, value)), fuse.OK
}
