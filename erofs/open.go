package erofs

import (
	"errors"
	"fmt"
	"io"

	"elfwright/elffile"
)

// FS reads an image. It keeps nothing but the superblock, so that its methods are
// safe for concurrent use. Names are bytes and need not be UTF-8; otherwise they
// are as [io/fs.ValidPath] wants them. Symbolic links are followed within the
// image: one that begins with a slash starts at its root, and above the root there
// is nothing.
type FS struct {
	r    io.ReaderAt
	size int64
	name string // for errors; "" if the reader has none

	blockBits  uint
	root       int64 // inode numbers
	metaOff    int64 // what they count from
	xattrOff   int64 // of the shared extended attributes
	epoch      int64 // the time of a compact inode counts from here
	epochNanos uint32
}

// Open reads the superblock of an image of size bytes.
func Open(r io.ReaderAt, size int64) (*FS, error) {
	f := &FS{r: r, size: size}
	if named, ok := r.(interface{ Name() string }); ok {
		f.name = named.Name()
	}
	if size < superOff+superSize {
		return nil, f.fault("", "", -1, "0x%x bytes are too few for an EROFS image: the superblock ends at 0x%x", size, superOff+superSize)
	}
	b, err := f.read(superOff, superSize)
	if err != nil {
		return nil, err
	}
	if err := f.checkSuper(b); err != nil {
		return nil, err
	}
	f.root = int64(le.Uint16(b[14:]))
	f.epoch, f.epochNanos = int64(le.Uint64(b[24:])), le.Uint32(b[32:])
	f.metaOff = int64(le.Uint32(b[40:])) << f.blockBits
	f.xattrOff = int64(le.Uint32(b[44:])) << f.blockBits
	root, err := f.inode(f.root)
	if err != nil {
		return nil, err
	}
	if root.kind() != isDir {
		return nil, f.superFault("root_nid", 14, "inode %d is not a directory (i_mode 0%o)", f.root, root.mode)
	}
	return f, nil
}

func (f *FS) checkSuper(b []byte) error {
	if m := le.Uint32(b); m != magic {
		return f.superFault("magic", 0, "0x%08x, not an EROFS image (0x%08x)", m, uint32(magic))
	}
	f.blockBits = uint(b[12])
	if f.blockBits < 9 || f.blockBits > 16 { // Linux: up to the page size, which is at most 64 KiB
		return f.superFault("blkszbits", 12, "%d, from 9 to 16 are possible", f.blockBits)
	}
	if n := int64(le.Uint32(b[36:])); n > f.size>>f.blockBits {
		return f.superFault("blocks", 36, "0x%x blocks of 0x%x bytes are more than the image has (0x%x bytes)", n, 1<<f.blockBits, f.size)
	}
	if le.Uint32(b[8:])&compatChecksum != 0 {
		if err := f.checkSum(le.Uint32(b[4:])); err != nil {
			return err
		}
	}
	if dir := b[90]; dir != 0 {
		return f.superFault("dirblkbits", 90, "%d: directory blocks of another size than other blocks are not supported", dir)
	}
	return f.checkFeatures(le.Uint32(b[80:]), le.Uint16(b[86:]))
}

func (f *FS) checkSum(want uint32) error {
	n := int64(1) << f.blockBits
	if n > superOff {
		n -= superOff
	}
	block, err := f.read(superOff, n)
	if err != nil {
		return err
	}
	if sum := superChecksum(block); sum != want {
		return f.superFault("checksum", 4, "0x%08x, of the superblock it is 0x%08x", want, sum)
	}
	return nil
}

// checkFeatures refuses what would make this package read wrongly. Compression is
// refused where it is met, file by file.
func (f *FS) checkFeatures(incompat uint32, devices uint16) error {
	if incompat&incompatDeviceTable != 0 && devices > 0 {
		return f.superFault("extra_devices", 86, "%d: contents on other devices are not supported", devices)
	}
	for bit := uint32(1); bit != 0; bit <<= 1 {
		if incompat&bit == 0 || incompatKnown&bit != 0 {
			continue
		}
		if what := incompatNames[bit]; what != "" {
			return f.superFault("feature_incompat", 80, "0x%x: %s (0x%x) are not supported", incompat, what, bit)
		}
		return f.superFault("feature_incompat", 80, "0x%x: the feature 0x%x is unknown", incompat, bit)
	}
	return nil
}

// fault makes an error with its place in the image.
func (f *FS) fault(structure, field string, off int64, format string, args ...any) error {
	return &elffile.Error{File: f.name, Struct: structure, Field: field, Off: off, Msg: fmt.Sprintf(format, args...)}
}

func (f *FS) superFault(field string, off int64, format string, args ...any) error {
	return f.fault("superblock", field, superOff+off, format, args...)
}

// within says whether [off, off+n) is in the image.
func (f *FS) within(off, n int64) bool { return off >= 0 && n >= 0 && off <= f.size && n <= f.size-off }

// read returns n bytes at off, which are checked to be there before there is room
// made for them.
func (f *FS) read(off, n int64) ([]byte, error) {
	if !f.within(off, n) {
		return nil, f.fault("", "", -1, "0x%x bytes at 0x%x are past the end of the image (0x%x)", n, off, f.size)
	}
	b := make([]byte, n)
	if err := f.readFull(b, off); err != nil {
		return nil, err
	}
	return b, nil
}

// readFull fills b, which is within the image.
func (f *FS) readFull(b []byte, off int64) error {
	n, err := f.r.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return &elffile.Error{File: f.name, Msg: fmt.Sprintf("read 0x%x of 0x%x bytes at 0x%x", n, len(b), off), Err: err}
}
