package erofs

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"
)

// The interfaces that FS is made for.
var _ interface {
	fs.StatFS
	fs.ReadDirFS
	fs.ReadFileFS
	fs.ReadLinkFS
} = (*FS)(nil)

// place is a file found by its path.
type place struct {
	*inode
	parent *place // nil: the root, which is its own
}

func (p *place) up() *place {
	if p.parent == nil {
		return p
	}
	return p.parent
}

var errLoop = errors.New("too many levels of symbolic links")

// find looks a path up. A symbolic link at its end is followed only if asked.
func (f *FS) find(name string, follow bool) (*place, error) {
	if !validPath(name) {
		return nil, fs.ErrInvalid
	}
	root, err := f.inode(f.root)
	if err != nil {
		return nil, err
	}
	at := &place{root, nil}
	rest := strings.Split(name, "/")
	const maxLinks = 40 // as Linux: MAXSYMLINKS
	for links := 0; len(rest) > 0; {
		var next *place
		if next, err = f.step(at, rest[0]); err != nil {
			return nil, err
		}
		rest = rest[1:]
		if next.kind() != isSymlink || len(rest) == 0 && !follow {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return nil, errLoop
		}
		target, err := f.all(next.inode)
		if err != nil {
			return nil, err
		}
		if target[0] == '/' {
			at = &place{root, nil}
		}
		rest = append(strings.Split(string(target), "/"), rest...)
	}
	return at, nil
}

// step goes from a directory to what a name in it is.
func (f *FS) step(at *place, name string) (*place, error) {
	if at.kind() != isDir {
		return nil, fs.ErrNotExist
	}
	switch name {
	case "", ".":
		return at, nil
	case "..":
		return at.up(), nil
	}
	e, err := f.lookup(at.inode, name)
	if err != nil {
		return nil, err
	}
	n, err := f.open(e)
	if err != nil {
		return nil, err
	}
	return &place{n, at}, nil
}

// validPath is fs.ValidPath without the demand of UTF-8.
func validPath(name string) bool {
	if name == "." {
		return true
	}
	for elem := range strings.SplitSeq(name, "/") {
		if elem == "" || elem == "." || elem == ".." {
			return false
		}
	}
	return true
}

func pathError(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// Open opens a file. A regular one implements [io.ReaderAt] and [io.Seeker], too,
// a directory [fs.ReadDirFile]; of others there is nothing to read.
func (f *FS) Open(name string) (fs.File, error) {
	p, err := f.find(name, true)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	o := opened{fs: f, name: name, p: p}
	switch p.kind() {
	case isDir:
		return &openDir{opened: o}, nil
	case isFile:
		return &openFile{o, io.NewSectionReader(contents{f, p.inode}, 0, p.size)}, nil
	}
	return &o, nil
}

// Stat follows symbolic links.
func (f *FS) Stat(name string) (fs.FileInfo, error) { return f.stat("stat", name, true) }

// Lstat does not follow a symbolic link at the end of the name.
func (f *FS) Lstat(name string) (fs.FileInfo, error) { return f.stat("lstat", name, false) }

func (f *FS) stat(op, name string, follow bool) (fs.FileInfo, error) {
	p, err := f.find(name, follow)
	if err != nil {
		return nil, pathError(op, name, err)
	}
	i, err := f.info(path.Base(name), p.inode)
	if err != nil {
		return nil, pathError(op, name, err)
	}
	return i, nil
}

// ReadLink returns the target of a symbolic link.
func (f *FS) ReadLink(name string) (string, error) {
	p, err := f.find(name, false)
	if err == nil && p.kind() != isSymlink {
		err = fs.ErrInvalid
	}
	if err != nil {
		return "", pathError("readlink", name, err)
	}
	b, err := f.target(p.inode)
	if err != nil {
		return "", pathError("readlink", name, err)
	}
	return b, nil
}

// target returns the target of a symbolic link.
func (f *FS) target(n *inode) (string, error) {
	b, err := f.all(n)
	if err == nil && strings.IndexByte(string(b), 0) >= 0 {
		err = f.inodeFault(n, "", 0, "the symbolic link to %q has a zero byte", b)
	}
	return string(b), err
}

// ReadFile returns the contents of a regular file.
func (f *FS) ReadFile(name string) ([]byte, error) {
	p, err := f.regular(name)
	if err != nil {
		return nil, pathError("read", name, err)
	}
	b, err := f.all(p.inode)
	if err != nil {
		return nil, pathError("read", name, err)
	}
	return b, nil
}

var errNotRegular = errors.New("not a regular file")

func (f *FS) regular(name string) (*place, error) {
	p, err := f.find(name, true)
	if err == nil && p.kind() != isFile {
		err = errNotRegular
	}
	return p, err
}

// Extent returns where in the image the contents of a regular file lie: in one run
// that begins at a multiple of 4096, or 0 and 0 for an empty file. For a file whose
// contents do not lie so, which Build does not make, the error has a method No that
// returns true.
func (f *FS) Extent(name string) (off, size int64, err error) {
	p, err := f.regular(name)
	if err != nil {
		return 0, 0, pathError("extent", name, err)
	}
	if off, err = f.run(p.inode); err != nil {
		return 0, 0, pathError("extent", name, err)
	}
	return off, p.size, nil
}

// ReadDir returns the entries of a directory by name.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	p, err := f.find(name, true)
	if err != nil {
		return nil, pathError("readdir", name, err)
	}
	list, err := f.readDir(p)
	if err != nil {
		return nil, pathError("readdir", name, err)
	}
	return list, nil
}

var errNotDir = errors.New("not a directory")

func (f *FS) readDir(p *place) ([]fs.DirEntry, error) {
	if p.kind() != isDir {
		return nil, errNotDir
	}
	list, err := f.list(p.inode, p.up().nid)
	if err != nil {
		return nil, err
	}
	entries := make([]fs.DirEntry, len(list))
	for i, e := range list {
		entries[i] = &entry{f, e}
	}
	return entries, nil
}

// entry is a directory entry whose inode is read when it is asked for.
type entry struct {
	fs *FS
	e  dirent
}

func (d *entry) Name() string      { return d.e.name }
func (d *entry) IsDir() bool       { return d.Type().IsDir() }
func (d *entry) Type() fs.FileMode { return goMode(d.e.mode) }
func (d *entry) String() string    { return fs.FormatDirEntry(d) }

func (d *entry) Info() (fs.FileInfo, error) {
	n, err := d.fs.open(d.e)
	if err != nil {
		return nil, pathError("stat", d.e.name, err)
	}
	i, err := d.fs.info(d.e.name, n)
	if err != nil {
		return nil, pathError("stat", d.e.name, err)
	}
	return i, nil
}
