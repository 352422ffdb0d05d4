package elffile

import (
	"fmt"
	"io"
)

// Data is a window onto bytes that live somewhere: in a mapping of a file, a
// buffer, a process, or nowhere because they are zeros. Reading is always
// possible; [Bytes] says whether it can be had without a copy.
type Data interface {
	io.ReaderAt
	Size() int64
}

// memory is Data whose bytes are in this process's memory.
type memory interface{ window() []byte }

// Buffer is Data in memory.
type Buffer []byte

// Size is the number of bytes.
func (b Buffer) Size() int64 { return int64(len(b)) }

// ReadAt copies from the buffer.
func (b Buffer) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off > int64(len(b)) {
		return 0, io.EOF
	}
	n := copy(p, b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (b Buffer) window() []byte { return b }

// Zeros is so many zero bytes.
type Zeros int64

// Size is the number of zeros.
func (z Zeros) Size() int64 { return int64(z) }

// ReadAt clears p.
func (z Zeros) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= int64(z) {
		return 0, io.EOF
	}
	n := min(int64(len(p)), int64(z)-off)
	clear(p[:n])
	if n < int64(len(p)) {
		return int(n), io.EOF
	}
	return int(n), nil
}

// Late is Data that takes time to become known: [Body.WriteFile] writes it when all
// else is written.
type Late interface {
	Data
	Late()
}

// Reader is n bytes at off of a reader: a process's memory, a file too odd to
// be mapped.
type Reader struct {
	R   io.ReaderAt
	Off int64
	N   int64
}

// Size is the number of bytes.
func (r Reader) Size() int64 { return r.N }

// ReadAt reads through to R.
func (r Reader) ReadAt(p []byte, off int64) (int, error) {
	return io.NewSectionReader(r.R, r.Off, r.N).ReadAt(p, off)
}

// Slice returns the window [off, off+n) of d. It panics if that is not within
// d: whoever slices has checked.
func Slice(d Data, off, n int64) Data {
	if off < 0 || n < 0 || off > d.Size() || n > d.Size()-off {
		panic(fmt.Sprintf("elffile: slice [0x%x, 0x%x) of 0x%x bytes", off, off+n, d.Size()))
	}
	if n == d.Size() {
		return d
	}
	switch d := d.(type) {
	case Buffer:
		return d[off : off+n]
	case Zeros:
		return Zeros(n)
	case Reader:
		return Reader{d.R, d.Off + off, n}
	case mapped:
		return mapped{d.m, d.b[off : off+n]}
	case stored:
		return stored{d.f, d.off + off, n}
	}
	return Reader{d, off, n}
}

// Bytes returns all bytes of d: the very ones where d is memory, else a copy.
func Bytes(d Data) ([]byte, error) {
	if m, ok := d.(memory); ok {
		return m.window(), nil
	}
	b := make([]byte, d.Size())
	if n, err := d.ReadAt(b, 0); n < len(b) {
		return b[:n], fmt.Errorf("read 0x%x of 0x%x bytes: %w", n, len(b), err)
	}
	return b, nil
}
