package erofs

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

var le = binary.LittleEndian

// encode returns the metadata: superblock, inodes, directories. size is the whole
// image's.
func (t *tree) encode(meta []byte, size int64) {
	for _, n := range t.nodes {
		n.encode(meta)
	}
	t.encodeSuper(meta[superOff:blockSize], size)
}

// encodeSuper writes the superblock; block is what follows in its block, too. The
// UUID and the times stay zero: every inode has its own time, and a name made
// from the contents would cost reading them all.
func (t *tree) encodeSuper(block []byte, size int64) {
	le.PutUint32(block[0:], magic)
	le.PutUint32(block[8:], compatChecksum|compatMtime)
	block[12] = blockBits
	le.PutUint16(block[14:], uint16(t.nodes[0].nid)) // the first, so a small number
	le.PutUint64(block[16:], uint64(len(t.nodes)))
	le.PutUint32(block[36:], uint32(size>>blockBits))
	le.PutUint32(block[4:], superChecksum(block))
}

// encode writes an inode and what belongs to it.
func (n *node) encode(meta []byte) {
	pos := n.nid * slotSize
	b := meta[pos:]
	le.PutUint16(b[0:], 1|n.layout<<1) // 1: an extended inode, of 64 bytes
	if n.xattrs != nil {
		le.PutUint16(b[2:], uint16((len(n.xattrs)-xattrHeaderSize)/4+1))
	}
	le.PutUint16(b[4:], uint16(n.mode))
	le.PutUint64(b[8:], uint64(n.size))
	le.PutUint32(b[16:], n.union())
	le.PutUint32(b[20:], uint32(n.nid)) // only for stat of 32 bits
	le.PutUint32(b[24:], n.uid)
	le.PutUint32(b[28:], n.gid)
	le.PutUint64(b[32:], uint64(n.mtime))
	le.PutUint32(b[40:], n.nsec)
	le.PutUint32(b[44:], n.nlink)
	copy(b[extendedSize:], n.xattrs)

	n.encodeContents(meta, b[extendedSize+len(n.xattrs):])
}

// union is what the format calls i_u.
func (n *node) union() uint32 {
	if n.kind() == isSpecial {
		return n.rdev
	}
	return uint32(n.start)
}

// encodeContents writes a directory or the target of a symbolic link: whole
// blocks, and what is left behind the inode or in a block of its own.
func (n *node) encodeContents(meta, tail []byte) {
	if n.kind() == isSymlink {
		if n.layout == layoutPlain {
			tail = meta[n.start<<blockBits:]
		}
		copy(tail, n.target)
		return
	}
	for i, entries := range n.blocks {
		b := tail
		if n.layout == layoutPlain || i < len(n.blocks)-1 || n.tail() == 0 {
			b = meta[(n.start+int64(i))<<blockBits:]
		}
		encodeDirBlock(b, entries)
	}
}

func encodeDirBlock(b []byte, entries []child) {
	name := len(entries) * direntSize
	for i, c := range entries {
		d := b[i*direntSize:]
		le.PutUint64(d, uint64(c.n.nid))
		le.PutUint16(d[8:], uint16(name))
		d[10] = fileTypes[c.n.mode&unix.S_IFMT]
		name += copy(b[name:], c.name)
	}
}
