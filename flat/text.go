package flat

import (
	"cmp"
	"encoding/binary"
	"io"
	"sort"
	"sync"
	"sync/atomic"

	"elfwright/elffile"
)

// A text is a file that is made as it is read: lines, of which long runs have the
// same length each, so that the place of any is known without those before it. It
// is [elffile.Data], and is written like other windows.
type text struct {
	runs []run
	size int64
}

// A run is n lines of the same length.
type run struct {
	at   int64 // of the first one in the text
	n    int64
	line int // length of each

	// The lines say the bytes of src from a position on, per in each; addr is that
	// of the first one. Where put is nil there is one line, and it is fixed.
	src   elffile.Data
	from  int64
	per   int
	addr  uint64
	put   func(line, b []byte, addr uint64)
	fixed []byte
}

// fix appends a line, or several, that are given.
func (t *text) fix(line []byte) {
	t.add(run{n: 1, line: len(line), fixed: line})
}

// data appends lines of so many bytes that say all n bytes of src from a position
// on; the last one may have fewer. length tells how long a line of n bytes is.
func (t *text) data(src elffile.Data, from, n int64, per int, addr uint64, length func(n int) int, put func(line, b []byte, addr uint64)) {
	whole := n / int64(per)
	if whole > 0 {
		t.add(run{n: whole, line: length(per), src: src, from: from, per: per, addr: addr, put: put})
	}
	if rest := int(n % int64(per)); rest > 0 {
		done := whole * int64(per)
		t.add(run{n: 1, line: length(rest), src: src, from: from + done, per: rest, addr: addr + uint64(done), put: put})
	}
}

func (t *text) add(r run) {
	r.at = t.size
	t.size += r.n * int64(r.line)
	t.runs = append(t.runs, r)
}

// Size is the length of the text.
func (t *text) Size() int64 { return t.size }

// ReadAt makes the text at off.
func (t *text) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= t.size {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), t.size-off))
	if err := t.make(p[:n], off); err != nil {
		return 0, err
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// copyChunk is how much is made and written at a time.
const copyChunk = 1 << 20

// CopyTo writes the text to out at a position, in two goroutines: one makes digits
// while the other waits for the file system, which takes about as long.
func (t *text) CopyTo(out io.WriterAt, at int64) error {
	var next atomic.Int64
	work := func() error {
		buf := make([]byte, min(t.size, copyChunk))
		for {
			off := next.Add(copyChunk) - copyChunk
			if off >= t.size {
				return nil
			}
			p := buf[:min(copyChunk, t.size-off)]
			if err := t.make(p, off); err != nil {
				return err
			}
			if _, err := out.WriteAt(p, at+off); err != nil {
				return err
			}
		}
	}
	if t.size <= copyChunk {
		return work()
	}
	var other error
	var wait sync.WaitGroup
	wait.Go(func() { other = work() })
	err := work()
	wait.Wait()
	return cmp.Or(err, other)
}

// sourceChunk is how much of the source is read at a time.
const sourceChunk = 64 << 10

// make fills p with the text from off on; all of it is there.
func (t *text) make(p []byte, off int64) error {
	i := sort.Search(len(t.runs), func(i int) bool { r := &t.runs[i]; return r.at+r.n*int64(r.line) > off })
	var buf []byte
	for ; len(p) > 0; i++ {
		r := &t.runs[i]
		for end := r.at + r.n*int64(r.line); off < end && len(p) > 0; {
			k := (off - r.at) / int64(r.line)
			skip := int(off - r.at - k*int64(r.line))
			n, err := r.write(p, k, skip, &buf)
			if err != nil {
				return err
			}
			p, off = p[n:], off+int64(n)
		}
	}
	return nil
}

// write makes lines from the k-th on, without the first skip bytes, as many as
// there is room for, and returns their length.
func (r *run) write(p []byte, k int64, skip int, buf *[]byte) (int, error) {
	if r.put == nil {
		return copy(p, r.fixed[skip:]), nil
	}
	part := skip > 0 || len(p) < r.line
	n := int64(1)
	if !part {
		n = min(r.n-k, int64(len(p)/r.line), int64(max(sourceChunk/r.per, 1)))
	}
	size := int(n) * r.per
	if cap(*buf) < size {
		*buf = make([]byte, max(size, 1<<10))
	}
	b := (*buf)[:size]
	if m, err := r.src.ReadAt(b, r.from+k*int64(r.per)); m < size {
		return 0, err
	}
	addr := r.addr + uint64(k)*uint64(r.per)
	if part {
		line := make([]byte, r.line)
		r.put(line, b, addr)
		return copy(p, line[skip:]), nil
	}
	for ; n > 0; n-- {
		r.put(p[:r.line:r.line], b[:r.per], addr)
		p, b, addr = p[r.line:], b[r.per:], addr+uint64(r.per)
	}
	return size / r.per * r.line, nil
}

// hex4 makes the eight digits of four bytes, the first byte and the first digit
// lowest, all at once: each half of a byte gets a byte of its own, and those above
// 9 another 7, which is what lies between '9' and 'A'.
func hex4(b uint32) uint64 {
	const ones = 0x0101010101010101
	v := uint64(b)
	v = (v | v<<16) & 0x0000ffff0000ffff
	v = (v | v<<8) & 0x00ff00ff00ff00ff
	v = (v>>4 | v<<8) & (15 * ones)
	letters := (v + 6*ones) >> 4 & ones
	return v + '0'*ones + 7*letters
}

// putByte writes a byte as two digits.
func putByte(p []byte, b byte) { binary.LittleEndian.PutUint16(p, uint16(hex4(uint32(b)))) }

// putBytes writes bytes as digits and returns their sum.
func putBytes(p, b []byte) (sum byte) {
	for len(b) >= 8 && len(p) >= 16 {
		v := binary.LittleEndian.Uint64(b)
		binary.LittleEndian.PutUint64(p, hex4(uint32(v)))
		binary.LittleEndian.PutUint64(p[8:], hex4(uint32(v>>32)))
		// All eight added in the highest of four lanes of 16 bits.
		const lanes = 0x00ff00ff00ff00ff
		sum += byte(((v & lanes) + (v >> 8 & lanes)) * 0x0001000100010001 >> 48)
		p, b = p[16:], b[8:]
	}
	for len(b) > 0 {
		putByte(p, b[0])
		sum += b[0]
		p, b = p[2:], b[1:]
	}
	return sum
}
