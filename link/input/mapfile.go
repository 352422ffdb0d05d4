package input

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"unsafe"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
)

// mapFile maps a regular file. Unlike elffile.Map it does not keep the file open:
// a kernel has more objects than a process may have open files.
func mapFile(name string) ([]byte, error) {
	fd, err := open(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return nil, &elffile.Error{File: name, Off: -1, Msg: "not a regular file"}
	case st.Size == 0:
		return nil, nil
	case st.Size != int64(int(st.Size)):
		return nil, &elffile.Error{File: name, Off: -1, Msg: fmt.Sprintf("%d bytes are more than can be mapped here", st.Size)}
	}
	// Private and writable: relocations are changed where they lie, in a copy of
	// the page that nobody else sees.
	b, err := unix.Mmap(fd, 0, int(st.Size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE)
	if err != nil {
		return nil, &fs.PathError{Op: "mmap", Path: name, Err: err}
	}
	return b, nil
}

func open(name string) (fd int, err error) {
	for {
		// O_NONBLOCK: a pipe without writer is refused, not waited for.
		fd, err = unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if !errors.Is(err, unix.EINTR) {
			return fd, err
		}
	}
}

// guard runs do with faults on pages of mapped files as errors: they mean that a
// file shrank while it was read.
func guard(name string, do func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(old)
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		if _, ok := r.(interface{ Addr() uintptr }); !ok {
			panic(r)
		}
		err = &elffile.Error{File: name, Off: -1, Msg: "the file shrank while it was read"}
	}()
	return do()
}

// view is bytes as a string: a window, not a copy.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
