package write

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
)

// output is where the bytes go: a mapping of a temporary file beside the name
// that it gets in the end; or a buffer, where that can not be.
type output struct {
	name  string // of the result, symbolic links followed
	tmp   *os.File
	b     []byte
	mmap  bool
	plain bool // no regular file: it is written to, not replaced
}

// create makes an output of n bytes, all zero. A new file gets the mode, from
// which the system takes the umask.
func create(name string, n int64, mode os.FileMode) (*output, error) {
	real, err := elffile.Follow(name)
	if err != nil {
		return nil, err
	}
	o := &output{name: real}
	if st, err := os.Stat(real); err == nil && !st.Mode().IsRegular() {
		if st.IsDir() {
			return nil, &os.PathError{Op: "write", Path: name, Err: unix.EISDIR}
		}
		o.plain, o.b = true, make([]byte, n)
		return o, nil
	}
	if o.tmp, err = temporary(real, mode); err != nil {
		return nil, err
	}
	if err := o.reserve(n); err != nil {
		o.discard()
		return nil, fmt.Errorf("write %s: %w", name, err)
	}
	return o, nil
}

// temporary creates a file beside name.
func temporary(name string, mode os.FileMode) (*os.File, error) {
	dir, base := filepath.Split(name)
	for i := 0; ; i++ {
		tmp := fmt.Sprintf("%s.%s.%d.%d", dir, base, os.Getpid(), i)
		f, err := os.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
		if err == nil || !errors.Is(err, os.ErrExist) || i > 1000 {
			return f, err
		}
	}
}

// reserve has the file system set blocks aside before the file is mapped: a
// store into a mapping that finds the disk full ends the program. Where there is
// no such call the bytes are kept in memory and written at the end.
func (o *output) reserve(n int64) error {
	if n == 0 {
		return nil
	}
	err := unix.Fallocate(int(o.tmp.Fd()), 0, 0, n)
	for err == unix.EINTR {
		err = unix.Fallocate(int(o.tmp.Fd()), 0, 0, n)
	}
	switch err {
	case nil:
		o.b, err = unix.Mmap(int(o.tmp.Fd()), 0, int(n), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		o.mmap = err == nil
	case unix.EOPNOTSUPP, unix.ENOSYS:
		err = nil
	}
	if err == nil && !o.mmap {
		o.b = make([]byte, n)
	}
	return err
}

// largeOutput is how large an output is whose pages are not kept mapped.
const largeOutput = 32 << 20

// release gives back the memory of a part that is written, but not the bytes: they
// are the file's. Whoever reads them again has them mapped again.
func (o *output) release(off, n int64) {
	if o == nil || !o.mmap || len(o.b) < largeOutput {
		return
	}
	page := int64(os.Getpagesize())
	from, to := (off+page-1)&^(page-1), (off+n)&^(page-1)
	if from < to {
		unix.Madvise(o.b[from:to], unix.MADV_DONTNEED) // if not, it is kept
	}
}

// finish gives the file its name.
func (o *output) finish() error {
	if o.plain {
		return o.writePlain()
	}
	var err error
	if o.mmap {
		err = unix.Munmap(o.b)
	} else {
		_, err = o.tmp.WriteAt(o.b, 0)
	}
	o.b, o.mmap = nil, false
	if err == nil {
		err = o.tmp.Close()
	}
	if err == nil {
		err = os.Rename(o.tmp.Name(), o.name)
	}
	if err != nil {
		o.discard()
		return fmt.Errorf("write %s: %w", o.name, err)
	}
	return nil
}

func (o *output) writePlain() error {
	f, err := os.OpenFile(o.name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(o.b)
	return errors.Join(err, f.Close())
}

// discard leaves things as if nothing had been written.
func (o *output) discard() {
	if o.mmap {
		unix.Munmap(o.b)
		o.b, o.mmap = nil, false
	}
	if o.tmp != nil {
		o.tmp.Close()
		os.Remove(o.tmp.Name())
	}
}
