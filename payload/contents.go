package payload

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"

	"github.com/klauspost/compress/zstd"

	"elfwright/elffile"
)

// window is what the file has of an entry's bytes, as they are stored.
func window(f *elffile.File, e *Entry) elffile.Data {
	return f.Body.Window(int64(e.Off), int64(e.Stored))
}

// Stored returns an entry's bytes as a file of their own would have them: those
// of an Object without their translation, those of a compressed one as they are.
func Stored(f *elffile.File, e *Entry) (elffile.Data, error) {
	w := window(f, e)
	if e.Kind != Object || e.Delta == 0 {
		return w, nil
	}
	body, err := untranslated(f, e, w)
	if err != nil {
		return nil, err
	}
	return elffile.Reader{R: body, N: body.Size()}, nil
}

func untranslated(f *elffile.File, e *Entry, w elffile.Data) (*elffile.Body, error) {
	inner, err := elffile.ParseBody(f.Name+" ("+e.Name+")", elffile.NewBody(w))
	if err != nil {
		return nil, err
	}
	return elffile.Translate(inner, int64(e.Delta), 0)
}

// Reader reads the contents of an entry from the start, uncompressed. The last
// Read fails if the contents are not those of the digest, so that whoever reads
// to the end has the right ones.
func Reader(f *elffile.File, e *Entry) (io.ReadCloser, error) {
	d, err := Stored(f, e)
	if err != nil {
		return nil, err
	}
	v := &verifier{name: f.Name, e: e, sum: sha256.New(), from: io.NewSectionReader(d, 0, d.Size()), close: func() {}}
	if !e.Zstd {
		return v, nil
	}
	z, err := zstd.NewReader(v.from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, v.errorf("%v", err)
	}
	v.from, v.close = z, z.Close
	return v, nil
}

// maxWindow bounds the memory that a zstd frame can ask for; ours ask for 8 MiB
// at the most (RFC 8878, section 3.1.1.1.2, recommends to support that much).
const maxWindow = 32 << 20

// What a compressed payload may be blown up to in memory: freeSize bytes, or
// maxRatio times what is stored.
const (
	freeSize = 64 << 20
	maxRatio = 4096
)

// verifier compares what is read with an entry's size and digest.
type verifier struct {
	name  string
	e     *Entry
	from  io.Reader
	close func()
	sum   hash.Hash
	n     uint64
}

func (v *verifier) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: payload %q: %s", v.name, v.e.Name, fmt.Sprintf(format, args...))
}

func (v *verifier) Read(p []byte) (int, error) {
	n, err := v.from.Read(p)
	v.sum.Write(p[:n])
	v.n += uint64(n)
	switch {
	case v.n > v.e.Size:
		return 0, v.errorf("more than its 0x%x bytes came out", v.e.Size)
	case err == io.EOF && v.n < v.e.Size:
		return n, v.errorf("0x%x bytes came out, and it has 0x%x", v.n, v.e.Size)
	case err == io.EOF && !bytes.Equal(v.sum.Sum(nil), v.e.Digest[:]):
		return n, v.errorf("the contents are damaged: their SHA-256 is %x, and was %x", v.sum.Sum(nil), v.e.Digest)
	case err != nil && err != io.EOF:
		return n, v.errorf("%v", err)
	}
	return n, err
}

func (v *verifier) Close() error { v.close(); return nil }

// Contents returns the contents of an entry for reading anywhere in them: a
// window on the file, or what a compressed one is uncompressed to, in memory.
// Only that is compared with the digest; [Verify] does it for any.
func Contents(f *elffile.File, e *Entry) (elffile.Data, error) {
	if !e.Zstd {
		return Stored(f, e)
	}
	if e.Size > freeSize && e.Size/maxRatio > e.Stored {
		return nil, fmt.Errorf("%s: payload %q: 0x%x bytes are more than %d times the 0x%x compressed ones: it can be extracted, but is not held in memory", f.Name, e.Name, e.Size, maxRatio, e.Stored)
	}
	r, err := Reader(f, e)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var b bytes.Buffer // grows with what comes, whatever the size is said to be
	if _, err := io.Copy(&b, r); err != nil {
		return nil, err
	}
	return elffile.Buffer(b.Bytes()), nil
}

// Verify reads an entry's contents and compares them with size and digest.
func Verify(f *elffile.File, e *Entry) error {
	r, err := Reader(f, e)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.CopyBuffer(io.Discard, struct{ io.Reader }{r}, make([]byte, 1<<20))
	return err
}
