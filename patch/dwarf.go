package patch

import (
	"bytes"
	"debug/dwarf"
	"encoding/binary"
	"errors"
	"fmt"

	"elfwright/elffile"
)

// maxDebug is how large a compressed section of debugging information may be,
// which must be uncompressed in whole, and how large .debug_info may be where the
// types of one unit are in another.
const maxDebug = 256 << 20

// debug is the debugging information of a file. It is not decoded: a variable is
// found by the bytes of its address in .debug_info, which is read in pieces, and
// then the one unit that has them is decoded.
type debug struct {
	f     *elffile.File
	info  elffile.Data
	secs  map[string]elffile.Data
	types bool // there is .debug_types
}

// openDebug returns a file's debugging information, nil if it has none.
func openDebug(f *elffile.File) (*debug, error) {
	d := &debug{f: f, secs: make(map[string]elffile.Data)}
	for i := range f.Sections() {
		name := f.SectionName(i)
		switch short := debugName(name); short {
		case "info", "abbrev", "str", "str_offsets", "addr", "line_str":
			data, err := d.section(i)
			if err != nil {
				return nil, err
			}
			d.secs[short] = data
		case "types":
			d.types = true
		}
	}
	d.info = d.secs["info"]
	if d.info == nil || d.info.Size() == 0 || d.secs["abbrev"] == nil {
		return nil, nil
	}
	return d, nil
}

// debugName is a section's name without .debug_ or .zdebug_, or "".
func debugName(name string) string {
	for _, prefix := range []string{".debug_", ".zdebug_"} {
		if len(name) > len(prefix) && name[:len(prefix)] == prefix {
			return name[len(prefix):]
		}
	}
	return ""
}

// section returns the bytes of a section: a window, or a copy if it was
// compressed.
func (d *debug) section(i int) (elffile.Data, error) {
	s := &d.f.Sections()[i]
	_, packed, err := d.f.Compressed(i)
	if err != nil {
		return nil, err
	}
	if !packed {
		return fileWindow(d.f, s), nil
	}
	b, _, err := d.f.Uncompress(i, maxDebug)
	return elffile.Buffer(b), err
}

// A unit is one of .debug_info.
type unit struct {
	d          *debug
	off, end   int64 // of the header, of the unit
	body       int64 // of its first entry
	version    uint16
	is64       bool
	addrSize   int
	partial    bool // a skeleton: its entries are in a .dwo file
	data       *dwarf.Data
	r          *dwarf.Reader
	blank      []byte // zeros in place of .debug_str
	delta      int64  // added to an offset that debug/dwarf gives, for .debug_info
	whole      bool   // data is all of .debug_info
	addrBase   int64
	addrBaseOK bool
}

// units calls yield with every unit. A unit that is broken ends the walk.
func (d *debug) units(yield func(u *unit) bool) error {
	size := d.info.Size()
	for off := int64(0); off < size; {
		u, err := d.unitAt(off)
		if err != nil {
			return err
		}
		if !yield(u) {
			return nil
		}
		off = u.end
	}
	return nil
}

// unitAt reads a unit's header (DWARF 5, section 7.5.1).
func (d *debug) unitAt(off int64) (*unit, error) {
	var h [40]byte
	n, _ := elffile.Pread(d.info).ReadAt(h[:], off)
	order := d.f.Order()
	bad := func(format string, args ...any) error {
		return &elffile.Error{File: d.f.Name, Struct: ".debug_info", Field: "unit", Off: off, Msg: fmt.Sprintf(format, args...)}
	}
	u := &unit{d: d, off: off, addrSize: d.f.AddrSize()}
	size, at := uint64(order.Uint32(h[:])), int64(4)
	if size == 0xffffffff {
		u.is64, size, at = true, order.Uint64(h[4:]), 12
	}
	if n < 12 || size > uint64(d.info.Size()-off-min(at, int64(n))) || size < 7 {
		return nil, bad("unit_length 0x%x is not within the section (0x%x)", size, d.info.Size())
	}
	u.end = off + at + int64(size)
	u.version = order.Uint16(h[at:])
	at += 2
	word := int64(4)
	if u.is64 {
		word = 8
	}
	switch {
	case u.version < 2 || u.version > 5:
		return nil, bad("DWARF version %d is not one of 2 to 5", u.version)
	case u.version < 5:
		u.body = off + at + word + 1
	default:
		kind := h[at]
		u.partial = kind == 4 || kind == 5 // DW_UT_skeleton, DW_UT_split_compile
		u.body = off + at + 2 + word
		switch kind {
		case 2, 6: // DW_UT_type, DW_UT_split_type
			u.body += 8 + word
		case 4, 5:
			u.body += 8
		}
	}
	return u, nil
}

// A location is how an entry may say where a variable is (DWARF 5, section 2.6):
// its bytes, without those that only thread-local variables have at the end.
func (d *debug) locations(addr uint64, tls bool) [][]byte {
	n := d.f.AddrSize()
	word := make([]byte, n)
	d.f.PutAddr(word, addr)
	list := [][]byte{append([]byte{0x03}, word...)} // DW_OP_addr
	if tls {
		op := byte(0x0e) // DW_OP_const8u
		if n == 4 {
			op = 0x0c // DW_OP_const4u
		}
		list = append(list, append([]byte{op}, word...))
	}
	return list
}

// indexed returns where in .debug_addr an address stands.
func (d *debug) indexed(addr uint64) ([]int64, error) {
	data := d.secs["addr"]
	if data == nil {
		return nil, nil
	}
	n := d.f.AddrSize()
	word := make([]byte, n)
	d.f.PutAddr(word, addr)
	var found []int64
	err := chunks(data, n-1, func(pos int64, b []byte) bool {
		for at := 0; ; at++ {
			k := bytes.Index(b[at:], word)
			if k < 0 || at+k >= pieces {
				break
			}
			at += k
			found = append(found, pos+int64(at))
		}
		return len(found) < 1<<16
	})
	return found, err
}

// errSplit says why types of a program are not to be had.
var errSplit = errors.New("its debugging information is in .dwo files (-gsplit-dwarf), which are not read; give the value a type, such as :u32")

// variable returns the type of the variable at an address, or nil if no entry has
// it. For a thread-local variable the address is an offset.
func (d *debug) variable(addr uint64, tls bool) (*typ, error) {
	plain := d.locations(addr, tls)
	places, err := d.indexed(addr)
	if err != nil {
		return nil, err
	}
	var found *typ
	var fault error
	split := false
	err = d.units(func(u *unit) bool {
		split = split || u.partial
		want := plain
		if len(places) > 0 {
			want = append(want[:len(want):len(want)], u.indexes(places)...)
		}
		hit := u.has(want)
		if !hit {
			return true
		}
		found, fault = u.variable(want)
		return found == nil && fault == nil
	})
	switch {
	case fault != nil || err != nil:
		return nil, errors.Join(fault, err)
	case found == nil && split:
		return nil, errSplit
	}
	return found, nil
}

// indexes are the locations of addresses that stand in .debug_addr.
func (u *unit) indexes(places []int64) [][]byte {
	base, ok := u.addressBase()
	if !ok {
		return nil
	}
	var list [][]byte
	for _, p := range places {
		if i := p - base; i >= 0 && i%int64(u.addrSize) == 0 {
			list = append(list, binary.AppendUvarint([]byte{0xa1}, uint64(i)/uint64(u.addrSize))) // DW_OP_addrx
		}
	}
	return list
}

// has says whether one of the byte strings is in the unit.
func (u *unit) has(want [][]byte) bool {
	longest := 0
	for _, w := range want {
		longest = max(longest, len(w))
	}
	hit := false
	err := chunks(elffile.Slice(u.d.info, u.off, u.end-u.off), longest-1, func(_ int64, b []byte) bool {
		for _, w := range want {
			hit = hit || bytes.Contains(b, w)
		}
		return !hit
	})
	return hit && err == nil
}

// maxEntries bounds the entries of one unit that are looked at. The largest unit
// of a browser or a compiler has some million.
const maxEntries = 1 << 25

// variable looks for the entry of a variable with one of these locations.
func (u *unit) variable(want [][]byte) (*typ, error) {
	crossing, err := u.refersAway()
	if err != nil {
		return nil, err
	}
	if err := u.open(crossing, false); err != nil {
		return nil, err
	}
	defer func() {
		if u.blank != nil {
			u.close()
		}
	}()
	u.r.Seek(dwarf.Offset(u.body - u.delta))
	for range maxEntries {
		e, err := u.r.Next()
		if err != nil {
			return nil, fmt.Errorf("%s: .debug_info: %w", u.d.f.Name, err)
		}
		if e == nil || int64(e.Offset)+u.delta >= u.end {
			break
		}
		if e.Tag != dwarf.TagVariable && e.Tag != dwarf.TagConstant && e.Tag != dwarf.TagMember {
			continue
		}
		loc, _ := e.Val(dwarf.AttrLocation).([]byte)
		if !located(loc, want) {
			continue
		}
		off, err := u.typeOf(e)
		if err != nil || off == nil {
			return nil, err
		}
		if err := u.open(crossing, true); err != nil {
			return nil, err
		}
		return u.typ(*off, 0)
	}
	return nil, nil
}

// located says whether a location is one of these, with what may follow for a
// thread-local variable: DW_OP_form_tls_address, DW_OP_GNU_push_tls_address.
func located(loc []byte, want [][]byte) bool {
	for _, w := range want {
		if rest, ok := bytes.CutPrefix(loc, w); ok && (len(rest) == 0 || len(rest) == 1 && (rest[0] == 0x9b || rest[0] == 0xe0)) {
			return true
		}
	}
	return false
}

// typeOf returns where an entry's type is, also if another entry that it
// completes has it.
func (u *unit) typeOf(e *dwarf.Entry) (*dwarf.Offset, error) {
	for range 8 {
		if f := e.AttrField(dwarf.AttrType); f != nil {
			off, err := u.ref(f)
			return &off, err
		}
		var f *dwarf.Field
		for _, a := range []dwarf.Attr{dwarf.AttrSpecification, dwarf.AttrAbstractOrigin} {
			if f == nil {
				f = e.AttrField(a)
			}
		}
		if f == nil {
			return nil, nil
		}
		off, err := u.ref(f)
		if err != nil {
			return nil, err
		}
		if e, err = u.entry(off); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
