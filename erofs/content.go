package erofs

import "io"

// chunkTable says where the chunks of a file are.
type chunkTable struct {
	off   int64 // of the table in the image
	entry int64 // bytes of an entry: 4, a block, or 8, an index with one
	bits  uint  // of a chunk's size
}

const (
	chunkBitsMask = 0x1f
	chunkIndexes  = 0x20
)

// checkChunks holds a file's table of chunks against the image. Where each chunk is
// is checked when it is read.
func (f *FS) checkChunks(n *inode) error {
	if n.union&^(chunkBitsMask|chunkIndexes) != 0 {
		return f.inodeFault(n, "i_u.c.format", 16, "0x%x has bits that are not supported", n.union)
	}
	c := chunkTable{entry: 4, bits: f.blockBits + uint(n.union&chunkBitsMask)}
	if n.union&chunkIndexes != 0 {
		c.entry = 8
	}
	c.off = roundUp(n.tailOff, c.entry)
	count := int64(0)
	if n.size > 0 {
		count = (n.size-1)>>c.bits + 1
	}
	if count > f.size/c.entry || !f.within(c.off, count*c.entry) {
		return f.inodeFault(n, "i_size", 8, "0x%x bytes in 0x%x chunks have a table at 0x%x that is past the end of the image (0x%x)", n.size, count, c.off, f.size)
	}
	n.chunks = c
	return nil
}

// extent returns where the contents at pos are, and how many bytes of them lie
// there in one run; pos is before the end. hole says that they are zeros and
// nowhere.
func (f *FS) extent(n *inode, pos int64) (off, length int64, hole bool, err error) {
	if n.layout == layoutChunks {
		return f.chunk(n, pos)
	}
	if run := n.size - f.tailSize(n); pos < run {
		return int64(n.union)<<f.blockBits + pos, run - pos, false, nil
	}
	tail := n.size - f.tailSize(n)
	return n.tailOff + pos - tail, n.size - pos, false, nil
}

// chunk is extent for a file of chunks.
func (f *FS) chunk(n *inode, pos int64) (off, length int64, hole bool, err error) {
	c := n.chunks
	at := c.off + pos>>c.bits*c.entry
	var b [8]byte
	if err := f.readFull(b[:c.entry], at); err != nil {
		return 0, 0, false, err
	}
	in := pos & (1<<c.bits - 1)
	length = min(1<<c.bits-in, n.size-pos)
	block := le.Uint32(b[c.entry-4:])
	if block == noBlock {
		return 0, length, true, nil
	}
	if c.entry == 8 && (le.Uint16(b[:]) != 0 || le.Uint16(b[2:]) != 0) {
		return 0, 0, false, f.inodeFault(n, "chunk", at-n.off, "48-bit addresses and other devices are not supported (0x%x)", b)
	}
	off = int64(block)<<f.blockBits + in
	if !f.within(off, length) {
		return 0, 0, false, f.inodeFault(n, "chunk", at-n.off, "0x%x bytes at block 0x%x are past the end of the image (0x%x)", in+length, block, f.size)
	}
	return off, length, false, nil
}

// readAt reads contents.
func (f *FS) readAt(n *inode, b []byte, pos int64) (int, error) {
	done := 0
	for done < len(b) {
		if pos >= n.size {
			return done, io.EOF
		}
		off, length, hole, err := f.extent(n, pos)
		if err != nil {
			return done, err
		}
		part := b[done:]
		part = part[:min(int64(len(part)), length)]
		if hole {
			clear(part)
		} else if err := f.readFull(part, off); err != nil {
			return done, err
		}
		done, pos = done+len(part), pos+int64(len(part))
	}
	return done, nil
}

// all returns the whole contents. Holes can make a file larger than the image that
// has it; such a one is for reading piece by piece.
func (f *FS) all(n *inode) ([]byte, error) {
	if n.size > f.size {
		return nil, f.inodeFault(n, "i_size", 8, "0x%x bytes with holes are more than the image has (0x%x), and not read at once", n.size, f.size)
	}
	b := make([]byte, n.size)
	if k, err := f.readAt(n, b, 0); k < len(b) {
		return nil, err
	}
	return b, nil
}

// noExtent is the answer that a file does not lie in the image in one run.
type noExtent struct{ error }

func (noExtent) No() bool        { return true }
func (e noExtent) Unwrap() error { return e.error }

// run returns where the whole contents lie.
func (f *FS) run(n *inode) (off int64, err error) {
	if n.size == 0 {
		return 0, nil
	}
	for pos := int64(0); pos < n.size; {
		at, length, hole, err := f.extent(n, pos)
		switch {
		case err != nil:
			return 0, err
		case hole:
			return 0, noExtent{f.inodeFault(n, "", 0, "0x%x bytes at 0x%x are a hole and lie nowhere", length, pos)}
		case pos == 0:
			off = at
		case at != off+pos:
			return 0, noExtent{f.inodeFault(n, "", 0, "the bytes at 0x%x do not follow those before: they lie at 0x%x, not at 0x%x", pos, at, off+pos)}
		}
		pos += length
	}
	if off&(blockSize-1) != 0 {
		return 0, noExtent{f.inodeFault(n, "", 0, "the contents lie at 0x%x, not at the beginning of a page", off)}
	}
	return off, nil
}
