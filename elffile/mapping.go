package elffile

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Mapping is a file mapped read-only and private. The kernel raises SIGBUS
// where a page is touched that the file, cut meanwhile, no longer has; code
// that reads a mapping therefore runs inside [Mapping.Guard].
type Mapping struct {
	Name string
	f    *os.File
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

// Bytes returns the mapped bytes; they are gone after Close.
func (m *Mapping) Bytes() []byte { return m.b }

// Data returns the mapping as a window.
func (m *Mapping) Data() Data { return mapped{m, m.b} }

// File returns the open file, for its mode and for copies by the kernel.
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
	return m.f.Close()
}

// Guard runs fn in this goroutine and turns a fault on a page of the mapping,
// which means that the file shrank, into an error. Any other panic passes. Where
// the file shrank without a fault, because what is missing was not touched or is
// on the last page and reads as zeros, it is an error too.
func (m *Mapping) Guard(fn func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(old)
	defer func() {
		r := recover()
		if r == nil {
			if err == nil {
				err = m.check()
			}
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

// check returns an error if the file is shorter than its mapping.
func (m *Mapping) check() error {
	if st, err := m.f.Stat(); err == nil && st.Size() < int64(len(m.b)) {
		return m.shrank(st.Size())
	}
	return nil
}

func (m *Mapping) shrank(off int64) error {
	msg := fmt.Sprintf("the byte at 0x%x can no longer be read", off)
	if st, err := m.f.Stat(); err == nil && st.Size() < int64(len(m.b)) {
		msg = fmt.Sprintf("the file shrank from 0x%x to 0x%x bytes while it was read (at 0x%x)", len(m.b), st.Size(), off)
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
	return openMapping(name, m)
}

// OpenFile is [Open] for a file that is open already; name is for errors. The
// file is closed with the result, or at once with an error.
func OpenFile(name string, file *os.File) (*File, error) {
	m, err := mapFile(name, file)
	if err != nil {
		file.Close()
		return nil, err
	}
	return openMapping(name, m)
}

func openMapping(name string, m *Mapping) (*File, error) {
	var f *File
	err := m.Guard(func() (err error) { f, err = parse(name, m.Data(), m.Bytes()); return err })
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

// Disk is the open file behind a File made by [Open], nil behind others.
func (f *File) Disk() *os.File {
	if f.mapping == nil {
		return nil
	}
	return f.mapping.f
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
	if f.mapping != nil {
		if st, err := f.mapping.f.Stat(); err == nil {
			return st.Mode() & (os.ModePerm | os.ModeSetuid | os.ModeSetgid | os.ModeSticky)
		}
	}
	return 0o644
}
