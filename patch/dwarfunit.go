package patch

import (
	"bufio"
	"debug/dwarf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
)

// addressBase is DW_AT_addr_base, which the unit's first entry has.
func (u *unit) addressBase() (int64, bool) {
	const attrAddrBase = dwarf.Attr(0x73)
	if u.version < 5 || u.partial {
		return 0, false
	}
	if !u.addrBaseOK {
		u.addrBaseOK, u.addrBase = true, -1
		if err := u.open(false, false); err != nil {
			return 0, false
		}
		if e, err := u.r.Next(); err == nil && e != nil {
			if v, ok := e.Val(attrAddrBase).(int64); ok {
				u.addrBase = v
			}
		}
		u.close() // of most units no more is wanted
	}
	return u.addrBase, u.addrBase >= 0
}

// open gives a unit to debug/dwarf: alone, or with all others where its entries
// refer to theirs. Without names every string is empty: to look through a unit
// would touch most pages of .debug_str, and zeros of the kernel that are only read
// cost nothing.
func (u *unit) open(whole, names bool) error {
	from, n := u.off, u.end-u.off
	if whole {
		if from, n = 0, u.d.info.Size(); n > maxDebug {
			return fmt.Errorf("%s: types of one unit of .debug_info are in another, and 0x%x bytes are more than are decoded in whole (0x%x); give the value a type, such as :u32", u.d.f.Name, n, maxDebug)
		}
	}
	info, err := elffile.Bytes(elffile.Slice(u.d.info, from, n))
	if err != nil {
		return err
	}
	get := func(name string) []byte {
		if d := u.d.secs[name]; d != nil && err == nil {
			var b []byte
			b, err = elffile.Bytes(d)
			return b
		}
		return nil
	}
	u.close()
	str := get("str")
	if !names && len(str) > 0 {
		if str, err = unix.Mmap(-1, 0, len(str), unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE); err != nil {
			return fmt.Errorf("%s: .debug_str: mmap: %w", u.d.f.Name, err)
		}
		u.blank = str
	}
	data, derr := dwarf.New(get("abbrev"), nil, nil, info, nil, nil, nil, str)
	if err := errors.Join(err, derr); err != nil {
		return fmt.Errorf("%s: .debug_info: %w", u.d.f.Name, err)
	}
	for _, name := range []string{"addr", "line_str", "str_offsets"} {
		if b := get(name); b != nil {
			if err := data.AddSection(".debug_"+name, b); err != nil {
				return fmt.Errorf("%s: .debug_%s: %w", u.d.f.Name, name, err)
			}
		}
	}
	u.data, u.r, u.whole, u.delta = data, data.Reader(), whole, from
	return nil
}

// close gives back what open took.
func (u *unit) close() {
	if u.blank != nil {
		unix.Munmap(u.blank)
	}
	u.data, u.r, u.blank = nil, nil, nil
}

// refersAway says whether entries of the unit may refer to those of others: its
// abbreviations have DW_FORM_ref_addr. debug/dwarf does not tell such a reference
// from one within the unit.
func (u *unit) refersAway() (bool, error) {
	var h [8]byte
	word, at := int64(4), u.off+6 // after unit_length and version
	if u.is64 {
		word, at = 8, u.off+14
	}
	if u.version >= 5 {
		at += 2
	}
	if _, err := elffile.Pread(u.d.info).ReadAt(h[:word], at); err != nil {
		return false, err
	}
	off := uint64(u.d.f.U32(h[:]))
	if u.is64 {
		off = u.d.f.U64(h[:])
	}
	table := u.d.secs["abbrev"]
	if off >= uint64(table.Size()) {
		return false, fmt.Errorf("%s: .debug_info: the unit at 0x%x has its abbreviations at 0x%x, past the end of .debug_abbrev (0x%x)", u.d.f.Name, u.off, off, table.Size())
	}
	r := bufio.NewReader(io.NewSectionReader(table, int64(off), table.Size()-int64(off)))
	return formUsed(r, 0x10) // DW_FORM_ref_addr
}

// formUsed walks over a table of abbreviations (DWARF 5, section 7.5.3).
func formUsed(r *bufio.Reader, want uint64) (bool, error) {
	for {
		code, err := binary.ReadUvarint(r)
		if err != nil || code == 0 {
			return false, err
		}
		if _, err := binary.ReadUvarint(r); err != nil { // the tag
			return false, err
		}
		if _, err := r.ReadByte(); err != nil { // whether there are children
			return false, err
		}
		for {
			attr, err1 := binary.ReadUvarint(r)
			form, err2 := binary.ReadUvarint(r)
			if err := errors.Join(err1, err2); err != nil {
				return false, err
			}
			if attr == 0 && form == 0 {
				break
			}
			if form == want {
				return true, nil
			}
			if form == 0x21 { // DW_FORM_implicit_const: a number of the same shape follows
				if _, err := binary.ReadUvarint(r); err != nil {
					return false, err
				}
			}
		}
	}
}
