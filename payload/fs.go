package payload

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// The interfaces that a Program is made for.
var _ interface {
	fs.StatFS
	fs.ReadDirFS
	fs.ReadFileFS
	fs.ReadLinkFS
} = (*Program)(nil)

// Open opens a payload, or what is in a tree. A file is an [io.ReaderAt] and an
// [io.Seeker], too.
func (p *Program) Open(name string) (fs.File, error) {
	if name == "." {
		return &rootDir{p: p}, nil
	}
	e, rest, err := p.find("open", name)
	if err != nil {
		return nil, err
	}
	if e.Kind == Tree {
		t, err := p.tree(e)
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		f, err := t.Open(rest)
		if err != nil {
			return nil, whole(err, name)
		}
		if d, ok := f.(fs.ReadDirFile); ok && rest == "." {
			return treeRoot{d, e.Name}, nil
		}
		return f, nil
	}
	r, err := p.ReaderAt(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &file{r, info{e}}, nil
}

// whole gives an error of a tree the path that was asked for.
func whole(err error, name string) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return &fs.PathError{Op: e.Op, Path: name, Err: e.Err}
	}
	return err
}

// Stat describes a payload, or what is in a tree.
func (p *Program) Stat(name string) (fs.FileInfo, error) { return p.stat("stat", name) }

// Lstat is Stat, and does not follow a symbolic link at the end.
func (p *Program) Lstat(name string) (fs.FileInfo, error) { return p.stat("lstat", name) }

func (p *Program) stat(op, name string) (fs.FileInfo, error) {
	if name == "." {
		return rootInfo{}, nil
	}
	e, rest, err := p.find(op, name)
	if err != nil {
		return nil, err
	}
	if e.Kind != Tree {
		return info{e}, nil
	}
	t, err := p.tree(e)
	if err != nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: err}
	}
	look := t.Stat
	if op == "lstat" {
		look = t.Lstat
	}
	st, err := look(rest)
	if err != nil {
		return nil, whole(err, name)
	}
	if rest == "." {
		st = renamed{st, e.Name}
	}
	return st, nil
}

// ReadDir lists the payloads, or a directory of a tree.
func (p *Program) ReadDir(name string) ([]fs.DirEntry, error) {
	if name != "." {
		e, rest, err := p.find("readdir", name)
		if err != nil {
			return nil, err
		}
		if e.Kind != Tree {
			return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("not a directory")}
		}
		t, err := p.tree(e)
		if err != nil {
			return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
		}
		list, err := t.ReadDir(rest)
		return list, whole(err, name)
	}
	var list []fs.DirEntry
	for _, e := range p.Entries() {
		st, err := p.stat("readdir", e.Name)
		if err != nil {
			return nil, err
		}
		list = append(list, fs.FileInfoToDirEntry(st))
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list, nil
}

// ReadFile returns the contents of a payload, or of a file in a tree.
func (p *Program) ReadFile(name string) ([]byte, error) {
	r, err := p.Contents(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// ReadLink returns where a symbolic link in a tree leads to.
func (p *Program) ReadLink(name string) (string, error) {
	e, rest, err := p.find("readlink", name)
	if err != nil {
		return "", err
	}
	if e.Kind != Tree {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	t, err := p.tree(e)
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: err}
	}
	to, err := t.ReadLink(rest)
	return to, whole(err, name)
}

// file is an open payload.
type file struct {
	*io.SectionReader
	info
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *file) Size() int64                { return f.SectionReader.Size() }
func (f *file) Close() error               { return nil }

// info describes a payload that is a file; Sys is its Entry.
type info struct{ e *Entry }

func (i info) Name() string       { return i.e.Name }
func (i info) Size() int64        { return int64(i.e.Size) }
func (i info) Mode() fs.FileMode  { return i.e.Mode }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return false }
func (i info) Sys() any           { return i.e }

// renamed is the root of a tree under the payload's name.
type renamed struct {
	fs.FileInfo
	name string
}

func (r renamed) Name() string { return r.name }

// treeRoot is the open root of a tree.
type treeRoot struct {
	fs.ReadDirFile
	name string
}

func (t treeRoot) Stat() (fs.FileInfo, error) {
	st, err := t.ReadDirFile.Stat()
	return renamed{st, t.name}, err
}

// rootInfo describes the directory of all payloads.
type rootInfo struct{}

func (rootInfo) Name() string       { return "." }
func (rootInfo) Size() int64        { return 0 }
func (rootInfo) Mode() fs.FileMode  { return fs.ModeDir | 0o555 }
func (rootInfo) ModTime() time.Time { return time.Time{} }
func (rootInfo) IsDir() bool        { return true }
func (rootInfo) Sys() any           { return nil }

// rootDir is that directory, open.
type rootDir struct {
	p    *Program
	rest []fs.DirEntry
	read bool
}

func (d *rootDir) Stat() (fs.FileInfo, error) { return rootInfo{}, nil }
func (d *rootDir) Close() error               { return nil }

func (d *rootDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: ".", Err: errors.New("it is a directory")}
}

func (d *rootDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if !d.read {
		list, err := d.p.ReadDir(".")
		if err != nil {
			return nil, err
		}
		d.rest, d.read = list, true
	}
	if n > 0 && len(d.rest) == 0 {
		return nil, io.EOF
	}
	if n <= 0 || n > len(d.rest) {
		n = len(d.rest)
	}
	list := d.rest[:n:n]
	d.rest = d.rest[n:]
	return list, nil
}
