package freeze

import (
	"fmt"

	"elfwright/freeze/capture"
	"elfwright/image"
)

// The frozen file in memory: a page of stub, the script, and on some machines room
// for what is there only while it thaws (arch.parking). In the file the
// memory of the process lies between them, so that where it is is known before
// the script is.
const (
	page      = 0x1000
	codeOff   = page     // of the stub in the file
	memoryOff = 2 * page // of the first blob
)

// A blob is memory of the process in the file.
type blob struct {
	from  image.Range
	off   int64
	again bool // another process has the same there
}

// shelf is the part of the file between stub and script, as far as it is given
// away.
type shelf struct {
	next     int64
	bytes    []extra
	once     map[onceKey]int64 // pages of files that several processes map, where they are
	contents map[fileID]window // of files without a name, which may be mapped, too
}

// window is a part of the file.
type window struct {
	off  int64
	size uint64
}

// contentsAt notes where the contents of a file without a name are.
func (s *shelf) contentsAt(id fileID, off int64, size uint64) {
	if s.contents == nil {
		s.contents = make(map[fileID]window)
	}
	s.contents[id] = window{off, size}
}

// onceKey is an unmodified piece of a file.
type onceKey struct {
	file      fileID
	off, size uint64
}

// store gives memory a place in the file, and returns it.
func (c *compiler) store(r image.Range) int64 {
	off := c.next
	c.blobs = append(c.blobs, blob{r, off, false})
	c.next += int64(r.Size+page-1) &^ (page - 1)
	return off
}

// keep gives bytes a place in the file.
func (c *compiler) keep(b []byte) int64 {
	off := c.next
	c.bytes = append(c.bytes, extra{b, off})
	c.next += int64(len(b)+page-1) &^ (page - 1)
	return off
}

type extra struct {
	data []byte
	off  int64
}

// The stub is low, below the program, where nothing grows to. An address below
// lowest nobody may map (vm.mmap_min_addr), and the kernel puts the new stack at the
// top, where a file must not lie.
const (
	lowest = 0x10000
	coarse = 1 << 20
)

// place finds room for size bytes that the process does not use. Where there is
// none below the program it keeps away from what may grow: the heap upwards, the
// mappings of mmap downwards.
func (a *arch) place(pid int, maps []capture.Map, brk, size uint64) (image.Addr, error) {
	first := a.highest
	if len(maps) > 0 {
		first = min(first, uint64(maps[0].Start))
	}
	for _, at := range []uint64{coarse, lowest} {
		if at < first && first-at >= size {
			return image.Addr(at), nil
		}
	}
	for _, margin := range []uint64{1 << 40, 1 << 32, coarse, 0} {
		if at, ok := a.gap(maps, brk, size, margin); ok {
			return at, nil
		}
	}
	return 0, fmt.Errorf("process %d: no room for 0x%x bytes between its mappings", pid, size)
}

// gap finds the first gap with a margin on both sides.
func (a *arch) gap(maps []capture.Map, brk, size, margin uint64) (image.Addr, bool) {
	from := uint64(lowest)
	for i := range maps {
		m := &maps[i]
		to := min(uint64(m.Start), a.highest)
		if to > from && to-from >= size+2*margin {
			return image.Addr(from + margin), true
		}
		from = max(from, uint64(m.End()), brk)
	}
	return 0, false
}
