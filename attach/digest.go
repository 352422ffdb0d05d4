package attach

import (
	"crypto/sha256"
	"io"
	"sync"

	"elfwright/elffile"
)

// digest is the SHA-256 of a payload's contents, in the making: it is reckoned
// while the rest of the file is already being written, which halves the time that
// a large payload takes.
type digest struct {
	done chan struct{}
	sum  [sha256.Size]byte
	err  error
}

// newDigest starts to read d.
func newDigest(d elffile.Data) *digest {
	g := &digest{done: make(chan struct{})}
	go func() {
		defer close(g.done)
		h := sha256.New()
		_, g.err = io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{io.NewSectionReader(d, 0, d.Size())}, make([]byte, 1<<20))
		h.Sum(g.sum[:0])
	}()
	return g
}

// wait returns the digest once it is known.
func (g *digest) wait() ([sha256.Size]byte, error) {
	<-g.done
	return g.sum, g.err
}

// promised is bytes that are made when they are first read.
type promised struct {
	size int64
	make func() ([]byte, error)
}

func promise(size int64, make func() ([]byte, error)) elffile.Data {
	return promised{size, sync.OnceValues(make)}
}

func (p promised) Size() int64 { return p.size }

// Late has the file written up to here, and on from here, before p is asked for.
func (promised) Late() {}

func (p promised) ReadAt(b []byte, off int64) (int, error) {
	all, err := p.make()
	if err != nil {
		return 0, err
	}
	return elffile.Buffer(all).ReadAt(b, off)
}
