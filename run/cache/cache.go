// Package cache keeps images of programs that were linked, so that the next start
// need not link. An image is found by the program and by what its search depends on,
// and taken only while every file that it was made of is the same, and every place
// that was looked at in vain is still empty.
package cache

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"elfwright/elffile"

	"golang.org/x/sys/unix"
)

// Cache is a directory of images.
type Cache struct{ Dir string }

// Key is what a start depends on, besides files.
type Key struct {
	Program string   // absolute path
	Options []string // whatever else is to be the same: LD_LIBRARY_PATH, the processor
}

// Entry is what an image was made of.
type Entry struct {
	Files  []File   // that are parts of it
	Absent []string // that were looked for in vain
	Build  []string // build-ids of the files, for those who read the entry
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

// version is of the form of entries, and of images: what is made differently has
// another name.
const version = "elfwright cache 1"

// name is that of the key's files.
func (c *Cache) name(k Key) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%q\n%q\n", version, k.Program, k.Options)
	return filepath.Join(c.Dir, fmt.Sprintf("%x", h.Sum(nil)[:16]))
}

// Find returns the image of a key, or "" where there is none that may be taken.
// An entry that cannot be read is as good as none.
func (c *Cache) Find(k Key) string {
	name := c.name(k)
	b, err := os.ReadFile(name + ".entry")
	if err != nil {
		return ""
	}
	e, image, err := decode(b)
	if err != nil {
		return ""
	}
	for i := range e.Files {
		if now, err := Stat(e.Files[i].Path); err != nil || now != e.Files[i] {
			return ""
		}
	}
	for _, path := range e.Absent {
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err == nil {
			return ""
		}
	}
	if image.Path = name + ".image"; !same(image) {
		return ""
	}
	return image.Path
}

// same says that the image is the one that the entry was written for, and nobody
// else's: it is executed.
func same(image File) bool {
	var st unix.Stat_t
	if err := unix.Lstat(image.Path, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG || st.Mode&0o022 != 0 || int(st.Uid) != os.Geteuid() {
		return false
	}
	return st.Size == image.Size && st.Ino == image.Ino && st.Mtim.Nano() == image.MTime
}

// Put keeps an image. The directory is made if there is none, for its owner alone.
// The entry is written last: without it the image counts for nothing.
func (c *Cache) Put(k Key, e Entry, image *elffile.Body) (string, error) {
	if err := c.open(); err != nil {
		return "", err
	}
	name := c.name(k)
	if err := os.Remove(name + ".entry"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if err := image.WriteFile(name+".image", 0o700); err != nil {
		return "", err
	}
	st, err := Stat(name + ".image")
	if err != nil {
		return "", err
	}
	entry := elffile.NewBody(elffile.Buffer(e.encode(st)))
	return name + ".image", entry.WriteFile(name+".entry", 0o600)
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

// encode writes an entry as lines: a word for what it is, the rest quoted.
func (e *Entry) encode(image File) []byte {
	var b bytes.Buffer
	fmt.Fprintln(&b, version)
	file := func(word string, f File) {
		fmt.Fprintf(&b, "%s %d %d %d %d %d %q\n", word, f.Dev, f.Ino, f.Size, f.MTime, f.CTime, f.Path)
	}
	file("image", image)
	for _, f := range e.Files {
		file("file", f)
	}
	for _, p := range e.Absent {
		fmt.Fprintf(&b, "absent %q\n", p)
	}
	for _, id := range e.Build {
		fmt.Fprintf(&b, "build-id %q\n", id)
	}
	fmt.Fprintln(&b, "end")
	return b.Bytes()
}

// decode reads what encode writes.
func decode(b []byte) (e Entry, image File, err error) {
	s := bufio.NewScanner(bytes.NewReader(b))
	s.Buffer(nil, 1<<20)
	if !s.Scan() || s.Text() != version {
		return e, image, errors.New("not an entry of this version")
	}
	for line := 2; s.Scan(); line++ {
		word, rest, _ := strings.Cut(s.Text(), " ")
		bad := func(err error) (Entry, File, error) {
			return e, image, fmt.Errorf("line %d: %q: %w", line, s.Text(), err)
		}
		switch word {
		case "end":
			return e, image, nil
		case "image", "file":
			f, err := decodeFile(rest)
			if err != nil {
				return bad(err)
			}
			if word == "image" {
				image = f
			} else {
				e.Files = append(e.Files, f)
			}
		case "absent", "build-id":
			text, err := strconv.Unquote(rest)
			if err != nil {
				return bad(err)
			}
			if word == "absent" {
				e.Absent = append(e.Absent, text)
			} else {
				e.Build = append(e.Build, text)
			}
		default:
			return bad(errors.New("unknown word"))
		}
	}
	return e, image, errors.New("no line says that it is complete")
}

func decodeFile(text string) (f File, err error) {
	n := strings.SplitN(text, " ", 6)
	if len(n) != 6 {
		return f, errors.New("five numbers and a path are wanted")
	}
	for i, p := range []*uint64{&f.Dev, &f.Ino} {
		if *p, err = strconv.ParseUint(n[i], 10, 64); err != nil {
			return f, err
		}
	}
	for i, p := range []*int64{&f.Size, &f.MTime, &f.CTime} {
		if *p, err = strconv.ParseInt(n[i+2], 10, 64); err != nil {
			return f, err
		}
	}
	f.Path, err = strconv.Unquote(n[5])
	return f, err
}
