// Package cache keeps images of programs that were linked, so that the next start
// need not link. An image is found by the program and by what its start depends on
// besides files. Of the files it looks by itself, when it starts, whether they are
// those that it was made of (package stage): so whoever executes the image, by
// whatever name, starts the program as it is now.
package cache

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"elfwright/elffile"

	"golang.org/x/sys/unix"
)

// Cache is a directory of images, an absolute path.
type Cache struct{ Dir string }

// Key is what a start depends on, besides files.
type Key struct {
	Program string   // absolute path
	Options []string // whatever else is to be the same: LD_LIBRARY_PATH
}

// Entry is what an image was made of. The identity of a file says more than its
// build-id, which needs the file opened and read: it changes with whatever is
// written to the file, or renamed to its name.
type Entry struct {
	Files  []File   // that are parts of it, or say where its parts are
	Absent []string // that were looked for in vain
}

// File is a file as it was.
type File struct {
	Path     string
	Dev, Ino uint64
	Size     int64
	MTime    int64 // nanoseconds
	CTime    int64
}

// Stat describes a file as it is now.
func Stat(path string) (File, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return File{}, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	return File{path, uint64(st.Dev), st.Ino, st.Size, st.Mtim.Nano(), st.Ctim.Nano()}, nil
}

// version is of the form of images: what is made differently has another name.
const version = "elfwright cache 2"

// Name is the file of a key's image.
func (c *Cache) Name(k Key) string { return filepath.Join(c.Dir, c.base(k)) }

// Fresh is another name of the same file: that by which an image is started when it
// has just been made, and is not to look.
func (c *Cache) Fresh(k Key) string { return c.Dir + "/./" + c.base(k) }

func (c *Cache) base(k Key) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%q\n%q\n", version, k.Program, k.Options)
	return fmt.Sprintf("%x.image", h.Sum(nil)[:16])
}

// Find returns the image of a key, or "" where there is none that may be executed:
// one that others may have written.
func (c *Cache) Find(k Key) string {
	var st unix.Stat_t
	name := c.Name(k)
	if err := unix.Lstat(name, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG || st.Mode&0o022 != 0 || int(st.Uid) != os.Geteuid() || st.Size == 0 {
		return ""
	}
	return name
}

// Put keeps an image. The directory is made if there is none, for its owner alone.
func (c *Cache) Put(k Key, image *elffile.Body) error {
	if err := c.open(); err != nil {
		return err
	}
	return image.WriteFile(c.Name(k), 0o700)
}

// open makes the directory, and refuses one that others may write to.
func (c *Cache) open() error {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Stat(c.Dir, &st); err != nil {
		return &fs.PathError{Op: "stat", Path: c.Dir, Err: err}
	}
	if int(st.Uid) != os.Geteuid() || st.Mode&0o022 != 0 {
		return fmt.Errorf("%s: others may write to it (mode %04o, user %d): programs are not kept there", c.Dir, st.Mode&0o7777, st.Uid)
	}
	return nil
}

// Link makes a path a symbolic link to an image. It takes the place of another link,
// and of nothing else.
func (c *Cache) Link(k Key, path string) error {
	st, err := os.Lstat(path)
	switch {
	case err == nil && st.Mode()&fs.ModeSymlink == 0:
		return &fs.PathError{Op: "link", Path: path, Err: fmt.Errorf("there is something that is no symbolic link: %w", unix.EEXIST)}
	case err != nil && !os.IsNotExist(err):
		return err
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".elfwright.*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	tmp := filepath.Join(dir, "link")
	if err := os.Symlink(c.Name(k), tmp); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
