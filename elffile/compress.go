package elffile

import (
	"bytes"
	"compress/zlib"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Chdr is the header of a compressed section (gABI, "Section Compression").
type Chdr struct {
	Type      elf.CompressionType
	Size      uint64 // of the bytes when uncompressed
	Addralign uint64
	Gnu       bool // the older form of GNU tools: ".zdebug_", no SHF_COMPRESSED
}

// compressZstd is ELFCOMPRESS_ZSTD.
const compressZstd = elf.CompressionType(2)

// Bounds on what a few hostile bytes may grow to. zlib cannot do better than
// 1032:1 (RFC 1951: 258 bytes for two bits); zstd can, with a run-length block
// of 128 KiB in four bytes, but no honest section of some size does.
const (
	freeUncompressed = 16 << 20 // up to this any ratio is taken
	maxRatio         = 4096
)

// Compressed returns the header of a compressed section, and false if section i
// is not compressed.
func (f *File) Compressed(i int) (Chdr, bool, error) {
	h, _, ok, err := f.compressed(i)
	return h, ok, err
}

// compressed returns the header of a compressed section and the stream after it.
func (f *File) compressed(i int) (h Chdr, stream []byte, ok bool, err error) {
	if err := f.checkSection(i); err != nil {
		return h, nil, false, err
	}
	s := &f.sections[i]
	if !s.HasBytes() {
		return h, nil, false, nil
	}
	b, err := f.SectionData(i)
	if s.Has(elf.SHF_COMPRESSED) {
		n := f.ChdrSize()
		if len(b) < n {
			return h, nil, true, errors.Join(err, f.SectionError(i, "sh_size", "0x%x is less than the size of a compression header (%d)", s.Size, n))
		}
		d := decoder{f.Format, b}
		h.Type = elf.CompressionType(d.u32())
		if f.Is64() {
			d.u32() // ch_reserved
		}
		h.Size = d.addr()
		h.Addralign = d.addr()
		return h, b[n:], true, err
	}
	const magic = "ZLIB"
	if strings.HasPrefix(f.SectionName(i), ".zdebug") && len(b) >= 12 && string(b[:4]) == magic {
		// The size is big-endian in every file (binutils, bfd/compress.c).
		h = Chdr{Type: elf.COMPRESS_ZLIB, Size: binary.BigEndian.Uint64(b[4:]), Addralign: s.Addralign, Gnu: true}
		return h, b[12:], true, err
	}
	return h, nil, false, err
}

// Uncompress returns the contents of section i: as they are, where it is not
// compressed, else uncompressed. It makes no more than limit bytes, and refuses
// to blow a few bytes up to very many. What came out before a fault is returned
// with it.
func (f *File) Uncompress(i int, limit uint64) ([]byte, Chdr, error) {
	h, stream, ok, err := f.compressed(i)
	if !ok && err == nil {
		b, err := f.SectionData(i)
		return b, h, err
	}
	if stream == nil {
		return nil, h, err
	}
	if h.Size > limit {
		return nil, h, errors.Join(err, f.SectionError(i, "", "ch_size 0x%x is more than the limit of 0x%x", h.Size, limit))
	}
	if h.Size > freeUncompressed && h.Size/maxRatio > uint64(len(stream)) {
		return nil, h, errors.Join(err, f.SectionError(i, "", "ch_size 0x%x is more than %d times the 0x%x compressed bytes", h.Size, maxRatio, len(stream)))
	}
	b, uerr := uncompress(h, stream)
	if uerr == nil && uint64(len(b)) != h.Size {
		uerr = fmt.Errorf("0x%x bytes came out, ch_size is 0x%x", len(b), h.Size)
	}
	if uerr != nil {
		e := f.SectionError(i, "", "uncompress (%s)", CompressionName(h.Type))
		e.Err = uerr
		err = errors.Join(err, e)
	}
	return b, h, err
}

// uncompress reads at most one byte more than the header announces.
func uncompress(h Chdr, stream []byte) ([]byte, error) {
	var r io.Reader
	switch h.Type {
	case elf.COMPRESS_ZLIB:
		z, err := zlib.NewReader(bytes.NewReader(stream))
		if err != nil {
			return nil, err
		}
		r = z
	case compressZstd:
		z, err := zstd.NewReader(bytes.NewReader(stream), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(h.Size+freeUncompressed))
		if err != nil {
			return nil, err
		}
		defer z.Close()
		r = z
	default:
		return nil, errors.New("unknown type")
	}
	var out bytes.Buffer
	// The announced size is believed for the first allocation as far as the
	// stream could deliver it cheaply; then the buffer grows with what comes.
	out.Grow(int(min(h.Size, 8*uint64(len(stream))+512)) + bytes.MinRead)
	_, err := io.Copy(&out, io.LimitReader(r, int64(h.Size)+1))
	return out.Bytes(), err
}

// Compress makes the contents of a section with SHF_COMPRESSED: the header and
// b compressed by zlib or by zstd. The same bytes always give the same result.
func Compress(f Format, t elf.CompressionType, align uint64, b []byte) ([]byte, error) {
	var out bytes.Buffer
	h := make([]byte, f.ChdrSize())
	e := encoder{f, h}
	e.u32(uint32(t))
	if f.Is64() {
		e.u32(0) // ch_reserved
	}
	e.addr(uint64(len(b)))
	e.addr(align)
	out.Write(h)
	switch t {
	case elf.COMPRESS_ZLIB:
		z := zlib.NewWriter(&out)
		_, err := z.Write(b)
		if err = errors.Join(err, z.Close()); err != nil {
			return nil, err
		}
		return out.Bytes(), nil
	case compressZstd:
		z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		defer z.Close()
		return z.EncodeAll(b, out.Bytes()), nil
	}
	return nil, fmt.Errorf("no compression of type %d", t)
}
