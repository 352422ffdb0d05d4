package elffile

import (
	"io"
	"slices"
	"sort"
)

// Body is what a file consists of: windows at file offsets, in order and
// disjoint; what lies between them is a hole and reads as zeros. Editing a Body
// copies no byte of what stays.
type Body struct {
	pieces []piece
	size   int64
}

type piece struct {
	off  int64
	data Data
}

func (p piece) end() int64 { return p.off + p.data.Size() }

// NewBody returns a Body of one window.
func NewBody(d Data) *Body {
	b := &Body{}
	b.Put(0, d)
	return b
}

// Clone returns a Body that can be edited without changing b.
func (b *Body) Clone() *Body { return &Body{slices.Clone(b.pieces), b.size} }

// Size is the file's size.
func (b *Body) Size() int64 { return b.size }

// find returns the index of the first piece that ends beyond off.
func (b *Body) find(off int64) int {
	return sort.Search(len(b.pieces), func(i int) bool { return b.pieces[i].end() > off })
}

// split makes off a border between pieces and returns the index of the first
// piece at or after it.
func (b *Body) split(off int64) int {
	i := b.find(off)
	if i == len(b.pieces) || b.pieces[i].off >= off {
		return i
	}
	p := b.pieces[i]
	n := off - p.off
	b.pieces = slices.Replace(b.pieces, i, i+1,
		piece{p.off, Slice(p.data, 0, n)},
		piece{off, Slice(p.data, n, p.data.Size()-n)})
	return i + 1
}

// Clear makes [off, off+n) a hole; the file does not grow by it.
func (b *Body) Clear(off, n int64) {
	if n <= 0 {
		return
	}
	i := b.split(off)
	j := b.split(off + n)
	b.pieces = slices.Delete(b.pieces, i, j)
}

// Put replaces the bytes at off by d; the file grows if d reaches beyond its
// end.
func (b *Body) Put(off int64, d Data) {
	n := d.Size()
	if n == 0 {
		return
	}
	b.Clear(off, n)
	i := b.split(off)
	if _, hole := d.(Zeros); !hole {
		b.pieces = slices.Insert(b.pieces, i, piece{off, d})
	}
	b.size = max(b.size, off+n)
}

// Insert opens a hole of n bytes at off: everything from off on moves up.
func (b *Body) Insert(off, n int64) {
	for i := b.split(off); i < len(b.pieces); i++ {
		b.pieces[i].off += n
	}
	b.size = max(b.size, off) + n
}

// Cut takes [off, off+n) out: everything behind it moves down.
func (b *Body) Cut(off, n int64) {
	n = min(n, b.size-off)
	if n <= 0 {
		return
	}
	b.Clear(off, n)
	for i := b.split(off); i < len(b.pieces); i++ {
		b.pieces[i].off -= n
	}
	b.size -= n
}

// Truncate sets the file's size: it cuts, or appends a hole.
func (b *Body) Truncate(size int64) {
	b.pieces = b.pieces[:b.split(size)]
	b.size = size
}

// Window returns [off, off+n) as Data; it must be within the file.
func (b *Body) Window(off, n int64) Data {
	if i := b.find(off); i < len(b.pieces) && b.pieces[i].off <= off && off+n <= b.pieces[i].end() {
		return Slice(b.pieces[i].data, off-b.pieces[i].off, n)
	} else if i == len(b.pieces) || off+n <= b.pieces[i].off {
		return Zeros(n)
	}
	return Reader{b.Clone(), off, n}
}

// Bytes returns n bytes at off: a window where they lie in one piece in memory,
// else a copy. Where the file ends before that it returns what is there, and
// io.ErrUnexpectedEOF; it never allocates more than the file has.
func (b *Body) Bytes(off, n uint64) ([]byte, error) {
	var cut error
	if off > uint64(b.size) {
		return nil, io.ErrUnexpectedEOF
	}
	if rest := uint64(b.size) - off; n > rest {
		n, cut = rest, io.ErrUnexpectedEOF
	}
	if i := b.find(int64(off)); i < len(b.pieces) {
		p := b.pieces[i]
		if m, ok := p.data.(memory); ok && p.off <= int64(off) && int64(off+n) <= p.end() {
			w := m.window()[int64(off)-p.off:]
			return w[:n:n], cut
		}
	}
	buf := make([]byte, n)
	if m, err := b.ReadAt(buf, int64(off)); m < len(buf) {
		return buf[:m], err
	}
	return buf, cut
}

// ReadAt reads across pieces and holes.
func (b *Body) ReadAt(buf []byte, off int64) (int, error) {
	if off < 0 || off >= b.size {
		return 0, io.EOF
	}
	n := int(min(int64(len(buf)), b.size-off))
	end := off + int64(n)
	clear(buf[:n])
	for i := b.find(off); i < len(b.pieces) && b.pieces[i].off < end; i++ {
		p := b.pieces[i]
		from, to := max(off, p.off), min(end, p.end())
		if m, err := p.data.ReadAt(buf[from-off:to-off], from-p.off); m < int(to-from) {
			return int(from-off) + m, err
		}
	}
	if n < len(buf) {
		return n, io.EOF
	}
	return n, nil
}

// Pieces calls yield with each window and its file offset, in order.
func (b *Body) Pieces(yield func(off int64, d Data) bool) {
	for _, p := range b.pieces {
		if !yield(p.off, p.data) {
			return
		}
	}
}

// extents calls yield with the windows and holes that make up [off, off+n) of
// d, in order; pos counts from off.
func extents(d Data, off, n int64, yield func(pos int64, d Data) bool) bool {
	if r, ok := d.(Reader); ok {
		if _, inner := r.R.(*Body); inner {
			return extents(r.R.(*Body), r.Off+off, n, yield)
		}
	}
	b, ok := d.(*Body)
	if !ok {
		return yield(0, Slice(d, off, n))
	}
	pos := off
	end := off + n
	for i := b.find(off); pos < end; i++ {
		if i == len(b.pieces) || b.pieces[i].off >= end {
			return yield(pos-off, Zeros(end-pos))
		}
		p := b.pieces[i]
		if p.off > pos {
			if !yield(pos-off, Zeros(p.off-pos)) {
				return false
			}
			pos = p.off
		}
		to := min(end, p.end())
		at := pos
		if !extents(p.data, pos-p.off, to-pos, func(q int64, d Data) bool { return yield(at-off+q, d) }) {
			return false
		}
		pos = to
	}
	return true
}

// Extents calls yield with the windows and holes (Zeros) of which d is made, in
// order, each with its position in d.
func Extents(d Data, yield func(pos int64, d Data) bool) { extents(d, 0, d.Size(), yield) }
