package erofs

// place gives every inode its number and its contents their blocks. It returns the
// size of the metadata, which is superblock, inodes, and blocks of directories and
// symbolic links, and that of the image, in which the contents of files follow.
func (t *tree) place() (meta, size int64, err error) {
	pos := int64(superOff + superSize)
	for _, n := range t.nodes {
		if n.kind() == isDir {
			n.layOutDir()
		}
		pos = n.placeInode(pos)
	}
	block := (pos + blockSize - 1) >> blockBits
	block = t.placeContents(block, func(n *node) bool { return n.kind() != isFile })
	meta = block << blockBits
	block = t.placeContents(block, func(n *node) bool { return n.kind() == isFile })
	if block >= noBlock {
		return 0, 0, t.fault("", "the image would have %d blocks of %d bytes, at most %d are possible", block, blockSize, uint32(noBlock-1))
	}
	return meta, block << blockBits, nil
}

// placeContents gives blocks from the given one on to the nodes that are meant,
// and returns the next.
func (t *tree) placeContents(block int64, meant func(*node) bool) int64 {
	for _, n := range t.nodes {
		if !meant(n) {
			continue
		}
		n.start = noBlock
		if k := n.ownBlocks(); k > 0 {
			n.start = block
			block += k // no overflow: a file has fewer than 2^51 blocks, and at noBlock we stop
		}
		if block >= noBlock {
			break
		}
	}
	return block
}

// tail is how many bytes of the contents can lie behind the inode.
func (n *node) tail() int64 {
	if n.kind() == isFile {
		return 0 // mapped from the file, so whole pages
	}
	return n.size & (blockSize - 1)
}

// placeInode puts an inode at pos or behind, and returns where it ends. Neither
// the inode nor contents behind it may cross a block; xattrs may.
func (n *node) placeInode(pos int64) int64 {
	pos = roundUp(pos, slotSize)
	size := extendedSize + int64(len(n.xattrs))
	whole := int64(extendedSize)
	n.layout = layoutPlain
	if tail := n.tail(); tail > 0 && size+tail <= blockSize {
		n.layout = layoutInline
		size += tail
		whole = size
	}
	if pos&(blockSize-1)+whole > blockSize {
		pos = roundUp(pos, blockSize)
	}
	n.nid = pos / slotSize
	return pos + size
}

// ownBlocks is how many blocks the contents take, without a tail behind the
// inode.
func (n *node) ownBlocks() int64 {
	if n.layout == layoutInline {
		return n.size >> blockBits
	}
	return (n.size-1)>>blockBits + 1 // so written that it does not overflow; 0 for an empty file
}

// layOutDir divides a directory into blocks: in each the entries and then their
// names, none of which crosses into the next.
func (n *node) layOutDir() {
	used, first := 0, 0
	for i, c := range n.children {
		need := direntSize + len(c.name)
		if used+need > blockSize {
			n.blocks = append(n.blocks, n.children[first:i])
			used, first = 0, i
		}
		used += need
	}
	n.blocks = append(n.blocks, n.children[first:])
	n.size = int64(len(n.blocks)-1)<<blockBits + int64(used)
}
