package erofs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"elfwright/elffile"

	"golang.org/x/sys/unix"
)

// ExtractOptions say what of a file's attributes is made.
type ExtractOptions struct {
	Owners   bool // give files to the owners that they have in the image, which root can
	NoXattrs bool // leave extended attributes out
}

// Extract writes the tree to a directory that does not exist or is empty: contents,
// modes, times, symbolic links, hard links, extended attributes, devices, pipes and
// sockets. What cannot be made is an error, and what was made until then stays.
//
// Without Owners files belong to whom this process runs as; where that is not the
// owner in the image, a file loses its set-id bits.
//
// Nothing is written outside dir: every file is made by its own name in a directory
// that Extract has made and holds open, and is never one that was there already.
func (f *FS) Extract(dir string, opt ExtractOptions) error {
	root, err := f.inode(f.root)
	if err != nil {
		return err
	}
	fd, err := emptyDir(dir)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	x := &extraction{fs: f, opt: opt, dir: dir, root: fd, made: make(map[int64]string)}
	if err := x.fill(root, root.nid, fd, ""); err != nil {
		return err
	}
	return x.attributes(root, fd, "")
}

// emptyDir makes dir, unless it is there and empty, and opens it.
func emptyDir(dir string) (int, error) {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return -1, err
	}
	d, err := os.Open(dir)
	if err != nil {
		return -1, err
	}
	defer d.Close()
	switch names, err := d.Readdirnames(1); {
	case err == nil:
		return -1, &elffile.Error{File: dir, Msg: fmt.Sprintf("the directory is not empty: it has %q", names[0])}
	case err != io.EOF:
		return -1, err
	}
	fd, err := unix.FcntlInt(d.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return -1, pathError("dup", dir, err)
	}
	return fd, nil
}

// extraction is a tree that is being written.
type extraction struct {
	fs   *FS
	opt  ExtractOptions
	dir  string
	root int              // the directory, open
	made map[int64]string // files that may have further names: by inode, below the root
	buf  []byte
}

func (x *extraction) fault(op, path string, err error) error {
	return pathError(op, filepath.Join(x.dir, path), err)
}

// fill makes what is in a directory, which is open as fd.
func (x *extraction) fill(n *inode, parent int64, fd int, path string) error {
	list, err := x.fs.list(n, parent)
	if err != nil {
		return x.fault("readdir", path, err)
	}
	for _, e := range list {
		if err := x.make(e, n, fd, path+e.name); err != nil {
			return err
		}
	}
	return nil
}

// make makes a file in the directory open as fd.
func (x *extraction) make(e dirent, dir *inode, fd int, path string) error {
	if e.mode == unix.S_IFDIR {
		return x.makeDir(e, dir, fd, path)
	}
	if first, ok := x.made[e.nid]; ok {
		if err := unix.Linkat(x.root, first, fd, e.name, 0); err != nil {
			return x.fault("link", path, fmt.Errorf("to %s: %w", first, err))
		}
		return nil
	}
	n, err := x.fs.open(e)
	if err != nil {
		return x.fault("extract", path, err)
	}
	x.made[e.nid] = path
	if n.kind() == isFile {
		return x.makeFile(n, e.name, fd, path)
	}
	return x.makeOther(n, e.name, fd, path)
}

// makeDir makes a directory and all in it, and its attributes last: a default ACL
// would be given to what is made in it, and its time would change.
func (x *extraction) makeDir(e dirent, parent *inode, at int, path string) error {
	n, err := x.fs.open(e)
	if err != nil {
		return x.fault("extract", path, err)
	}
	if err := unix.Mkdirat(at, e.name, 0o700); err != nil {
		return x.fault("mkdir", path, err)
	}
	fd, err := openat(at, e.name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return x.fault("open", path, err)
	}
	defer unix.Close(fd)
	if err := x.fill(n, parent.nid, fd, path+"/"); err != nil {
		return err
	}
	return x.attributes(n, fd, path)
}

// openat opens a name that is not a symbolic link.
func openat(at int, name string, flags int, mode uint32) (int, error) {
	for {
		fd, err := unix.Openat(at, name, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, mode)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

func (x *extraction) makeFile(n *inode, name string, at int, path string) error {
	fd, err := openat(at, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, 0o600)
	if err != nil {
		return x.fault("create", path, err)
	}
	out := os.NewFile(uintptr(fd), filepath.Join(x.dir, path))
	if err := x.copy(out, n); err != nil {
		out.Close()
		return x.fault("extract", path, err)
	}
	if err := x.attributes(n, fd, path); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// makeOther makes a file without contents of its own, and its attributes by its
// name.
func (x *extraction) makeOther(n *inode, name string, at int, path string) error {
	if n.kind() == isSymlink {
		target, err := x.fs.target(n)
		if err != nil {
			return x.fault("extract", path, err)
		}
		if err := unix.Symlinkat(target, at, name); err != nil {
			return x.fault("symlink", path, err)
		}
	} else if err := unix.Mknodat(at, name, n.mode&unix.S_IFMT|0o600, int(n.rdev)); err != nil {
		return x.fault("mknod", path, err)
	}
	return x.attributesAt(n, name, at, path)
}

// copyPart is how much is read at once, and how much of zeros becomes a hole.
const (
	copyPart = 1 << 20
	holePart = 64 << 10
)

// copy writes contents. Long runs of zeros become holes.
func (x *extraction) copy(out *os.File, n *inode) error {
	if x.buf == nil {
		x.buf = make([]byte, copyPart)
	}
	for pos := int64(0); pos < n.size; {
		off, length, hole, err := x.fs.extent(n, pos)
		if err != nil {
			return err
		}
		if !hole {
			length = min(length, copyPart)
			b := x.buf[:length]
			if err := x.fs.readFull(b, off); err != nil {
				return err
			}
			if err := writeSparse(out, b, pos); err != nil {
				return err
			}
		}
		pos += length
	}
	return out.Truncate(n.size)
}

// writeSparse writes b at pos, except for parts that are zeros.
func writeSparse(out *os.File, b []byte, pos int64) error {
	from := 0 // of what is to be written
	for i := 0; i < len(b); i += holePart {
		end := min(i+holePart, len(b))
		if end-i < holePart || !zeros(b[i:end]) {
			continue
		}
		if _, err := out.WriteAt(b[from:i], pos+int64(from)); err != nil {
			return err
		}
		from = end
	}
	_, err := out.WriteAt(b[from:], pos+int64(from))
	return err
}

func zeros(b []byte) bool {
	for ; len(b) >= 8; b = b[8:] {
		if le.Uint64(b) != 0 {
			return false
		}
	}
	return len(b) == 0 || b[0] == 0 && zeros(b[1:])
}
