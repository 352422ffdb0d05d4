package show

import "io"

// flushAt is how much is kept before it is written: few system calls, and no
// more than fits the processor's cache.
const flushAt = 64 << 10

// buffer collects output and remembers the writer's first error, so that
// printing need not be checked line by line.
type buffer struct {
	b    []byte
	safe int // how much of b is whole rows
	line int // where the last line begins in b
	w    io.Writer
	err  error
}

func newBuffer(w io.Writer) *buffer {
	return &buffer{b: make([]byte, 0, flushAt+8<<10), w: w}
}

// add appends text as it is.
func (b *buffer) add(s string) { b.b = append(b.b, s...) }

// done says that b ends with a whole row.
func (b *buffer) done() {
	if len(b.b) >= flushAt {
		b.flush()
	}
	b.safe = len(b.b)
}

// drop forgets what came after the last whole row.
func (b *buffer) drop() { b.b = b.b[:b.safe] }

// flush writes everything out, at the end of a row.
func (b *buffer) flush() {
	if b.err == nil && len(b.b) > 0 {
		_, b.err = b.w.Write(b.b)
	}
	b.b, b.safe, b.line = b.b[:0], 0, 0
}
