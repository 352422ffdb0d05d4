package erofs

import (
	"fmt"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"
)

// inode is one as it is in the image, with all that says where its contents lie
// checked.
type inode struct {
	nid         int64
	off         int64 // in the image
	mode        uint32
	uid, gid    uint32
	nlink, rdev uint32
	mtime       time.Time
	size        int64
	layout      int
	xattrOff    int64 // of the extended attributes behind the inode
	xattrSize   int64
	union       uint32 // i_u: a block, a device, a format of chunks
	tailOff     int64  // what follows the inode and its attributes
	chunks      chunkTable
}

func (n *inode) kind() kind { return (&node{mode: n.mode}).kind() }

// inodeFault is an error in a field of an inode.
func (f *FS) inodeFault(n *inode, field string, off int64, format string, args ...any) error {
	return f.fault(fmt.Sprintf("inode %d", n.nid), field, n.off+off, format, args...)
}

// inode reads one by its number.
func (f *FS) inode(nid int64) (*inode, error) {
	n := &inode{nid: nid}
	if nid < 0 || nid > (f.size-f.metaOff)/slotSize {
		return nil, f.fault(fmt.Sprintf("inode %d", nid), "", -1, "is past the end of the image (0x%x)", f.size)
	}
	n.off = f.metaOff + nid*slotSize
	if !f.within(n.off, compactSize) {
		return nil, f.fault(fmt.Sprintf("inode %d", nid), "", n.off, "0x%x bytes are past the end of the image (0x%x)", compactSize, f.size)
	}
	var b [extendedSize]byte
	if err := f.readFull(b[:compactSize], n.off); err != nil {
		return nil, err
	}
	format := le.Uint16(b[:])
	if format>>4 != 0 {
		return nil, f.inodeFault(n, "i_format", 0, "0x%x has bits that are not supported", format)
	}
	n.layout = int(format >> 1)
	size := int64(compactSize)
	if format&1 != 0 {
		size = extendedSize
		if !f.within(n.off, size) {
			return nil, f.inodeFault(n, "", 0, "0x%x bytes are past the end of the image (0x%x)", size, f.size)
		}
		if err := f.readFull(b[compactSize:], n.off+compactSize); err != nil {
			return nil, err
		}
		n.decodeExtended(b[:])
	} else {
		n.decodeCompact(b[:], f)
	}
	if k := int64(le.Uint16(b[2:])); k > 0 {
		n.xattrSize = xattrHeaderSize + (k-1)*4
	}
	n.xattrOff = n.off + size
	n.tailOff = n.xattrOff + n.xattrSize
	return n, f.checkInode(n)
}

func (n *inode) decodeCompact(b []byte, f *FS) {
	n.mode = uint32(le.Uint16(b[4:]))
	n.nlink = uint32(le.Uint16(b[6:]))
	n.size = int64(le.Uint32(b[8:]))
	// Linux 6.15: seconds after the superblock's time; zero before.
	n.mtime = time.Unix(f.epoch+int64(le.Uint32(b[12:])), int64(f.epochNanos))
	n.union = le.Uint32(b[16:])
	n.uid, n.gid = uint32(le.Uint16(b[24:])), uint32(le.Uint16(b[26:]))
}

func (n *inode) decodeExtended(b []byte) {
	n.mode = uint32(le.Uint16(b[4:]))
	n.size = int64(le.Uint64(b[8:]))
	n.union = le.Uint32(b[16:])
	n.uid, n.gid = le.Uint32(b[24:]), le.Uint32(b[28:])
	n.mtime = time.Unix(int64(le.Uint64(b[32:])), int64(le.Uint32(b[40:])))
	n.nlink = le.Uint32(b[44:])
}

func (f *FS) checkInode(n *inode) error {
	if !f.within(n.xattrOff, n.xattrSize) {
		return f.inodeFault(n, "i_xattr_icount", 2, "0x%x bytes of attributes are past the end of the image (0x%x)", n.xattrSize, f.size)
	}
	switch n.mode & unix.S_IFMT {
	case unix.S_IFCHR, unix.S_IFBLK:
		n.rdev = n.union
		return nil
	case unix.S_IFIFO, unix.S_IFSOCK:
		return nil
	case unix.S_IFREG, unix.S_IFDIR:
	case unix.S_IFLNK:
		if n.size < 1 || n.size > maxTarget {
			return f.inodeFault(n, "i_size", 8, "%d bytes of a symbolic link, from 1 to %d are possible", n.size, maxTarget)
		}
	default:
		return f.inodeFault(n, "i_mode", 4, "0%o is of no known type", n.mode)
	}
	switch {
	case n.size < 0:
		return f.inodeFault(n, "i_size", 8, "0x%x is more than 63 bits", uint64(n.size))
	case n.layout == layoutCompressed || n.layout == layoutCompressedLast:
		return f.inodeFault(n, "i_format", 0, "the contents are compressed, which is not supported (layout %d)", n.layout)
	case n.layout == layoutChunks && n.kind() == isFile:
		return f.checkChunks(n)
	case n.layout == layoutPlain, n.layout == layoutInline:
		return f.checkFlat(n)
	}
	return f.inodeFault(n, "i_format", 0, "layout %d is not supported for a file of mode 0%o", n.layout, n.mode)
}

// checkFlat holds contents in one run of blocks against the image.
func (f *FS) checkFlat(n *inode) error {
	tail := f.tailSize(n)
	if run := n.size - tail; run > 0 && !f.within(int64(n.union)<<f.blockBits, run) {
		return f.inodeFault(n, "i_size", 8, "0x%x bytes from block 0x%x are past the end of the image (0x%x)", run, n.union, f.size)
	}
	if !f.within(n.tailOff, tail) {
		return f.inodeFault(n, "i_size", 8, "0x%x bytes behind the inode, at 0x%x, are past the end of the image (0x%x)", tail, n.tailOff, f.size)
	}
	return nil
}

// tailSize is how much of the contents is behind the inode.
func (f *FS) tailSize(n *inode) int64 {
	if n.layout != layoutInline {
		return 0
	}
	return n.size & (1<<f.blockBits - 1)
}

// Attr is what an image says of a file beyond [fs.FileInfo]; its method Sys
// returns a pointer to one.
type Attr struct {
	Ino      uint64 // two names with the same Ino are the same file
	Nlink    uint32
	UID, GID uint32
	Rdev     uint32 // of a device: major and minor number as Linux has them in st_rdev
	Mode     uint32 // st_mode
	Mtime    time.Time
	Xattrs   map[string][]byte
}

// info is a file's FileInfo.
type info struct {
	name string
	size int64
	attr Attr
}

func (i *info) Name() string       { return i.name }
func (i *info) Size() int64        { return i.size }
func (i *info) Mode() fs.FileMode  { return goMode(i.attr.Mode) }
func (i *info) ModTime() time.Time { return i.attr.Mtime }
func (i *info) IsDir() bool        { return i.Mode().IsDir() }
func (i *info) Sys() any           { return &i.attr }

func (f *FS) info(name string, n *inode) (*info, error) {
	xattrs, err := f.xattrs(n)
	if err != nil {
		return nil, err
	}
	return &info{name, n.size, Attr{
		Ino: uint64(n.nid), Nlink: n.nlink, UID: n.uid, GID: n.gid, Rdev: n.rdev,
		Mode: n.mode, Mtime: n.mtime, Xattrs: xattrs,
	}}, nil
}
