package erofs

import (
	"hash/crc32"
	"io/fs"

	"golang.org/x/sys/unix"
)

// The format: Linux, fs/erofs/erofs_fs.h, and Documentation/filesystems/erofs.rst.
// All numbers are little-endian.
const (
	superOff  = 1024 // of the superblock in the image
	superSize = 128
	magic     = 0xe0f5e1e2

	slotSize     = 32 // what inode numbers count
	compactSize  = 32
	extendedSize = 64
	direntSize   = 12
	deviceSize   = 128

	xattrHeaderSize = 12
	xattrEntrySize  = 4
)

// The block size that Build writes.
const (
	blockBits = 12
	blockSize = 1 << blockBits
)

// Features. A reader may ignore a compatible one it does not know.
const (
	compatChecksum = 0x1 // the superblock has a checksum
	compatMtime    = 0x2 // the time of an inode is that of modification

	incompatDeviceTable = 0x8 // or a second compression head
	incompatKnown       = 0x3f
)

// incompatNames are the features that change what this package reads.
var incompatNames = map[uint32]string{
	0x40:  "long xattr name prefixes",
	0x80:  "48-bit block addresses",
	0x100: "metadata in an inode of its own",
}

// How an inode's contents lie (i_format, bits 1 to 3).
const (
	layoutPlain          = 0 // in one run of blocks
	layoutCompressed     = 1
	layoutInline         = 2 // the same, but the last part is behind the inode
	layoutCompressedLast = 3
	layoutChunks         = 4 // in runs of equal length, each somewhere
)

// noBlock is the address of what is nowhere: the contents of an empty file, or a
// hole.
const noBlock = 0xffffffff

// Limits of the format and of Linux.
const (
	maxName   = 255
	maxTarget = 4095 // of a symbolic link: PATH_MAX less the terminating zero
)

// fileTypes are a directory entry's types, by the format bits of st_mode.
var fileTypes = map[uint32]byte{
	unix.S_IFREG: 1, unix.S_IFDIR: 2, unix.S_IFCHR: 3, unix.S_IFBLK: 4,
	unix.S_IFIFO: 5, unix.S_IFSOCK: 6, unix.S_IFLNK: 7,
}

// formats are the format bits of st_mode by a directory entry's type, 0 for one
// that there is not.
var formats = [...]uint32{
	1: unix.S_IFREG, 2: unix.S_IFDIR, 3: unix.S_IFCHR, 4: unix.S_IFBLK,
	5: unix.S_IFIFO, 6: unix.S_IFSOCK, 7: unix.S_IFLNK,
}

// goMode is st_mode as Go has it.
func goMode(mode uint32) fs.FileMode {
	m := fs.FileMode(mode & 0o777)
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFDIR:
		m |= fs.ModeDir
	case unix.S_IFCHR:
		m |= fs.ModeDevice | fs.ModeCharDevice
	case unix.S_IFBLK:
		m |= fs.ModeDevice
	case unix.S_IFIFO:
		m |= fs.ModeNamedPipe
	case unix.S_IFSOCK:
		m |= fs.ModeSocket
	case unix.S_IFLNK:
		m |= fs.ModeSymlink
	default:
		m |= fs.ModeIrregular
	}
	if mode&unix.S_ISUID != 0 {
		m |= fs.ModeSetuid
	}
	if mode&unix.S_ISGID != 0 {
		m |= fs.ModeSetgid
	}
	if mode&unix.S_ISVTX != 0 {
		m |= fs.ModeSticky
	}
	return m
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// superChecksum is the checksum of the block that begins with the superblock,
// whose own field counts as zero: CRC-32C as erofs_superblock_csum_verify has it,
// which does not invert the result.
func superChecksum(block []byte) uint32 {
	sum := crc32.Update(0, castagnoli, block[:4])
	sum = crc32.Update(sum, castagnoli, []byte{0, 0, 0, 0})
	return ^crc32.Update(sum, castagnoli, block[8:])
}

// roundUp is n rounded up to a multiple of align, a power of two.
func roundUp[T int | int64 | uint64](n, align T) T { return (n + align - 1) &^ (align - 1) }
