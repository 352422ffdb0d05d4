package erofs

// xattrs reads a file's extended attributes: numbers of shared ones, then its own.
func (f *FS) xattrs(n *inode) (map[string][]byte, error) {
	if n.xattrSize == 0 {
		return nil, nil
	}
	b, err := f.read(n.xattrOff, n.xattrSize)
	if err != nil {
		return nil, err
	}
	shared := int64(b[4])
	own := xattrHeaderSize + shared*4
	if own > n.xattrSize {
		return nil, f.inodeFault(n, "h_shared_count", n.xattrOff-n.off+4, "%d shared attributes need 0x%x bytes, there are 0x%x", shared, own, n.xattrSize)
	}
	all := make(map[string][]byte)
	for i := range shared {
		at := f.xattrOff + int64(le.Uint32(b[xattrHeaderSize+i*4:]))*4
		if _, err := f.xattr(n, at, f.size, all); err != nil {
			return nil, err
		}
	}
	end := n.xattrOff + n.xattrSize
	for pos := n.xattrOff + own; pos < end; {
		if pos, err = f.xattr(n, pos, end, all); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// xattr reads one attribute, which lies before end, and returns where the next
// one begins.
func (f *FS) xattr(n *inode, pos, end int64, all map[string][]byte) (next int64, err error) {
	if pos > end-xattrEntrySize {
		return 0, f.inodeFault(n, "extended attribute", pos-n.off, "ends past 0x%x", end)
	}
	var head [xattrEntrySize]byte
	if err := f.readFull(head[:], pos); err != nil {
		return 0, err
	}
	nameLen, valueLen := int64(head[0]), int64(le.Uint16(head[2:]))
	size := nameLen + valueLen
	if size > end-xattrEntrySize-pos {
		return 0, f.inodeFault(n, "extended attribute", pos-n.off, "0x%x bytes of name and 0x%x of value end past 0x%x", nameLen, valueLen, end)
	}
	b, err := f.read(pos+xattrEntrySize, size)
	if err != nil {
		return 0, err
	}
	name, ok := joinXattr(head[1], string(b[:nameLen]))
	if !ok {
		return 0, f.inodeFault(n, "extended attribute", pos-n.off, "the prefix %d with the name %q is unknown", head[1], b[:nameLen])
	}
	if _, twice := all[name]; twice {
		return 0, f.inodeFault(n, "extended attribute", pos-n.off, "%q is there twice", name)
	}
	all[name] = b[nameLen:]
	return pos + roundUp(xattrEntrySize+size, 4), nil
}
