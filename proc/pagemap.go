package proc

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"elfwright/image"
)

// Bits of an entry of /proc/PID/pagemap (Documentation/admin-guide/mm/pagemap.rst).
const (
	pagePresent = 1 << 63
	pageSwapped = 1 << 62
	pageOfFile  = 1 << 61 // of a file, or shared anonymous memory
)

// Private returns the pages of a range that are the process's own: written to
// since they were mapped, in memory or swapped out.
func (p *Process) Private(r image.Range) (image.Ranges, error) {
	page := uint64(os.Getpagesize())
	f, err := os.Open(filepath.Join(p.dir, "pagemap"))
	if err != nil {
		return nil, fmt.Errorf("process %d: %w", p.PID, err)
	}
	defer f.Close()
	var found []image.Range
	buf := make([]byte, 8*512)
	for at := r.Start; r.Contains(at); {
		n := min(uint64(len(buf)), 8*((uint64(r.End()-at)+page-1)/page))
		got, err := f.ReadAt(buf[:n], int64(uint64(at)/page*8))
		if got < 8 {
			return nil, fmt.Errorf("process %d: pagemap at %v: %w", p.PID, at, err)
		}
		for i := 0; i+8 <= got; i += 8 {
			e := binary.NativeEndian.Uint64(buf[i:])
			if e&pageOfFile == 0 && e&(pagePresent|pageSwapped) != 0 {
				found = append(found, image.Range{Start: at, Size: page})
			}
			at += image.Addr(page)
		}
	}
	return image.Union(found...), nil
}
