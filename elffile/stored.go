package elffile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// storedFile is a regular file that is open only while it is read: of a tree not
// all files can be open at once (RLIMIT_NOFILE).
type storedFile struct {
	dir  *os.File
	name string // below dir
	id   fileID
}

// fileID tells whether a file is still the one it was.
type fileID struct {
	dev, ino    uint64
	size        int64
	mtime, nsec int64
}

func idOf(st *unix.Stat_t) fileID {
	sec, nsec := st.Mtim.Unix()
	return fileID{uint64(st.Dev), st.Ino, st.Size, sec, nsec}
}

// stored is a window on a storedFile.
type stored struct {
	f      *storedFile
	off, n int64
}

// Stored returns the contents of a regular file as Data, without keeping the file
// open: each read opens it again, and fails if it is another file by then or has
// another size or time of modification. [Body.WriteFile] has the kernel copy it.
// The name is below dir, which must stay open; a symbolic link at its end is not
// followed.
func Stored(dir *os.File, name string) (Data, error) {
	s := &storedFile{dir: dir, name: name}
	f, err := s.openFile()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := s.stat(f)
	if err != nil {
		return nil, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, &Error{File: s.path(), Msg: fmt.Sprintf("not a regular file (st_mode 0%o)", st.Mode)}
	}
	s.id = idOf(st)
	// A file of /proc has no size, but contents, which are made when it is read.
	if s.id.size == 0 && readable(f) {
		return nil, &Error{File: s.path(), Msg: "has contents, though its size is 0: not a file that is stored"}
	}
	return stored{s, 0, s.id.size}, nil
}

// readable says whether a file has a first byte.
func readable(f *os.File) bool {
	n, _ := f.ReadAt(make([]byte, 1), 0)
	return n > 0
}

func (s *storedFile) path() string { return filepath.Join(s.dir.Name(), s.name) }

// openFile opens the file, whatever it is by now. O_NONBLOCK: a pipe in its place
// is not waited for.
func (s *storedFile) openFile() (*os.File, error) {
	for {
		fd, err := unix.Openat(int(s.dir.Fd()), s.name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err == nil {
			return os.NewFile(uintptr(fd), s.path()), nil
		}
		if err != unix.EINTR {
			return nil, &os.PathError{Op: "open", Path: s.path(), Err: err}
		}
	}
}

func (s *storedFile) stat(f *os.File) (*unix.Stat_t, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return nil, &os.PathError{Op: "stat", Path: s.path(), Err: err}
	}
	return &st, nil
}

// with runs fn on the open file, and checks afterwards that what fn has read is
// the file that it was.
func (s *storedFile) with(fn func(*os.File) error) error {
	f, err := s.openFile()
	if err != nil {
		return err
	}
	defer f.Close()
	err = fn(f)
	st, statErr := s.stat(f)
	if statErr != nil {
		return errors.Join(err, statErr)
	}
	if id := idOf(st); id != s.id {
		return &Error{File: s.path(), Msg: s.id.changed(id)}
	}
	return err
}

// changed says how a file differs from what it was.
func (id fileID) changed(now fileID) string {
	switch {
	case id.dev != now.dev || id.ino != now.ino:
		return fmt.Sprintf("another file (inode %d, was %d) has taken its place since it was looked at", now.ino, id.ino)
	case id.size != now.size:
		return fmt.Sprintf("the file changed since it was looked at: 0x%x bytes, were 0x%x", now.size, id.size)
	}
	return fmt.Sprintf("the file changed since it was looked at: modified at %d.%09d, before at %d.%09d", now.mtime, now.nsec, id.mtime, id.nsec)
}

// Size is the number of bytes.
func (d stored) Size() int64 { return d.n }

// ReadAt opens the file and reads.
func (d stored) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 || off >= d.n {
		return 0, io.EOF
	}
	want := int(min(int64(len(p)), d.n-off))
	err = d.f.with(func(f *os.File) error {
		var err error
		n, err = f.ReadAt(p[:want], d.off+off)
		return err
	})
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

// smallCopy is up to where reading and writing is quicker than asking for holes
// and having the kernel copy.
const smallCopy = 64 << 10

// copyTo copies the window to out at off.
func (d stored) copyTo(out *os.File, off int64) error {
	return d.f.with(func(f *os.File) error {
		byHand := func(from, to, n int64) error { return copyByHand(out, f, from, to, n) }
		if d.n <= smallCopy {
			return byHand(d.off, off, d.n)
		}
		return copyRange(out, off, f, d.off, d.n, byHand)
	})
}

// copyByHand copies n bytes through memory.
func copyByHand(out, in *os.File, from, to, n int64) error {
	if n == 0 {
		return nil
	}
	buf := make([]byte, min(n, copyChunk))
	for end := from + n; from < end; {
		b := buf[:min(end-from, int64(len(buf)))]
		if _, err := in.ReadAt(b, from); err != nil {
			return err
		}
		if _, err := out.WriteAt(b, to); err != nil {
			return err
		}
		from, to = from+int64(len(b)), to+int64(len(b))
	}
	return nil
}
