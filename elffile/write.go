package elffile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// copyChunk is how much is written at a time from memory.
const copyChunk = 1 << 20

// WriteTo writes the whole body to w, holes as zeros.
func (b *Body) WriteTo(w io.Writer) (int64, error) {
	var done int64
	put := func(d Data) error {
		n, err := io.Copy(w, io.NewSectionReader(Unmap(d), 0, d.Size()))
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
// file system has them; windows on files are copied by the kernel
// (copy_file_range), which on some file systems shares the blocks. A symbolic
// link is followed: what it points to is replaced. Other names of the same file
// (hard links) keep the old contents. What is not a regular file, such as
// /dev/null or a pipe, can not be replaced and is written to. The result is not
// forced to the disk: it survives the end of this program, not a power cut.
func (b *Body) WriteFile(name string, mode os.FileMode) error {
	name, err := Follow(name)
	if err != nil {
		return err
	}
	if st, err := os.Stat(name); err == nil && !st.Mode().IsRegular() {
		return b.writeDevice(name)
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".elfwright.*")
	if err != nil {
		return err
	}
	if err := b.finish(tmp, name, mode); err != nil {
		tmp.Close()
		os.Remove(tmp.Name())
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func (b *Body) finish(tmp *os.File, name string, mode os.FileMode) error {
	if err := b.writeSparse(tmp); err != nil {
		return err
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

// Follow follows symbolic links at the end of name, also to what does not exist
// yet, as opening it for writing would: what is renamed to the result replaces
// what the links point to. A name of something that is no regular file stays.
func Follow(name string) (string, error) {
	const maxLinks = 40 // as Linux: MAXSYMLINKS
	for range maxLinks {
		if st, err := os.Stat(name); err == nil && !st.Mode().IsRegular() {
			return name, nil // behind /dev/stdout there is no name to follow
		}
		link, err := os.Readlink(name)
		if err != nil {
			return name, nil
		}
		if !filepath.IsAbs(link) {
			// Not Join: ".." after a link is not what it looks like.
			link = filepath.Dir(name) + string(filepath.Separator) + link
		}
		name = link
	}
	return "", &os.PathError{Op: "write", Path: name, Err: unix.ELOOP}
}

func (b *Body) writeDevice(name string) error {
	out, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := b.WriteTo(out); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

func (b *Body) writeSparse(out *os.File) error {
	if err := out.Truncate(b.size); err != nil {
		return err
	}
	var err error
	var last []piece
	Extents(b, func(off int64, d Data) bool {
		if _, late := d.(Late); late {
			last = append(last, piece{off, d})
			return true
		}
		err = writePiece(out, off, d)
		return err == nil
	})
	for _, p := range last {
		if err == nil {
			err = writePiece(out, p.off, p.data)
		}
	}
	return err
}

// A copier is Data that is quicker at writing itself to a position of a file than
// by being read.
type copier interface {
	CopyTo(w io.WriterAt, off int64) error
}

func writePiece(out *os.File, off int64, d Data) error {
	switch d := d.(type) {
	case Zeros:
		return nil
	case mapped:
		return copyMapped(out, off, d)
	case stored:
		return d.copyTo(out, off)
	case Buffer:
		_, err := out.WriteAt(d, off)
		return err
	case copier:
		return d.CopyTo(out, off)
	}
	_, err := io.CopyBuffer(struct{ io.Writer }{io.NewOffsetWriter(out, off)}, struct{ io.Reader }{io.NewSectionReader(d, 0, d.Size())}, make([]byte, copyChunk))
	return err
}

// copyMapped copies a window on a mapped file.
func copyMapped(out *os.File, off int64, w mapped) error {
	in, from := w.place()
	byHand := func(from, to, n int64) error { return writeMapped(out, from, to, n, w.m) }
	if err := copyRange(out, off, in, from, w.Size(), byHand); err != nil {
		return err
	}
	// What a file that shrank has lost looks like a hole at its end.
	end := from + w.Size()
	if st, err := in.Stat(); err != nil || st.Size() < end {
		return w.m.shrank(end - 1)
	}
	return nil
}

// copyRange copies n bytes of in to out at off, data and holes as they are there.
// byHand copies what the kernel does not.
func copyRange(out *os.File, off int64, in *os.File, from, n int64, byHand func(from, to, n int64) error) error {
	end := from + n
	for pos := from; pos < end; {
		data, hole := nextData(in, pos, end)
		if data < hole {
			if err := copyData(out, in, data, data-from+off, hole-data, byHand); err != nil {
				return err
			}
		}
		pos = hole
	}
	return nil
}

// nextData returns the first range of data in [pos, end), empty at the end of it
// if there is none. A file system without holes has one range.
func nextData(in *os.File, pos, end int64) (data, hole int64) {
	data, err := unix.Seek(int(in.Fd()), pos, unix.SEEK_DATA)
	if errors.Is(err, unix.ENXIO) || err == nil && data >= end { // a hole up to the end
		return end, end
	}
	if err != nil {
		return pos, end
	}
	hole, err = unix.Seek(int(in.Fd()), data, unix.SEEK_HOLE)
	if err != nil || hole <= data {
		return data, end
	}
	return data, min(hole, end)
}

// The kernel's copy is quickest where it begins at a page, and a long one where it
// begins at a multiple of the page cache's large folios: measured on ext4, a copy
// of 100 MiB from elsewhere takes a tenth longer all the way, and one that starts
// in the middle of a page a quarter.
const (
	copyPage  = 4 << 10
	copyFolio = 1 << 20
	longCopy  = 16 << 20
)

// copyData copies n bytes from one file to the other, by the kernel if it can.
func copyData(out, in *os.File, from, to, n int64, byHand func(from, to, n int64) error) error {
	end := from + n
	align := int64(copyPage)
	if n >= longCopy {
		align = copyFolio
	}
	head := min(-to&(align-1), n)
	if err := byHand(from, to, head); err != nil {
		return err
	}
	from, to = from+head, to+head
	for from < end {
		k, err := unix.CopyFileRange(int(in.Fd()), &from, int(out.Fd()), &to, int(min(end-from, 1<<30)), 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil || k == 0 { // another file system, an old kernel, or the end of a file that shrank
			break
		}
	}
	return byHand(from, to, end-from)
}

// writeMapped copies n bytes through the mapping.
func writeMapped(out *os.File, from, to, n int64, m *Mapping) error {
	for end := from + n; from < end; {
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

// Umasked is the mode of a new file that is asked for with mode: without the bits
// of the process's umask, which Linux tells in /proc/self/status since 4.7. The
// system call that would tell it too changes it for a moment, for all threads.
func Umasked(mode os.FileMode) os.FileMode {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if s, ok := strings.CutPrefix(line, "Umask:"); ok {
			if mask, err := strconv.ParseUint(strings.TrimSpace(s), 8, 32); err == nil {
				return mode &^ os.FileMode(mask)
			}
		}
	}
	return mode &^ 0o022
}
