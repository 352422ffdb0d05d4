package elffile

import (
	"bytes"
	"fmt"
	"unsafe"
)

// diffChunk is how much of two windows is compared at a time.
const diffChunk = 4096

// Diff calls yield with the half-open ranges [from, to) at which a and b, which
// must have the same size, differ, in blocks of at most 4 KiB that start and end
// at a differing byte. Windows on the same memory are equal without a look, so
// that comparing an edited file with its original reads only what was edited.
func Diff(a, b Data, yield func(from, to int64) bool) error {
	if a.Size() != b.Size() {
		return fmt.Errorf("elffile: compare 0x%x with 0x%x bytes", a.Size(), b.Size())
	}
	var as []piece
	Extents(a, func(pos int64, d Data) bool { as = append(as, piece{pos, d}); return true })
	var failed error
	i := 0
	Extents(b, func(pos int64, d Data) bool {
		end := pos + d.Size()
		for pos < end {
			for as[i].end() <= pos {
				i++
			}
			to := min(end, as[i].end())
			x := Slice(as[i].data, pos-as[i].off, to-pos)
			y := Slice(d, d.Size()-(end-pos), to-pos)
			more, err := diffPiece(x, y, pos, yield)
			if err != nil || !more {
				failed = err
				return false
			}
			pos = to
		}
		return true
	})
	return failed
}

func diffPiece(x, y Data, pos int64, yield func(from, to int64) bool) (more bool, err error) {
	if sameWindow(x, y) {
		return true, nil
	}
	var xbuf, ybuf [diffChunk]byte
	for off := int64(0); off < x.Size(); off += diffChunk {
		n := min(diffChunk, x.Size()-off)
		p, err := chunk(x, off, n, xbuf[:])
		if err != nil {
			return false, err
		}
		q, err := chunk(y, off, n, ybuf[:])
		if err != nil {
			return false, err
		}
		if bytes.Equal(p, q) {
			continue
		}
		from, to := 0, len(p)
		for p[from] == q[from] {
			from++
		}
		for p[to-1] == q[to-1] {
			to--
		}
		if !yield(pos+off+int64(from), pos+off+int64(to)) {
			return false, nil
		}
	}
	return true, nil
}

// sameWindow says whether two windows of one size are the same memory, or both
// zeros.
func sameWindow(x, y Data) bool {
	_, xz := x.(Zeros)
	_, yz := y.(Zeros)
	if xz || yz {
		return xz && yz
	}
	xm, ok1 := x.(memory)
	ym, ok2 := y.(memory)
	return ok1 && ok2 && unsafe.SliceData(xm.window()) == unsafe.SliceData(ym.window())
}

// chunk returns n bytes of d at off, in buf if they are not in memory.
func chunk(d Data, off, n int64, buf []byte) ([]byte, error) {
	if m, ok := d.(memory); ok {
		return m.window()[off : off+n], nil
	}
	if k, err := d.ReadAt(buf[:n], off); int64(k) < n {
		return nil, fmt.Errorf("read 0x%x of 0x%x bytes: %w", k, n, err)
	}
	return buf[:n], nil
}
