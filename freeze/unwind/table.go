package unwind

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Encodings of pointers (LSB, "DWARF Exception Header Encoding").
const (
	encAbs      = 0x00
	encUdata2   = 0x02
	encUdata4   = 0x03
	encUdata8   = 0x04
	encSdata2   = 0x0a
	encSdata4   = 0x0b
	encSdata8   = 0x0c
	encPC       = 0x10
	encData     = 0x30
	encIndirect = 0x80
	encOmit     = 0xff
)

var errNone = errors.New("no table tells of this address")

// fde is what the tables say of a function.
type fde struct {
	start, size uint64
	code        []byte // instructions of the function
	cie
}

// cie is what many functions share.
type cie struct {
	initial   []byte // instructions
	codeAlign uint64
	dataAlign int64
	ra        uint64
	pointers  byte // how addresses are written
	augmented bool // an FDE has a length of augmentation data
	signal    bool // the "function" is the frame of a signal
}

const maxEntry = 1 << 16 // bytes of an entry of .eh_frame: the largest seen have a few hundred

// find looks an address up in an index: a sorted table of pairs, the start
// of a function and its FDE, both 4 bytes relative to the index.
func (u *Unwinder) find(t Table, pc uint64) (*fde, error) {
	hdr, size := t.Addr, t.Size
	if size < 12 {
		return nil, errNone
	}
	var head [20]byte
	n, _ := u.Mem.ReadAt(head[:min(uint64(len(head)), size)], int64(hdr))
	if n < 12 || head[0] != 1 || head[2] == encOmit || head[3] != encData|encSdata4 {
		return nil, errNone
	}
	r := &reader{b: head[:n], at: hdr}
	r.pos = 4
	r.pointer(head[1], hdr)
	count := r.pointer(head[2], hdr)
	table := hdr + uint64(r.pos)
	if r.err != nil || count > (size-uint64(r.pos))/8 {
		return nil, errNone
	}
	entry := func(i uint64) (fn, fde uint64, err error) {
		w, err := u.word(table + 8*i)
		return hdr + uint64(int64(int32(w))), hdr + uint64(int64(int32(w>>32))), err
	}
	low, high := uint64(0), count // the entry is the last one that starts at pc or before
	for low < high {
		mid := low + (high-low)/2
		fn, _, err := entry(mid)
		if err != nil {
			return nil, err
		}
		if fn <= pc {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low == 0 {
		return nil, errNone
	}
	_, at, err := entry(low - 1)
	if err != nil {
		return nil, err
	}
	f, err := u.fde(at)
	if err != nil {
		return nil, err
	}
	if pc < f.start || pc-f.start >= f.size {
		return nil, errNone
	}
	return f, nil
}

// entry reads an entry of .eh_frame without its length, which is 4 bytes before the
// address that is returned.
func (u *Unwinder) entry(at uint64) ([]byte, uint64, error) {
	var l [4]byte
	if n, err := u.Mem.ReadAt(l[:], int64(at)); n < len(l) {
		return nil, 0, fmt.Errorf(".eh_frame at 0x%x: %w", at, err)
	}
	size := binary.LittleEndian.Uint32(l[:])
	if size < 4 || size > maxEntry {
		return nil, 0, fmt.Errorf(".eh_frame at 0x%x: an entry of 0x%x bytes", at, size)
	}
	b := make([]byte, size)
	if n, err := u.Mem.ReadAt(b, int64(at+4)); n < len(b) {
		return nil, 0, fmt.Errorf(".eh_frame at 0x%x: %w", at, err)
	}
	return b, at + 4, nil
}

func (u *Unwinder) fde(at uint64) (*fde, error) {
	b, start, err := u.entry(at)
	if err != nil {
		return nil, err
	}
	back := binary.LittleEndian.Uint32(b)
	if back == 0 {
		return nil, fmt.Errorf(".eh_frame at 0x%x: the index points to a CIE", at)
	}
	f := new(fde)
	if f.cie, err = u.cie(start - uint64(back)); err != nil {
		return nil, err
	}
	r := &reader{b: b, at: start, pos: 4}
	f.start = r.pointer(f.pointers, 0)
	f.size = r.pointer(f.pointers&0x0f, 0)
	if f.augmented {
		r.skip(r.uleb())
	}
	if r.err != nil {
		return nil, fmt.Errorf(".eh_frame, FDE at 0x%x: %w", at, r.err)
	}
	f.code = b[r.pos:]
	return f, nil
}

func (u *Unwinder) cie(at uint64) (c cie, err error) {
	b, start, err := u.entry(at)
	if err != nil {
		return c, err
	}
	r := &reader{b: b, at: start}
	if id := r.u32(); id != 0 {
		return c, fmt.Errorf(".eh_frame at 0x%x: 0x%x is not the mark of a CIE", at, id)
	}
	version := r.u8()
	augmentation := r.text()
	if version != 1 && version != 3 {
		return c, fmt.Errorf(".eh_frame, CIE at 0x%x: version %d", at, version)
	}
	c.codeAlign, c.dataAlign = r.uleb(), r.sleb()
	if version == 1 {
		c.ra = uint64(r.u8())
	} else {
		c.ra = r.uleb()
	}
	end := -1
	for _, a := range augmentation {
		switch a {
		case 'z':
			c.augmented = true
			n := r.uleb()
			if n > uint64(len(b)-r.pos) {
				r.fail()
				n = 0
			}
			end = r.pos + int(n)
		case 'R':
			c.pointers = r.u8()
		case 'P':
			r.pointer(r.u8()&^encIndirect, 0)
		case 'L':
			r.u8()
		case 'S':
			c.signal = true
		case 'B': // AArch64: return addresses are signed with key B
		default:
			if end < 0 {
				return c, fmt.Errorf(".eh_frame, CIE at 0x%x: augmentation %q", at, augmentation)
			}
		}
	}
	if end >= 0 {
		r.pos = end
	}
	if r.err != nil || c.ra >= maxRegs {
		return c, fmt.Errorf(".eh_frame, CIE at 0x%x: is cut off, or has return column %d", at, c.ra)
	}
	c.initial = b[r.pos:]
	return c, nil
}

// reader reads the numbers of tables. Behind the end all are zero.
type reader struct {
	b   []byte
	pos int
	at  uint64 // address of b
	err error
}

var errEnd = errors.New("ends too early")

func (r *reader) fail() { r.err = errEnd }

func (r *reader) take(n int) []byte {
	if r.err != nil || n > len(r.b)-r.pos {
		r.fail()
		return make([]byte, 8)
	}
	b := r.b[r.pos : r.pos+n]
	r.pos += n
	return b
}

func (r *reader) skip(n uint64) {
	if n > uint64(len(r.b)-r.pos) {
		r.fail()
		return
	}
	r.pos += int(n)
}

func (r *reader) u8() byte    { return r.take(1)[0] }
func (r *reader) u16() uint16 { return binary.LittleEndian.Uint16(r.take(2)) }
func (r *reader) u32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *reader) u64() uint64 { return binary.LittleEndian.Uint64(r.take(8)) }

// more says whether there is something left.
func (r *reader) more() bool { return r.err == nil && r.pos < len(r.b) }

func (r *reader) uleb() (v uint64) {
	for shift := 0; shift < 70; shift += 7 {
		c := r.u8()
		v |= uint64(c&0x7f) << shift
		if c&0x80 == 0 {
			break
		}
	}
	return v
}

func (r *reader) sleb() (v int64) {
	shift := 0
	for shift < 70 {
		c := r.u8()
		v |= int64(c&0x7f) << shift
		shift += 7
		if c&0x80 == 0 {
			if c&0x40 != 0 && shift < 64 {
				v |= -1 << shift
			}
			break
		}
	}
	return v
}

func (r *reader) text() string {
	for i := r.pos; i < len(r.b); i++ {
		if r.b[i] == 0 {
			s := string(r.b[r.pos:i])
			r.pos = i + 1
			return s
		}
	}
	r.fail()
	return ""
}

// pointer reads an address in an encoding; data is what those relative to data are
// relative to.
func (r *reader) pointer(enc byte, data uint64) (v uint64) {
	base := uint64(0)
	switch enc & 0x70 {
	case encAbs:
	case encPC:
		base = r.at + uint64(r.pos)
	case encData:
		base = data
	default:
		r.fail()
	}
	switch enc & 0x0f {
	case encAbs, encUdata8, encSdata8:
		v = r.u64()
	case encUdata2:
		v = uint64(r.u16())
	case encSdata2:
		v = uint64(int64(int16(r.u16())))
	case encUdata4:
		v = uint64(r.u32())
	case encSdata4:
		v = uint64(int64(int32(r.u32())))
	default:
		r.fail()
	}
	return v + base
}
