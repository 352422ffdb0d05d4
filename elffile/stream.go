package elffile

import (
	"fmt"
	"io"
)

// streamChunk is how much [Stream] reads at a time.
const streamChunk = 256 << 10

// Stream calls yield with all bytes of d in order, in a buffer that it uses
// again. Windows on a mapped file are read from the file: pages of a mapping that
// are touched count as this process's memory, and a sum over 100 MB is not worth
// that.
func Stream(d Data, yield func(b []byte) error) error {
	buf := make([]byte, min(streamChunk, d.Size()))
	var failed error
	Extents(d, func(_ int64, d Data) bool {
		if b, ok := d.(Buffer); ok {
			failed = yield(b)
			return failed == nil
		}
		failed = streamPiece(d, buf, yield)
		return failed == nil
	})
	return failed
}

func streamPiece(d Data, buf []byte, yield func(b []byte) error) error {
	from := io.ReaderAt(d)
	base := int64(0)
	m, isMapped := d.(mapped)
	if isMapped {
		from, base = m.place()
	}
	for off := int64(0); off < d.Size(); {
		n, err := from.ReadAt(buf[:min(int64(len(buf)), d.Size()-off)], base+off)
		if n == 0 {
			if isMapped {
				return m.m.shrank(base + off)
			}
			return fmt.Errorf("read 0x%x of 0x%x bytes: %w", off, d.Size(), err)
		}
		if err := yield(buf[:n]); err != nil {
			return err
		}
		off += int64(n)
	}
	return nil
}
