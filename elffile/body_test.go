package elffile

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"elfwright/internal/elftest"
)

// model is a Body the plain way.
type model []byte

func (m model) grow(n int64) model {
	for int64(len(m)) < n {
		m = append(m, 0)
	}
	return m
}

func (m model) put(off int64, b []byte) model {
	if len(b) == 0 {
		return m
	}
	m = m.grow(off + int64(len(b)))
	copy(m[off:], b)
	return m
}

func (m model) clear(off, n int64) model {
	for i := off; i < min(off+n, int64(len(m))); i++ {
		m[i] = 0
	}
	return m
}

func (m model) insert(off, n int64) model {
	m = m.grow(off)
	out := append(model{}, m[:off]...)
	out = append(out, make([]byte, n)...)
	return append(out, m[off:]...)
}

func (m model) truncate(n int64) model {
	if n < int64(len(m)) {
		return m[:n:n]
	}
	return m.grow(n)
}

// readerOnly is Data that is not in memory.
type readerOnly struct{ r *bytes.Reader }

func (r readerOnly) ReadAt(p []byte, off int64) (int, error) { return r.r.ReadAt(p, off) }
func (r readerOnly) Size() int64                             { return r.r.Size() }

// someData makes data of every kind, and the same as bytes.
func someData(r *rand.Rand) (Data, []byte) {
	b := make([]byte, r.IntN(40))
	for i := range b {
		b[i] = byte(1 + r.IntN(255))
	}
	switch r.IntN(6) {
	case 0:
		clear(b)
		return Zeros(len(b)), b
	case 1:
		return readerOnly{bytes.NewReader(b)}, b
	case 2:
		return Reader{bytes.NewReader(append([]byte("head"), b...)), 4, int64(len(b))}, b
	case 3: // a body in a body, with a hole
		inner := NewBody(Buffer(b))
		inner.Insert(int64(len(b)/2), 7)
		return inner, bytes.Join([][]byte{b[:len(b)/2], make([]byte, 7), b[len(b)/2:]}, nil)
	}
	return Buffer(b), b
}

// TestBodyModel makes random edits on a Body and on a plain slice.
func TestBodyModel(t *testing.T) {
	rounds := 300
	if sweep() {
		rounds = 20000
	}
	for seed := range rounds {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		d, b := someData(r)
		body, m := NewBody(d), append(model{}, b...)
		var clone *Body
		var cloned []byte
		for range 60 {
			off, n := r.Int64N(body.Size()+20), r.Int64N(30)
			switch r.IntN(7) {
			case 0, 1:
				d, b := someData(r)
				body.Put(off, d)
				m = m.put(off, b)
			case 2:
				body.Clear(off, n)
				m = m.clear(off, n)
			case 3:
				body.Insert(off, n)
				m = m.insert(off, n)
			case 4:
				if r.IntN(4) == 0 {
					body.Truncate(off)
					m = m.truncate(off)
				}
			case 5:
				clone, cloned = body.Clone(), bytes.Clone(m)
			case 6:
				if w := body.Window(clip(off, n, body.Size())); w.Size() > 0 { // a copy within itself
					b, err := Bytes(w)
					if err != nil {
						t.Fatal(err)
					}
					body.Put(0, w)
					m = m.put(0, bytes.Clone(b))
				}
			}
			compareBody(t, seed, r, body, m)
		}
		if clone != nil {
			compareBody(t, seed, r, clone, cloned)
		}
	}
}

func clip(off, n, size int64) (int64, int64) {
	off = min(off, size)
	return off, min(n, size-off)
}

func compareBody(t *testing.T, seed int, r *rand.Rand, body *Body, m []byte) {
	t.Helper()
	if body.Size() != int64(len(m)) {
		t.Fatalf("seed %d: size %d, want %d", seed, body.Size(), len(m))
	}
	got := make([]byte, len(m)+5)
	for i := range got {
		got[i] = 0x55
	}
	n, err := body.ReadAt(got, 0)
	if n != len(m) || !errors.Is(err, io.EOF) || !bytes.Equal(got[:n], m) {
		t.Fatalf("seed %d: ReadAt: %d, %v\n%x\n%x", seed, n, err, got[:n], m)
	}
	off, want := clip(r.Int64N(int64(len(m))+20), r.Int64N(40), int64(len(m)))
	if b, err := body.Bytes(uint64(off), uint64(want)); err != nil || !bytes.Equal(b, m[off:off+want]) {
		t.Fatalf("seed %d: Bytes(%d, %d): %x, %v, want %x", seed, off, want, b, err, m[off:off+want])
	}
	if w := body.Window(off, want); w.Size() != want {
		t.Fatalf("seed %d: Window(%d, %d) has %d bytes", seed, off, want, w.Size())
	} else if b, err := Bytes(w); err != nil || !bytes.Equal(b, m[off:off+want]) {
		t.Fatalf("seed %d: Window(%d, %d): %x, %v", seed, off, want, b, err)
	}
	last := int64(0)
	for off, d := range body.Pieces {
		if off < last || d.Size() == 0 {
			t.Fatalf("seed %d: piece at %d of %d bytes; the one before ends at %d", seed, off, d.Size(), last)
		}
		last = off + d.Size()
	}
	var out bytes.Buffer
	if n, err := body.WriteTo(&out); n != int64(len(m)) || err != nil || !bytes.Equal(out.Bytes(), m) {
		t.Fatalf("seed %d: WriteTo: %d, %v", seed, n, err)
	}
	at := int64(0)
	Extents(body, func(pos int64, d Data) bool {
		b, err := Bytes(d)
		if pos != at || err != nil || !bytes.Equal(b, m[pos:pos+d.Size()]) {
			t.Fatalf("seed %d: extent at %d, want %d: %x, %v", seed, pos, at, b, err)
		}
		at += d.Size()
		return true
	})
	if at != int64(len(m)) {
		t.Fatalf("seed %d: extents end at %d of %d", seed, at, len(m))
	}
}

func TestBodyBytesCut(t *testing.T) {
	body := NewBody(Buffer("0123456789"))
	for _, tc := range []struct {
		off, n uint64
		want   string
	}{{8, 5, "89"}, {10, 1, ""}, {11, 1, ""}, {0, 1 << 63, "0123456789"}, {1 << 63, 1, ""}, {^uint64(0), ^uint64(0), ""}, {3, ^uint64(0), "3456789"}} {
		b, err := body.Bytes(tc.off, tc.n)
		if string(b) != tc.want || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("Bytes(%d, %d): %q, %v", tc.off, tc.n, b, err)
		}
	}
	if b, err := body.Bytes(10, 0); len(b) != 0 || err != nil {
		t.Errorf("nothing at the end: %q, %v", b, err)
	}
}

// failing is a reader that fails at its n-th read.
type failing struct {
	Buffer
	n *int
}

var errBroken = errors.New("broken on purpose")

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if *f.n--; *f.n < 0 {
		return 0, errBroken
	}
	return f.Buffer.ReadAt(p, off)
}

// TestFailingReader parses and encodes from a reader that fails at the n-th
// read, as a process that dies does: an error each time, and no panic.
func TestFailingReader(t *testing.T) {
	data := elftest.Shared(elftest.Kinds()[0]).Bytes()
	for n := range 200 {
		left := n
		d := Reader{failing{Buffer(data), &left}, 0, int64(len(data))}
		f := &File{Name: "x"}
		head, err := Parse("x", data)
		if err != nil {
			t.Fatal(err)
		}
		*f = *head
		f.Body = NewBody(d)
		f.sectionsRead = false
		v := &visitor{limit: 10, contents: 1 << 16}
		v.visit(f)
		var out bytes.Buffer
		if _, err := f.Encode().WriteTo(&out); err == nil {
			if left < 0 && len(v.errs) == 0 {
				t.Errorf("failed after %d reads, and nobody was told", n)
			}
			if !bytes.Equal(out.Bytes(), data) {
				t.Errorf("after %d reads: other bytes and no error", n)
			}
		} else if !errors.Is(err, errBroken) {
			t.Errorf("after %d reads: %v", n, err)
		}
		if _, err := Bytes(failing{Buffer(data), new(int)}); err != nil {
			t.Errorf("memory is not read: %v", err)
		}
	}
}
