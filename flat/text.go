package flat

import (
	"io"
	"sort"
	"sync"

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

// shareFrom is the length from which a second goroutine makes half of it: what it
// costs to start one is little beside that.
const shareFrom = 256 << 10

// ReadAt makes the text at off.
func (t *text) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= t.size {
		return 0, io.EOF
	}
	short := int64(len(p)) > t.size-off
	if short {
		p = p[:t.size-off]
	}
	if err := t.share(p, off); err != nil {
		return 0, err
	}
	if short {
		return len(p), io.EOF
	}
	return len(p), nil
}

// share makes the two halves of p at the same time.
func (t *text) share(p []byte, off int64) error {
	if len(p) < shareFrom {
		return t.make(p, off)
	}
	half := len(p) / 2
	var second error
	var wait sync.WaitGroup
	wait.Go(func() { second = t.make(p[half:], off+int64(half)) })
	err := t.make(p[:half], off)
	wait.Wait()
	if err == nil {
		err = second
	}
	return err
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

const digits = "0123456789ABCDEF"

// hexPairs are the two digits of each byte.
var hexPairs = func() (t [256][2]byte) {
	for i := range t {
		t[i] = [2]byte{digits[i>>4], digits[i&15]}
	}
	return t
}()

// putByte writes a byte as two digits.
func putByte(p []byte, b byte) { *(*[2]byte)(p) = hexPairs[b] }

// putBytes writes bytes as digits and returns their sum.
func putBytes(p, b []byte) (sum byte) {
	p = p[:2*len(b)]
	for i, c := range b {
		*(*[2]byte)(p[2*i:]) = hexPairs[c]
		sum += c
	}
	return sum
}
