package freeze

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/image"
)

// source is the memory of a process on its way to a file.
type source struct {
	steady
	small    []byte // a buffer for what is less than a chunk
	done     uint64
	total    uint64
	progress func(done, total uint64) // may be nil
	stopped  func() error             // is asked now and then; may be nil
	fork     func() error             // before what is late; nil: nothing, or it was done
}

// memory is a piece of it as Data that knows how to write itself.
type memory struct {
	from *source
	r    image.Range
}

var (
	_         elffile.Data = (*memory)(nil)
	_         elffile.Late = late{}
	zeroPages [page]byte
)

// Size is its size.
func (m *memory) Size() int64 { return int64(m.r.Size) }

// ReadAt reads it. Pages behind the end of a mapped file, which nobody can read,
// are zeros.
func (m *memory) ReadAt(b []byte, off int64) (int, error) {
	return m.from.ReadAt(b, int64(m.r.Start)+off)
}

// late is memory that is read from a copy of the process, when all else is written.
type late struct{ *memory }

// Late marks it so.
func (late) Late() {}

// CopyTo writes it; the first has the copy made.
func (m late) CopyTo(w io.WriterAt, off int64) error {
	if m.from.fork != nil {
		if err := m.from.fork(); err != nil {
			return err
		}
		m.from.fork = nil
	}
	return m.memory.CopyTo(w, off)
}

// chunk is how much is read and written at a time, and ahead how many of them are
// read before they can be written.
const (
	chunk = 512 << 10
	ahead = 4
)

// A part is whole pages of memory in a buffer.
type part struct {
	b   []byte
	at  int64
	err error
}

// CopyTo writes the memory to a file, without the pages that are zero. One goroutine
// reads while another writes: two that do both would wait for each other, since
// the kernel lets one write to a file at a time.
func (m *memory) CopyTo(w io.WriterAt, off int64) error {
	if m.Size() <= chunk {
		return m.copySmall(w, off)
	}
	parts, free, stop := make(chan part, ahead), make(chan []byte, ahead), make(chan struct{})
	for range ahead {
		free <- make([]byte, chunk)
	}
	var group sync.WaitGroup
	var err error
	group.Go(func() { m.readParts(parts, free, stop) })
	group.Go(func() { // the caller's goroutine may be bound to its thread, which makes waiting slow
		defer close(stop)
		for p := range parts {
			if err = m.write(w, off, p); err != nil {
				return
			}
			free <- p.b[:chunk]
		}
	})
	group.Wait()
	return err
}

func (m *memory) readParts(parts chan<- part, free <-chan []byte, stop <-chan struct{}) {
	defer close(parts)
	for at := int64(0); at < m.Size(); at += chunk {
		var b []byte
		select {
		case b = <-free:
		case <-stop:
			return
		}
		p := m.readPart(b[:min(chunk, m.Size()-at)], at)
		select {
		case parts <- p:
		case <-stop:
			return
		}
	}
}

func (m *memory) copySmall(w io.WriterAt, off int64) error {
	if m.from.small == nil {
		m.from.small = make([]byte, chunk)
	}
	return m.write(w, off, m.readPart(m.from.small[:m.Size()], 0))
}

// readPart reads whole pages. Those behind the end of a mapped file are zero.
func (m *memory) readPart(b []byte, at int64) part {
	for got := 0; got < len(b); {
		n, err := m.ReadAt(b[got:], at+int64(got))
		n &^= page - 1
		got += n
		if n > 0 || got == len(b) {
			continue
		}
		if !errors.Is(err, unix.EIO) && !errors.Is(err, unix.EFAULT) {
			return part{err: fmt.Errorf("memory at %v: %w", m.r.Start+image.Addr(at)+image.Addr(got), err)}
		}
		end := min(got+page, len(b))
		clear(b[got:end])
		got = end
	}
	return part{b: b, at: at}
}

func (m *memory) write(w io.WriterAt, off int64, p part) error {
	if p.err != nil {
		return p.err
	}
	if m.from.stopped != nil {
		if err := m.from.stopped(); err != nil {
			return err
		}
	}
	if err := writeSparse(w, p.b, off+p.at); err != nil {
		return err
	}
	m.from.done += uint64(len(p.b))
	if m.from.progress != nil {
		m.from.progress(m.from.done, m.from.total)
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
