package elffile

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Mapping is a file mapped read-only and private. The kernel raises SIGBUS
// where a page is touched that the file, cut meanwhile, no longer has; code
// that reads a mapping therefore runs inside [Mapping.Guard].
type Mapping struct {
	Name string
	f    *os.File    // nil: the file was closed once it was mapped
	st   unix.Stat_t // of a file that was closed
	b    []byte
}

// Map maps a whole regular file. The file stays open, so that its bytes can be
// copied by the kernel.
func Map(name string) (*Mapping, error) {
	// O_NONBLOCK: a pipe without writer is refused, not waited for.
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	m, err := mapFile(name, f)
	if err != nil {
		f.Close()
	}
	return m, err
}

func mapFile(name string, f *os.File) (*Mapping, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, &Error{File: name, Msg: "not a regular file (" + st.Mode().Type().String() + ")"}
	}
	m := &Mapping{Name: name, f: f}
	if st.Size() == 0 { // mmap refuses a length of 0
		return m, nil
	}
	if st.Size() != int64(int(st.Size())) {
		return nil, &Error{File: name, Msg: fmt.Sprintf("%d bytes are more than can be mapped here", st.Size())}
	}
	m.b, err = unix.Mmap(int(f.Fd()), 0, int(st.Size()), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return nil, &Error{File: name, Msg: "mmap", Err: err}
	}
	return m, nil
}

// mapDescriptor maps a file that is open already, and closes it: there may be more
// files than a process may have descriptors.
func mapDescriptor(name string, fd int, st *unix.Stat_t) (*Mapping, error) {
	defer unix.Close(fd)
	m := &Mapping{Name: name, st: *st}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return nil, &Error{File: name, Msg: fmt.Sprintf("not a regular file (st_mode 0%o)", st.Mode)}
	case st.Size == 0: // mmap refuses a length of 0
		return m, nil
	case st.Size != int64(int(st.Size)):
		return nil, &Error{File: name, Msg: fmt.Sprintf("%d bytes are more than can be mapped here", st.Size)}
	}
	var err error
	if m.b, err = unix.Mmap(fd, 0, int(st.Size), unix.PROT_READ, unix.MAP_PRIVATE); err != nil {
		return nil, &Error{File: name, Msg: "mmap", Err: err}
	}
	return m, nil
}

// Bytes returns the mapped bytes; they are gone after Close.
func (m *Mapping) Bytes() []byte { return m.b }

// Data returns the mapping as a window; without an open file it is as memory is.
func (m *Mapping) Data() Data {
	if m.f == nil {
		return Buffer(m.b)
	}
	return mapped{m, m.b}
}

// File returns the open file, for its mode and for copies by the kernel; nil
// where it was closed.
func (m *Mapping) File() *os.File { return m.f }

// Close unmaps and closes. Every window on the mapping is invalid afterwards.
func (m *Mapping) Close() error {
	if m.b != nil {
		b := m.b
		m.b = nil
		if err := unix.Munmap(b); err != nil {
			m.f.Close()
			return err
		}
	}
	if m.f == nil {
		return nil
	}
	return m.f.Close()
}

// Guard runs fn in this goroutine and turns a fault on a page of the mapping,
// which means that the file shrank, into an error. Any other panic passes. Where
// the file shrank without a fault, because what is missing was not touched or is
// on the last page and reads as zeros, it is an error too.
func (m *Mapping) Guard(fn func() error) error {
	return m.protect(func() error {
		if err := fn(); err != nil {
			return err
		}
		return m.check()
	})
}

// protect is Guard without the look at the file's length.
func (m *Mapping) protect(fn func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(old)
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		fault, ok := r.(interface{ Addr() uintptr })
		if !ok || len(m.b) == 0 {
			panic(r)
		}
		base := uintptr(unsafe.Pointer(unsafe.SliceData(m.b)))
		if fault.Addr() < base || fault.Addr()-base >= uintptr(len(m.b)) {
			panic(r)
		}
		err = m.shrank(int64(fault.Addr() - base))
	}()
	return fn()
}

// size is how long the file is now. One that was closed is asked for by its name,
// where that still leads to it.
func (m *Mapping) size() (int64, bool) {
	if m.f != nil {
		st, err := m.f.Stat()
		if err != nil {
			return 0, false
		}
		return st.Size(), true
	}
	var st unix.Stat_t
	if err := unix.Stat(m.Name, &st); err != nil || st.Dev != m.st.Dev || st.Ino != m.st.Ino {
		return 0, false
	}
	return st.Size, true
}

// check returns an error if the file is shorter than its mapping. Where its
// length can not be asked for, the last page of the mapping is touched.
func (m *Mapping) check() error {
	size, ok := m.size()
	switch {
	case ok && size < int64(len(m.b)):
		return m.shrank(size)
	case !ok && len(m.b) > 0:
		lastByte.Store(uint32(m.b[len(m.b)-1]))
	}
	return nil
}

// lastByte keeps the touch of a last page from being left out.
var lastByte atomic.Uint32

func (m *Mapping) shrank(off int64) error {
	msg := fmt.Sprintf("the byte at 0x%x can no longer be read", off)
	if size, ok := m.size(); ok && size < int64(len(m.b)) {
		msg = fmt.Sprintf("the file shrank from 0x%x to 0x%x bytes while it was read (at 0x%x)", len(m.b), size, off)
	}
	return &Error{File: m.Name, Msg: msg, Err: io.ErrUnexpectedEOF}
}

// mapped is a window on a mapping.
type mapped struct {
	m *Mapping
	b []byte
}

func (w mapped) Size() int64                             { return int64(len(w.b)) }
func (w mapped) ReadAt(p []byte, off int64) (int, error) { return Buffer(w.b).ReadAt(p, off) }
func (w mapped) window() []byte                          { return w.b }
func (w mapped) place() (*os.File, int64) {
	return w.m.f, int64(uintptr(unsafe.Pointer(unsafe.SliceData(w.b))) - uintptr(unsafe.Pointer(unsafe.SliceData(w.m.b))))
}

// Pread returns the same window on a mapped file for reading with system calls:
// what is read then is not in this process's memory, as a page of the mapping is
// once it was touched. It is for what is large and read once from end to end.
// Other windows are returned as they are.
func Pread(d Data) Data {
	if w, ok := d.(mapped); ok && len(w.b) > 0 {
		f, off := w.place()
		return Reader{f, off, w.Size()}
	}
	return d
}

// Open maps a file and reads its ELF header and program headers. Close it when
// nothing of it is needed any more; read it inside [File.Guard].
func Open(name string) (*File, error) {
	m, err := Map(name)
	if err != nil {
		return nil, err
	}
	return openMapping(name, m, m.Guard)
}

// OpenDescriptor is [Open] for a file that is open already, of which st is known;
// name is for errors. The descriptor is closed once the file is mapped, so that
// thousands can be open; what a cut does to the file is then noticed by its name,
// or page by page.
func OpenDescriptor(name string, fd int, st *unix.Stat_t) (*File, error) {
	m, err := mapDescriptor(name, fd, st)
	if err != nil {
		return nil, err
	}
	return openMapping(name, m, m.protect) // its length is of just now
}

func openMapping(name string, m *Mapping, guard func(func() error) error) (*File, error) {
	var f *File
	err := guard(func() (err error) { f, err = parse(name, m.Data(), m.Bytes()); return err })
	if err != nil {
		m.Close()
		return nil, err
	}
	f.mapping = m
	return f, nil
}

// Guard runs fn with faults of the file's mapping as errors; see
// [Mapping.Guard]. It holds for this goroutine alone.
func (f *File) Guard(fn func() error) error {
	if f.mapping == nil {
		return fn()
	}
	return f.mapping.Guard(fn)
}

// Protect is Guard without the look at the file's length at the end: for one of
// several goroutines, when who waits for them has another look, or takes none.
func (f *File) Protect(fn func() error) error {
	if f.mapping == nil {
		return fn()
	}
	return f.mapping.protect(fn)
}

// Close releases the mapping behind a File made by [Open].
func (f *File) Close() error {
	if f.mapping == nil {
		return nil
	}
	m := f.mapping
	f.mapping = nil
	return m.Close()
}

// Mode returns the permission bits and set-id bits of the file behind f, or
// 0644 for one that was parsed from memory.
func (f *File) Mode() os.FileMode {
	if f.mapping == nil {
		return 0o644
	}
	return f.mapping.mode()
}

func (m *Mapping) mode() os.FileMode {
	if m.f != nil {
		if st, err := m.f.Stat(); err == nil {
			return st.Mode() & (os.ModePerm | os.ModeSetuid | os.ModeSetgid | os.ModeSticky)
		}
		return 0o644
	}
	mode := os.FileMode(m.st.Mode) & os.ModePerm
	for bit, is := range map[uint32]os.FileMode{unix.S_ISUID: os.ModeSetuid, unix.S_ISGID: os.ModeSetgid, unix.S_ISVTX: os.ModeSticky} {
		if m.st.Mode&bit != 0 {
			mode |= is
		}
	}
	return mode
}
