package freeze

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/image"
)

var (
	_         elffile.Data = (*memory)(nil)
	zeroPages [page]byte
)

// chunk is how much is copied at a time; each worker has a buffer of it.
const (
	chunk   = 1 << 20
	workers = 2
)

// CopyTo writes the memory to a file, without the pages that are zero.
func (m *memory) CopyTo(w io.WriterAt, off int64) error {
	size := m.Size()
	if size <= 2*chunk {
		return m.copyPart(w, off, 0, size, make([]byte, min(size, chunk)))
	}
	var next atomic.Int64
	var group sync.WaitGroup
	errs := make([]error, workers)
	for i := range errs {
		group.Go(func() {
			buf := make([]byte, chunk)
			for errs[i] == nil {
				at := next.Add(chunk) - chunk
				if at >= size {
					return
				}
				errs[i] = m.copyPart(w, off, at, min(chunk, size-at), buf)
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// copyPart copies n bytes from at on.
func (m *memory) copyPart(w io.WriterAt, off, at, n int64, buf []byte) error {
	for end := at + n; at < end; {
		b := buf[:min(int64(len(buf)), end-at)]
		got, err := m.ReadAt(b, at)
		got &^= page - 1
		if got == 0 {
			if !errors.Is(err, unix.EIO) && !errors.Is(err, unix.EFAULT) {
				return fmt.Errorf("memory at %v: %w", m.r.Start+image.Addr(at), err)
			}
			at += page // behind the end of the mapped file
			continue
		}
		if err := writeSparse(w, b[:got], off+at); err != nil {
			return err
		}
		at += int64(got)
	}
	return nil
}

// writeSparse writes whole pages, but for those that are zero.
func writeSparse(w io.WriterAt, b []byte, off int64) error {
	for i := 0; i < len(b); {
		if isZero(b[i : i+page]) {
			i += page
			continue
		}
		end := i + page
		for end < len(b) && !isZero(b[end:end+page]) {
			end += page
		}
		if _, err := w.WriteAt(b[i:end], off+int64(i)); err != nil {
			return err
		}
		i = end
	}
	return nil
}

func isZero(b []byte) bool { return b[0] == 0 && bytes.Equal(b, zeroPages[:]) }
