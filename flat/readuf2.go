package flat

import (
	"encoding/binary"
	"fmt"
	"io"

	"elfwright/elffile"
)

// A uf2Reader knows which blocks are there.
type uf2Reader struct {
	*reader
	seen     []uint64 // a bit for each block number
	total    uint32
	kept     int
	families map[uint32]int // blocks of each; 0: those that say none
	skipped  int            // not for the flash
	others   int            // of another family than asked for
}

// uf2 reads the blocks of a UF2 file, of one family.
func (r *reader) uf2() error {
	size := r.data.Size()
	if size%uf2Block != 0 {
		return &elffile.Error{File: r.File, Off: -1, Msg: fmt.Sprintf("0x%x bytes are no multiple of a UF2 block (%d)", size, uf2Block)}
	}
	u := &uf2Reader{reader: r, families: map[uint32]int{}}
	buf := make([]byte, 128*uf2Block)
	for off := int64(0); off < size; {
		n := min(size-off, int64(len(buf)))
		if m, err := r.data.ReadAt(buf[:n], off); int64(m) < n {
			return fmt.Errorf("%s: read at 0x%x: %w", r.File, off, noEOF(err))
		}
		for k := int64(0); k < n; k += uf2Block {
			if err := u.block(buf[k:k+uf2Block], off+k); err != nil {
				return err
			}
		}
		off += n
	}
	return u.complete()
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// block takes one block, at an offset of the file.
func (u *uf2Reader) block(b []byte, off int64) error {
	index := off / uf2Block
	word := func(at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }
	fault := func(field string, at int64, format string, args ...any) error {
		return &elffile.Error{File: u.File, Struct: fmt.Sprintf("UF2 block %d", index), Field: field, Off: off + at, Msg: fmt.Sprintf(format, args...)}
	}
	for _, m := range []struct {
		name string
		at   int
		want uint32
	}{{"magicStart0", 0, uf2Magic0}, {"magicStart1", 4, uf2Magic1}, {"magicEnd", uf2Block - 4, uf2MagicEnd}} {
		if got := word(m.at); got != m.want {
			return fault(m.name, int64(m.at), "0x%x is not 0x%x", got, m.want)
		}
	}
	flags, addr, n, number, total, family := word(8), word(12), word(16), word(20), word(24), word(28)
	room := uint32(uf2Data)
	if flags&uf2MD5 != 0 {
		room -= 24
	}
	switch {
	case flags&uf2Container != 0:
		return fault("flags", 8, "0x%x: the block is a part of a file, not of memory", flags)
	case n > room:
		return fault("payloadSize", 16, "%d is more than a block has room for (%d)", n, room)
	case uint64(addr)+uint64(n) > 1<<32:
		return fault("targetAddr", 12, "0x%x + payloadSize %d is beyond 32 bits", addr, n)
	case number >= total:
		return fault("blockNo", 20, "%d is not below numBlocks (%d)", number, total)
	}
	if flags&uf2Family == 0 {
		family = 0
	}
	if u.families[family]++; len(u.families) > 16 {
		return fault("familyID", 28, "0x%x is the 17th family in one file", family)
	}
	if u.opt.Family != 0 && family != u.opt.Family {
		return nil
	}
	if err := u.count(number, total, fault); err != nil {
		return err
	}
	u.Family = family
	if flags&uf2NotMain != 0 {
		u.skipped++
		return nil
	}
	return u.add(uint64(addr), b[uf2Header:uf2Header+n], func() string { return fmt.Sprintf("UF2 block %d", index) })
}

// count notes that a block is there.
func (u *uf2Reader) count(number, total uint32, fault func(field string, at int64, format string, args ...any) error) error {
	blocks := uint64(u.data.Size() / uf2Block)
	switch {
	case uint64(total) > blocks:
		return fault("numBlocks", 24, "%d is more than the file has (%d)", total, blocks)
	case u.kept > 0 && total != u.total:
		return fault("numBlocks", 24, "%d, and %d in the block before", total, u.total)
	case u.kept == 0:
		u.total, u.seen = total, make([]uint64, total/64+1)
	}
	if u.seen[number/64]>>(number%64)&1 != 0 {
		return fault("blockNo", 20, "%d is there a second time", number)
	}
	u.seen[number/64] |= 1 << (number % 64)
	u.kept++
	return nil
}

// complete checks that all blocks were there.
func (u *uf2Reader) complete() error {
	refuse := func(format string, args ...any) error { return &Refusal{u.File, fmt.Sprintf(format, args...)} }
	if u.opt.Family == 0 && len(u.families) > 1 {
		return refuse("its blocks are of %d families; name one with --family", len(u.families))
	}
	if u.kept == 0 {
		return refuse("there is no block of family 0x%x", u.opt.Family)
	}
	if uint32(u.kept) != u.total {
		return refuse("there are %d of %d blocks", u.kept, u.total)
	}
	if u.skipped > 0 {
		u.warn("not-main-flash", "%d blocks are not for the main flash, and are left out", u.skipped)
	}
	for id, n := range u.families {
		if u.opt.Family != 0 && id != u.opt.Family {
			u.others += n
		}
	}
	if u.others > 0 {
		u.warn("other-family", "%d blocks are of other families, and are left out", u.others)
	}
	return nil
}

func (c *Contents) warn(code, format string, args ...any) {
	c.Warnings = append(c.Warnings, Warning{code, fmt.Sprintf(format, args...)})
}
