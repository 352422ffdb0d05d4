package prelude

import (
	"fmt"
	"io/fs"
	"math"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Tree is a file-system tree that an executable carries, and where its program
// wants it.
type Tree struct {
	Target string // a directory: absolute, clean, and not "/"

	// Offset and Size say where in the executable's file an EROFS image of the
	// tree is. Size 0: there is none.
	Offset, Size int64

	// Entries are the tree once more, for kernels that do not mount the image: a
	// directory before what is in it, a file before hard links to it. The tree's
	// own directory is ".", and is left out where 0755 is right. nil: a kernel that
	// does not mount the image ends the program.
	Entries []Entry
}

// Entry is a file of a tree.
type Entry struct {
	Path     string // relative to Target, clean
	Mode     uint32 // st_mode, with the type
	UID, GID uint32 // for programs started by root; the files of others are their own
	Mtime    time.Time
	Link     string // text of a symbolic link; for a hard link the path of the file
	HardLink bool   // another name: the fields above and below do not count

	Offset, Size int64  // of a regular file's content in the executable's file
	Rdev         uint32 // of a device, as makedev packs 12 + 20 bits
	Xattrs       map[string][]byte
}

// maxPath is PATH_MAX without its NUL.
const maxPath = unix.PathMax - 1

// checkTrees checks what Mounts is given.
func checkTrees(trees []Tree) error {
	if len(trees) == 0 {
		return fmt.Errorf("no tree to mount")
	}
	for i := range trees {
		t := &trees[i]
		if err := t.check(); err != nil {
			return err
		}
		if slices.ContainsFunc(trees[:i], func(o Tree) bool { return o.Target == t.Target }) {
			return t.errorf("two trees for one target")
		}
	}
	return nil
}

func (t *Tree) errorf(format string, args ...any) error {
	return fmt.Errorf("tree %s: %s", t.Target, fmt.Sprintf(format, args...))
}

func (t *Tree) check() error {
	switch {
	case !path.IsAbs(t.Target) || path.Clean(t.Target) != t.Target || strings.ContainsRune(t.Target, 0):
		return t.errorf("the target is not an absolute, clean path")
	case t.Target == "/":
		return t.errorf("/ cannot be covered: the program would still see what is below")
	case len(t.Target) > maxPath:
		return t.errorf("a target of %d bytes is longer than a path may be (%d)", len(t.Target), maxPath)
	case !extent(t.Offset, t.Size):
		return t.errorf("offset 0x%x and size 0x%x are no place in a file", t.Offset, t.Size)
	case t.Size == 0 && t.Entries == nil:
		return t.errorf("neither an image nor entries")
	}
	seen := map[string]uint32{".": unix.S_IFDIR}
	for i := range t.Entries {
		e := &t.Entries[i]
		if err := e.check(t, seen); err != nil {
			return t.errorf("entry %d, %q: %v", i, e.Path, err)
		}
		seen[e.Path] = e.Mode & unix.S_IFMT
		if e.HardLink {
			seen[e.Path] = seen[e.Link]
		}
	}
	return nil
}

// extent says whether size bytes at off can be in a file.
func extent(off, size int64) bool { return off >= 0 && size >= 0 && off <= math.MaxInt64-size }

// check checks an entry; seen are the types of those before it.
func (e *Entry) check(t *Tree, seen map[string]uint32) error {
	parent, ok := seen[path.Dir(e.Path)]
	_, twice := seen[e.Path]
	switch {
	case !fs.ValidPath(e.Path) || strings.ContainsRune(e.Path, 0):
		return fmt.Errorf("not a clean relative path")
	case len(t.Target)+1+len(e.Path) > maxPath:
		return fmt.Errorf("the path would be longer than %d bytes", maxPath)
	case !ok || parent != unix.S_IFDIR:
		return fmt.Errorf("no directory before it is %q", path.Dir(e.Path))
	case twice && e.Path != ".":
		return fmt.Errorf("there is one of this name before it")
	}
	if e.HardLink {
		kind, ok := seen[e.Link]
		if !ok || kind == unix.S_IFDIR {
			return fmt.Errorf("a hard link to %q, which is no file before it", e.Link)
		}
		return nil
	}
	return e.checkFile()
}

func (e *Entry) checkFile() error {
	kind := e.Mode & unix.S_IFMT
	switch {
	case e.Path == "." && kind != unix.S_IFDIR:
		return fmt.Errorf("the tree's own directory has the mode 0%o", e.Mode)
	case kind == unix.S_IFREG && !extent(e.Offset, e.Size):
		return fmt.Errorf("offset 0x%x and size 0x%x are no place in a file", e.Offset, e.Size)
	case kind == unix.S_IFLNK && (e.Link == "" || len(e.Link) > maxPath || strings.ContainsRune(e.Link, 0)):
		return fmt.Errorf("a symbolic link of %d bytes; 1 to %d without NUL are possible", len(e.Link), maxPath)
	}
	switch kind {
	case unix.S_IFREG, unix.S_IFDIR, unix.S_IFLNK, unix.S_IFIFO, unix.S_IFSOCK, unix.S_IFCHR, unix.S_IFBLK:
	default:
		return fmt.Errorf("the mode 0%o has an unknown type", e.Mode)
	}
	for name := range e.Xattrs {
		if name == "" || strings.ContainsRune(name, 0) {
			return fmt.Errorf("an extended attribute has the name %q", name)
		}
	}
	return nil
}
