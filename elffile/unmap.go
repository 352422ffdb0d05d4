package elffile

import (
	"io"
	"os"
)

// Unmap returns d so that its bytes are read from the file where d is a window
// on a mapping of one: pages of a mapping that were touched count as memory of
// the process, and whoever reads all of a large file has no need of them. Any
// other data is returned as it is.
func Unmap(d Data) Data {
	if w, ok := d.(mapped); ok {
		f, off := w.place()
		return Reader{unmapped{w.m, f}, off, w.Size()}
	}
	return d
}

// unmapped reads the file behind a mapping.
type unmapped struct {
	m *Mapping
	f *os.File
}

// ReadAt fails where the file is shorter than its mapping by now.
func (u unmapped) ReadAt(p []byte, off int64) (int, error) {
	n, err := u.f.ReadAt(p, off)
	if err == io.EOF && n < len(p) {
		return n, u.m.shrank(off + int64(n))
	}
	return n, err
}
