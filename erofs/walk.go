package erofs

import (
	"os"
	"slices"
	"strings"

	"elfwright/elffile"

	"golang.org/x/sys/unix"
)

// node is an inode to be.
type node struct {
	mode       uint32 // st_mode
	uid, gid   uint32
	nlink      uint32
	rdev       uint32
	mtime      int64
	nsec       uint32
	size       int64
	xattrs     []byte  // as the image has them, with their header; nil for none
	target     string  // of a symbolic link
	children   []child // of a directory, by name, with "." and ".."
	content    elffile.Data
	layout     uint16
	nid, start int64 // where place has put it: number, and first block of the contents
	blocks     [][]child
}

// child is a name in a directory.
type child struct {
	name string
	n    *node
}

type kind int

const (
	isSpecial kind = iota
	isFile
	isDir
	isSymlink
)

func (n *node) kind() kind {
	switch n.mode & unix.S_IFMT {
	case unix.S_IFREG:
		return isFile
	case unix.S_IFDIR:
		return isDir
	case unix.S_IFLNK:
		return isSymlink
	}
	return isSpecial
}

// fileKey tells which names are the same file.
type fileKey struct{ dev, ino uint64 }

// tree is what Build puts into an image.
type tree struct {
	root  *os.File
	opt   Options
	nodes []*node // in the order in which they lie in the image, the root first
	links map[fileKey]*node
}

// path is a file's name for messages and system calls; below is relative to the
// root. The slash behind the root makes lstat follow a symbolic link there.
func (t *tree) path(below string) string {
	return strings.TrimSuffix(t.root.Name(), "/") + "/" + below
}

// walk reads the tree. The order of nodes is that of names, depth first, and
// depends on nothing else.
func (t *tree) walk() error {
	root, err := t.add("")
	if err != nil {
		return err
	}
	return t.fill(root, root, "")
}

// fill reads a directory and all below it.
func (t *tree) fill(dir, parent *node, path string) error {
	entries, err := os.ReadDir(t.path(path))
	if err != nil {
		return err
	}
	dir.nlink = 2
	dir.children = append(make([]child, 0, len(entries)+2), child{".", dir}, child{"..", parent})
	for _, e := range entries {
		below := path + e.Name()
		if len(e.Name()) > maxName {
			return t.fault(below, "the name has %d bytes, at most %d are possible", len(e.Name()), maxName)
		}
		n, err := t.add(below)
		if err != nil {
			return err
		}
		dir.children = append(dir.children, child{e.Name(), n})
		if n.kind() == isDir {
			dir.nlink++
			if err := t.fill(n, dir, below+"/"); err != nil {
				return err
			}
		}
	}
	// Linux looks names up by bisection, in the order of their bytes; "." and ".."
	// have no place of their own in it.
	slices.SortFunc(dir.children, func(a, b child) int { return strings.Compare(a.name, b.name) })
	return nil
}

// add returns the node of a file, a new one unless it is another name of a file
// that has one.
func (t *tree) add(path string) (*node, error) {
	var st unix.Stat_t
	if err := unix.Lstat(t.path(path), &st); err != nil {
		return nil, &os.PathError{Op: "lstat", Path: t.path(path), Err: err}
	}
	key := fileKey{uint64(st.Dev), st.Ino}
	if n := t.links[key]; n != nil {
		n.nlink++
		return n, nil
	}
	n := newNode(&st, t.opt)
	if err := t.read(n, path, &st); err != nil {
		return nil, err
	}
	if st.Nlink > 1 && n.kind() != isDir {
		t.links[key] = n
	}
	t.nodes = append(t.nodes, n)
	return n, nil
}

func newNode(st *unix.Stat_t, opt Options) *node {
	sec, nsec := st.Mtim.Unix()
	n := &node{mode: st.Mode, uid: st.Uid, gid: st.Gid, nlink: 1, mtime: sec, nsec: uint32(nsec)}
	if opt.Owner != nil {
		n.uid, n.gid = opt.Owner.UID, opt.Owner.GID
	}
	if opt.Mtime != nil {
		n.mtime, n.nsec = opt.Mtime.Unix(), uint32(opt.Mtime.Nanosecond())
	}
	return n
}

// read takes what belongs to a file besides its attributes.
func (t *tree) read(n *node, path string, st *unix.Stat_t) (err error) {
	if !t.opt.NoXattrs {
		if n.xattrs, err = t.readXattrs(path); err != nil {
			return err
		}
	}
	switch n.kind() {
	case isFile:
		data, err := elffile.Stored(t.root, path)
		if err != nil {
			return err
		}
		if n.size = data.Size(); n.size != st.Size {
			return t.fault(path, "the file changed while it was looked at: 0x%x bytes, were 0x%x", n.size, st.Size)
		}
		if n.size > 0 {
			n.content = data
		}
	case isSymlink:
		n.target, err = os.Readlink(t.path(path))
		if err != nil {
			return err
		}
		if n.size = int64(len(n.target)); n.size > maxTarget || n.size == 0 {
			return t.fault(path, "the link's target has %d bytes, 1 to %d are possible", n.size, maxTarget)
		}
	case isSpecial:
		return t.readSpecial(n, path, st)
	}
	return nil
}

// readSpecial takes a device's number, which has 32 bits in the image:
// new_encode_dev, 12 bits of major and 20 of minor number.
func (t *tree) readSpecial(n *node, path string, st *unix.Stat_t) error {
	if fileTypes[n.mode&unix.S_IFMT] == 0 {
		return t.fault(path, "a file of unknown type (st_mode 0%o)", n.mode)
	}
	if f := n.mode & unix.S_IFMT; f != unix.S_IFCHR && f != unix.S_IFBLK {
		return nil
	}
	rdev := uint64(st.Rdev)
	if unix.Major(rdev) >= 1<<12 || unix.Minor(rdev) >= 1<<20 {
		return t.fault(path, "device number %d:%d, at most %d:%d is possible", unix.Major(rdev), unix.Minor(rdev), 1<<12-1, 1<<20-1)
	}
	n.rdev = uint32(rdev)
	return nil
}
