package mount

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"sync"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"elfwright/erofs"
)

// tree answers the kernel's questions about an image. Nothing in it ever
// changes, so the kernel may keep every answer for as long as it likes.
type tree struct {
	fuse.RawFileSystem // ENOSYS for the rest; what writes, the kernel refuses itself

	fs   *erofs.FS
	size int64 // of the image

	stateless bool // the kernel does without opening and closing files

	mu    sync.Mutex
	nodes map[uint64]*node // by the number the kernel knows it by
	inos  map[uint64]*node // by inode number: names of one file are one node
	last  uint64
}

// node is a file that the kernel knows.
type node struct {
	id      uint64
	path    string // of its first name
	up      uint64 // inode number of the directory that has that name
	attr    fuse.Attr
	lookups uint64 // times the kernel was told; it forgets as often

	mu   sync.Mutex
	data io.ReaderAt   // once read from
	list []fs.DirEntry // while a directory is listed
}

// forever is a year in seconds, short of what kernels count in jiffies.
const forever = 365 * 24 * 3600

const sectorSize, blockSize = 512, 4096

func newTree(f *erofs.FS, size int64) (*tree, error) {
	t := &tree{
		RawFileSystem: fuse.NewDefaultRawFileSystem(), fs: f, size: size,
		nodes: make(map[uint64]*node), inos: make(map[uint64]*node),
	}
	info, err := f.Lstat(".")
	if err != nil {
		return nil, err
	}
	root := t.know(".", 0, info)
	root.up = root.attr.Ino
	return t, nil
}

func (t *tree) String() string { return "elfwright" }

// Linux, include/uapi/linux/fuse.h: FUSE_NO_OPEN_SUPPORT (3.16) and
// FUSE_NO_OPENDIR_SUPPORT (5.1) say that ENOSYS for an open is the last of it.
const noOpen, noOpendir = 1 << 17, 1 << 24

// Init is called before other requests.
func (t *tree) Init(s *fuse.Server) {
	t.stateless = s.KernelSettings().Flags&(noOpen|noOpendir) == noOpen|noOpendir
}

// status is an error as the kernel takes it.
func status(err error) fuse.Status {
	switch {
	case err == nil:
		return fuse.OK
	case errors.Is(err, fs.ErrNotExist):
		return fuse.ENOENT
	}
	return fuse.EIO
}

// node returns the file that the kernel calls id. It names none that it has
// forgotten.
func (t *tree) node(id uint64) *node {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.nodes[id]
}

// know counts that the kernel is told of a file.
func (t *tree) know(name string, up uint64, info fs.FileInfo) *node {
	a := info.Sys().(*erofs.Attr)
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.inos[a.Ino]
	if n == nil {
		t.last++ // the root is 1, FUSE_ROOT_ID
		n = &node{id: t.last, path: name, up: up, attr: attributes(a, info.Size())}
		t.nodes[n.id], t.inos[a.Ino] = n, n
	}
	n.lookups++
	return n
}

// Forget is called when the kernel drops a file from its cache.
func (t *tree) Forget(id, times uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.nodes[id]
	if n == nil || n.id == fuse.FUSE_ROOT_ID {
		return
	}
	if n.lookups -= min(times, n.lookups); n.lookups == 0 {
		delete(t.nodes, id)
		delete(t.inos, n.attr.Ino)
	}
}

// attributes are what stat shows. As in the kernel's EROFS all times are that of
// the contents.
func attributes(a *erofs.Attr, size int64) fuse.Attr {
	sec, nsec := uint64(a.Mtime.Unix()), uint32(a.Mtime.Nanosecond())
	return fuse.Attr{
		Ino: a.Ino, Size: uint64(size), Blocks: uint64(size+blockSize-1) / blockSize * (blockSize / sectorSize),
		Atime: sec, Mtime: sec, Ctime: sec, Atimensec: nsec, Mtimensec: nsec, Ctimensec: nsec,
		Mode: a.Mode, Nlink: a.Nlink, Owner: fuse.Owner{Uid: a.UID, Gid: a.GID}, Rdev: a.Rdev, Blksize: blockSize,
	}
}

func (n *node) entry(out *fuse.EntryOut) {
	out.NodeId, out.Attr = n.id, n.attr
	out.EntryValid, out.AttrValid = forever, forever
}

func (t *tree) Lookup(_ <-chan struct{}, in *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	dir := t.node(in.NodeId)
	if dir == nil {
		return fuse.Status(unix.ESTALE)
	}
	full := path.Join(dir.path, name)
	info, err := t.fs.Lstat(full)
	if errors.Is(err, fs.ErrNotExist) {
		// That it is not there can be kept as well: a node of number 0.
		out.EntryValid = forever
		return fuse.OK
	}
	if err != nil {
		return status(err)
	}
	t.know(full, dir.attr.Ino, info).entry(out)
	return fuse.OK
}

func (t *tree) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	n := t.node(in.NodeId)
	if n == nil {
		return fuse.Status(unix.ESTALE)
	}
	out.Attr, out.AttrValid = n.attr, forever
	return fuse.OK
}

func (t *tree) Readlink(_ <-chan struct{}, in *fuse.InHeader) ([]byte, fuse.Status) {
	n := t.node(in.NodeId)
	if n == nil {
		return nil, fuse.Status(unix.ESTALE)
	}
	to, err := t.fs.ReadLink(n.path)
	return []byte(to), status(err)
}

// Open leaves the kernel what it has cached, or does without files that are open
// at all.
func (t *tree) Open(_ <-chan struct{}, _ *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	if t.stateless {
		return fuse.ENOSYS
	}
	out.OpenFlags = fuse.FOPEN_KEEP_CACHE
	return fuse.OK
}

// Read never gives less than is asked for before the end of the file: the kernel
// would take the rest for zeros.
func (t *tree) Read(_ <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	n := t.node(in.NodeId)
	if n == nil {
		return nil, fuse.Status(unix.ESTALE)
	}
	data, err := n.reader(t.fs)
	if err != nil {
		return nil, status(err)
	}
	got, err := data.ReadAt(buf[:min(len(buf), int(in.Size))], int64(in.Offset))
	if err != nil && err != io.EOF {
		return nil, fuse.EIO
	}
	return fuse.ReadResultData(buf[:got]), fuse.OK
}

func (n *node) reader(f *erofs.FS) (io.ReaderAt, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.data == nil {
		file, err := f.Open(n.path)
		if err != nil {
			return nil, err
		}
		data, ok := file.(io.ReaderAt)
		if !ok {
			return nil, fs.ErrInvalid
		}
		n.data = data
	}
	return n.data, nil
}

func (t *tree) StatFs(_ <-chan struct{}, _ *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	out.Bsize, out.Frsize, out.NameLen = blockSize, blockSize, 255
	out.Blocks = uint64(t.size) / blockSize
	return fuse.OK
}
