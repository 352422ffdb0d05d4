package elffile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// copyChunk is how much is written at a time from memory.
const copyChunk = 1 << 20

// WriteTo writes the whole body to w, holes as zeros.
func (b *Body) WriteTo(w io.Writer) (int64, error) {
	var done int64
	put := func(d Data) error {
		n, err := io.Copy(w, io.NewSectionReader(d, 0, d.Size()))
		done += n
		return err
	}
	for off, d := range b.Pieces {
		if off > done {
			if err := put(Zeros(off - done)); err != nil {
				return done, err
			}
		}
		if err := put(d); err != nil {
			return done, err
		}
	}
	if done < b.size {
		if err := put(Zeros(b.size - done)); err != nil {
			return done, err
		}
	}
	return done, nil
}

// WriteFile writes the body to a new file beside name, with mode, and renames
// it to name: name is either what it was or complete. Holes stay holes where the
// file system has them; windows on a mapped file are copied by the kernel
// (copy_file_range), which on some file systems shares the blocks.
func (b *Body) WriteFile(name string, mode os.FileMode) (err error) {
	dir, base := filepath.Split(name)
	tmp, err := os.CreateTemp(dir, "."+base+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if err := b.writeSparse(tmp); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	// After the data: a write by another user than root clears set-id bits.
	if err := tmp.Chmod(mode); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}

func (b *Body) writeSparse(out *os.File) error {
	if err := out.Truncate(b.size); err != nil {
		return err
	}
	for off, d := range b.Pieces {
		if err := writePiece(out, off, d); err != nil {
			return err
		}
	}
	return nil
}

func writePiece(out *os.File, off int64, d Data) error {
	switch d := d.(type) {
	case Zeros:
		return nil
	case mapped:
		return copyRange(out, off, d)
	case Buffer:
		_, err := out.WriteAt(d, off)
		return err
	}
	_, err := io.CopyBuffer(struct{ io.Writer }{io.NewOffsetWriter(out, off)}, struct{ io.Reader }{io.NewSectionReader(d, 0, d.Size())}, make([]byte, copyChunk))
	return err
}

// copyRange copies a window on a mapped file, data and holes as they are there.
func copyRange(out *os.File, off int64, w mapped) error {
	in, from := w.place()
	end := from + w.Size()
	shift := off - from
	for pos := from; pos < end; {
		data, err := unix.Seek(int(in.Fd()), pos, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) { // a hole up to the end
			return nil
		}
		if err != nil { // a file system without holes
			data = pos
		}
		hole := end
		if err == nil {
			if h, err := unix.Seek(int(in.Fd()), data, unix.SEEK_HOLE); err == nil {
				hole = min(h, end)
			}
		}
		if data >= end {
			return nil
		}
		if err := copyData(out, in, data, data+shift, hole-data, w.m); err != nil {
			return err
		}
		pos = hole
	}
	return nil
}

// copyData copies n bytes from one file to the other, by the kernel if it can.
func copyData(out, in *os.File, from, to, n int64, m *Mapping) error {
	end := from + n
	for from < end {
		k, err := unix.CopyFileRange(int(in.Fd()), &from, int(out.Fd()), &to, int(min(end-from, 1<<30)), 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil || k == 0 { // another file system, an old kernel, or the end of a file that shrank
			break
		}
	}
	for from < end {
		k := min(end-from, copyChunk)
		if w, err := out.WriteAt(m.b[from:from+k], to); err != nil {
			if errors.Is(err, unix.EFAULT) {
				return m.shrank(from + int64(w))
			}
			return err
		}
		from, to = from+k, to+k
	}
	return nil
}
