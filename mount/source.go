package mount

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"elfwright/elffile"
)

// A Source is an EROFS image inside a file.
type Source struct {
	Path   string `json:"path"`
	Offset int64  `json:"offset"`
	Size   int64  `json:"size"` // 0: as long as the image says it is
}

// Refusal is an error that is the answer no: this cannot be mounted.
type Refusal struct{ Err error }

func (r *Refusal) Error() string { return r.Err.Error() }

// Unwrap returns the reason.
func (r *Refusal) Unwrap() error { return r.Err }

// No says that the answer is no.
func (r *Refusal) No() bool { return true }

// The superblock of EROFS, as far as it is needed to say where the image ends.
// Linux, fs/erofs/erofs_fs.h, struct erofs_super_block.
const (
	superOffset = 1024
	superSize   = 128
	superMagic  = 0xe0f5e1e2

	fieldBlockBits = 12 // u8: the block size is 1 << it
	fieldBlocks    = 36 // le32: blocks of the image
	fieldIncompat  = 80 // le32: features without which it cannot be read

	// LZ4_0PADDING, COMPR_CFGS, ZTAILPACKING and FRAGMENTS: some files may be
	// compressed.
	incompatCompression = 0x1 | 0x2 | 0x10 | 0x20
)

// open opens the file of a source and checks that the image is whole. It sets
// Size where that was 0, and makes the path absolute.
func (s *Source) open() (*os.File, error) {
	f, err := os.Open(s.Path)
	if err != nil {
		return nil, err
	}
	if err := s.check(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (s *Source) check(f *os.File) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return fmt.Errorf("%s: is not a regular file", s.Path)
	}
	if s.Offset < 0 || s.Size < 0 || s.Offset > st.Size() || s.Size > st.Size()-s.Offset {
		return s.fault("", -1, "offset 0x%x and size 0x%x are past the end of the file (0x%x)", s.Offset, s.Size, st.Size())
	}
	size, err := s.superblock(f)
	if err != nil {
		return err
	}
	room := s.Size
	if room == 0 {
		room = st.Size() - s.Offset
	}
	if size > room {
		return s.fault("blocks", superOffset+fieldBlocks, "the image is of 0x%x bytes, and 0x%x are there", size, room)
	}
	s.Size = size
	s.Path, err = filepath.Abs(s.Path)
	return err
}

// superblock returns the size of the image as its superblock has it.
func (s *Source) superblock(f io.ReaderAt) (int64, error) {
	b := make([]byte, superSize)
	if _, err := f.ReadAt(b, s.Offset+superOffset); err == io.EOF {
		return 0, s.fault("", superOffset, "the file ends before it")
	} else if err != nil {
		return 0, err
	}
	if m := binary.LittleEndian.Uint32(b); m != superMagic {
		return 0, s.fault("magic", superOffset, "0x%x is not 0x%x: no EROFS image is here", m, uint32(superMagic))
	}
	bits := b[fieldBlockBits]
	if bits < 9 || bits > 16 {
		return 0, s.fault("blkszbits", superOffset+fieldBlockBits, "%d is not within 9 and 16", bits)
	}
	return int64(binary.LittleEndian.Uint32(b[fieldBlocks:])) << bits, nil
}

// fault is a refusal with the place within the image; off < 0 has none.
func (s *Source) fault(field string, off int64, format string, args ...any) error {
	if off >= 0 {
		off += s.Offset
	}
	return &Refusal{&elffile.Error{
		File: s.Path, Struct: "EROFS superblock", Field: field, Off: off, Msg: fmt.Sprintf(format, args...),
	}}
}
