package erofs

import (
	"io"
	"io/fs"
	"path"
)

// contents is a file's as a reader.
type contents struct {
	fs *FS
	n  *inode
}

func (c contents) ReadAt(b []byte, off int64) (int, error) { return c.fs.readAt(c.n, b, off) }

// opened is what all open files have in common.
type opened struct {
	fs   *FS
	name string
	p    *place
}

func (o *opened) Stat() (fs.FileInfo, error) {
	i, err := o.fs.info(path.Base(o.name), o.p.inode)
	if err != nil {
		return nil, pathError("stat", o.name, err)
	}
	return i, nil
}

func (o *opened) Read([]byte) (int, error) { return 0, pathError("read", o.name, errNotRegular) }
func (o *opened) Close() error             { return nil }

// openFile is a regular file.
type openFile struct {
	opened
	*io.SectionReader
}

func (o *openFile) Read(b []byte) (int, error) {
	n, err := o.SectionReader.Read(b)
	return n, o.wrap(err)
}

func (o *openFile) ReadAt(b []byte, off int64) (int, error) {
	n, err := o.SectionReader.ReadAt(b, off)
	return n, o.wrap(err)
}

// wrap leaves the end of the file what readers look for.
func (o *openFile) wrap(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return pathError("read", o.name, err)
}

// openDir is a directory.
type openDir struct {
	opened
	entries []fs.DirEntry
	started bool
}

// ReadDir returns the next entries, all that are left if n is not positive.
func (o *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if !o.started {
		list, err := o.fs.readDir(o.p)
		if err != nil {
			return nil, pathError("readdir", o.name, err)
		}
		o.entries, o.started = list, true
	}
	if n <= 0 {
		n = len(o.entries)
	} else if len(o.entries) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(o.entries))
	list := o.entries[:n:n]
	o.entries = o.entries[n:]
	return list, nil
}
