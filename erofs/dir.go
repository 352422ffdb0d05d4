package erofs

import (
	"bytes"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"
)

// dirent is an entry of a directory.
type dirent struct {
	name string
	nid  int64
	mode uint32 // the format bits of st_mode
}

// dirBlock is a block of a directory: its entries, then their names.
type dirBlock struct {
	fs    *FS
	n     *inode
	pos   int64 // in the directory
	b     []byte
	count int
}

// dirBlock reads the block with the given number.
func (f *FS) dirBlock(n *inode, k int64) (*dirBlock, error) {
	pos := k << f.blockBits
	d := &dirBlock{fs: f, n: n, pos: pos, b: make([]byte, min(1<<f.blockBits, n.size-pos))}
	if m, err := f.readAt(n, d.b, pos); m < len(d.b) {
		return nil, err
	}
	if len(d.b) < direntSize {
		return nil, d.fault(0, "0x%x bytes have no room for an entry", len(d.b))
	}
	first := int(le.Uint16(d.b[8:]))
	if first == 0 || first%direntSize != 0 || first > len(d.b) {
		return nil, d.fault(0, "nameoff 0x%x: the names begin behind the entries, of %d bytes each, and before 0x%x", first, direntSize, len(d.b))
	}
	d.count = first / direntSize
	return d, nil
}

func (d *dirBlock) fault(i int, format string, args ...any) error {
	at, _, _, err := d.fs.extent(d.n, d.pos)
	if err != nil {
		return err
	}
	return d.fs.inodeFault(d.n, "directory entry", at+int64(i)*direntSize-d.n.off, format, args...)
}

// name returns the name of an entry.
func (d *dirBlock) name(i int) ([]byte, error) {
	from, to := int(le.Uint16(d.b[i*direntSize+8:])), len(d.b)
	if i+1 < d.count {
		to = int(le.Uint16(d.b[(i+1)*direntSize+8:]))
	}
	if from < d.count*direntSize || to > len(d.b) || from > to {
		return nil, d.fault(i, "the name, [0x%x, 0x%x), is not behind the entries and before 0x%x", from, to, len(d.b))
	}
	name := d.b[from:to]
	if end := bytes.IndexByte(name, 0); end >= 0 && i+1 == d.count {
		name = name[:end] // the rest of the block
	}
	if len(name) == 0 || len(name) > maxName || bytes.IndexByte(name, 0) >= 0 || bytes.IndexByte(name, '/') >= 0 {
		return nil, d.fault(i, "%q is no name", name)
	}
	return name, nil
}

// entry returns all of an entry.
func (d *dirBlock) entry(i int) (dirent, error) {
	name, err := d.name(i)
	if err != nil {
		return dirent{}, err
	}
	b := d.b[i*direntSize:]
	nid, typ := le.Uint64(b), int(b[10])
	if nid > uint64(d.fs.size/slotSize) {
		return dirent{}, d.fault(i, "%q is inode 0x%x, past the end of the image (0x%x)", name, nid, d.fs.size)
	}
	if typ >= len(formats) || formats[typ] == 0 {
		return dirent{}, d.fault(i, "%q is of the unknown type %d", name, typ)
	}
	return dirent{string(name), int64(nid), formats[typ]}, nil
}

// lookup finds a name in a directory by bisection, first of its blocks and then in
// one of them, as Linux does (fs/erofs/namei.c).
func (f *FS) lookup(n *inode, name string) (dirent, error) {
	var found *dirBlock
	for lo, hi := int64(0), (n.size+1<<f.blockBits-1)>>f.blockBits; lo < hi; {
		mid := lo + (hi-lo)/2
		d, err := f.dirBlock(n, mid)
		if err != nil {
			return dirent{}, err
		}
		first, err := d.name(0)
		if err != nil {
			return dirent{}, err
		}
		if string(first) > name {
			hi = mid
		} else {
			found, lo = d, mid+1
		}
	}
	if found == nil {
		return dirent{}, fs.ErrNotExist
	}
	return found.lookup(name)
}

func (d *dirBlock) lookup(name string) (dirent, error) {
	for lo, hi := 0, d.count; lo < hi; {
		mid := lo + (hi-lo)/2
		at, err := d.name(mid)
		if err != nil {
			return dirent{}, err
		}
		switch strings.Compare(string(at), name) {
		case 0:
			return d.entry(mid)
		case -1:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return dirent{}, fs.ErrNotExist
}

// list returns the entries of a directory, without "." and "..".
//
// In an image that lies, directories could contain each other, and a walk would
// not end or take time without bound. So a directory must be what its entries say:
// names ascend, "." is itself and ".." the one directory that it is in, and there
// it has one name. A walk then sees every directory once, and no two directories
// share their blocks.
func (f *FS) list(n *inode, parent int64) ([]dirent, error) {
	var all []dirent
	c := dirCheck{fs: f, n: n, parent: parent, below: make(map[int64]bool)}
	for k := int64(0); k<<f.blockBits < n.size; k++ {
		d, err := f.dirBlock(n, k)
		if err != nil {
			return nil, err
		}
		for i := range d.count {
			e, err := d.entry(i)
			if err == nil {
				err = c.check(d, i, e)
			}
			if err != nil {
				return nil, err
			}
			if e.name != "." && e.name != ".." {
				all = append(all, e)
			}
		}
	}
	if c.dots != 2 {
		return nil, f.inodeFault(n, "", 0, "the directory lacks \".\" or \"..\"")
	}
	return all, nil
}

type dirCheck struct {
	fs     *FS
	n      *inode
	parent int64
	last   string
	dots   int
	below  map[int64]bool // directories
}

func (c *dirCheck) check(d *dirBlock, i int, e dirent) error {
	if e.name <= c.last {
		return d.fault(i, "%q comes after %q", e.name, c.last)
	}
	c.last = e.name
	switch e.name {
	case ".", "..":
		c.dots++
		want := c.n.nid
		if e.name == ".." {
			want = c.parent
		}
		if e.nid != want {
			return d.fault(i, "%q is inode %d, not %d", e.name, e.nid, want)
		}
		return nil
	}
	if e.mode != unix.S_IFDIR {
		return nil
	}
	if e.nid == c.n.nid || c.below[e.nid] {
		return d.fault(i, "%q is inode %d, a directory that has another name already", e.name, e.nid)
	}
	c.below[e.nid] = true
	return nil
}

// open reads the inode of an entry.
func (f *FS) open(e dirent) (*inode, error) {
	n, err := f.inode(e.nid)
	if err == nil && n.mode&unix.S_IFMT != e.mode {
		err = f.inodeFault(n, "i_mode", 4, "0%o, of another type than in the directory (0%o)", n.mode, e.mode)
	}
	return n, err
}
