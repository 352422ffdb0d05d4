package erofs

import (
	"fmt"
	"os"
	"time"

	"elfwright/elffile"
)

// Options say what of a tree is not taken as it is found.
type Options struct {
	Mtime    *time.Time // of every file; nil: as the files have it
	Owner    *Owner     // of every file; nil: as found
	NoXattrs bool       // leave extended attributes out
}

// Owner is a user and a group.
type Owner struct{ UID, GID uint32 }

// Image is a file system made of a tree.
type Image struct {
	Data elffile.Data // metadata in memory, and windows on the files

	Files, Dirs, Symlinks, Specials int   // inodes by kind; Specials are devices, pipes and sockets
	Links                           int   // names that are further ones of a file counted already
	ContentBytes                    int64 // in regular files

	dir *os.File
}

// Close ends reading: Data can no longer be read.
func (img *Image) Close() error { return img.dir.Close() }

// Build makes a file system image of the tree below dir. Reading Data opens the
// files again, one at a time, and fails if one has changed since. What is mounted
// below dir is part of the tree.
func Build(dir string, opt Options) (*Image, error) {
	root, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	img, err := build(root, opt)
	if err != nil {
		root.Close()
		return nil, err
	}
	return img, nil
}

func build(root *os.File, opt Options) (*Image, error) {
	t := &tree{root: root, opt: opt, links: make(map[fileKey]*node)}
	if err := t.walk(); err != nil {
		return nil, err
	}
	img := &Image{dir: root}
	img.count(t)
	metaSize, size, err := t.place()
	if err != nil {
		return nil, err
	}
	meta := make([]byte, metaSize)
	t.encode(meta, size)
	body := elffile.NewBody(elffile.Buffer(meta))
	for _, n := range t.nodes {
		if n.content != nil {
			body.Put(n.start<<blockBits, n.content)
		}
	}
	body.Truncate(size)
	img.Data = body
	return img, nil
}

func (img *Image) count(t *tree) {
	for _, n := range t.nodes {
		switch n.kind() {
		case isFile:
			img.Files++
			img.ContentBytes += n.size
		case isDir:
			img.Dirs++
		case isSymlink:
			img.Symlinks++
		default:
			img.Specials++
		}
		if n.kind() != isDir {
			img.Links += int(n.nlink) - 1
		}
	}
}

// fault is an error about a file of the tree.
func (t *tree) fault(path, format string, args ...any) error {
	return &elffile.Error{File: t.path(path), Msg: fmt.Sprintf(format, args...)}
}
