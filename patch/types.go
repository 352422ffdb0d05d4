package patch

import (
	"debug/dwarf"
	"fmt"
	"strconv"
	"strings"
)

// class is what kind of values a type has.
type class int

const (
	integer class = iota
	floating
	boolean
	enumeration
	pointer
	array
	structure // a union, too
	text      // NUL-terminated
	chars     // text without need for a NUL
	raw       // bytes
	other     // what has no value that could be written here
)

// A typ is the type of a place: as far as it matters for writing there.
type typ struct {
	class  class
	name   string
	size   uint64 // in bytes; of text, chars and raw 0: as much as there is
	signed bool
	loose  bool // an integer of which nobody said whether it is signed
	char   bool // C's char, whose sign is the machine's choice

	elem    *typ // of an array
	count   uint64
	counted bool // count is known

	fields []field
	enums  []enumerator
	why    string // other: why nothing can be written
	off    dwarf.Offset
	unit   *unit // that has off, for what is looked up when asked for
}

// A field is a member of a structure.
type field struct {
	name   string
	off    uint64
	typ    dwarf.Offset
	bits   uint64 // of a bit-field; 0: it is none
	bitOff uint64 // from the start of the structure: the lowest bit in little endian, the highest in big endian
	base   bool   // a base class, whose members are found as if they were here
	why    string // why it cannot be reached
}

type enumerator struct {
	name  string
	value int64
}

// typeWords are the types that have a name of their own on the command line.
const typeWords = "u8, u16, u32, u64 (or any multiple of 8 bits up to 512), i8 … i64, f32, f64, bool, ptr, str, chars or bytes"

// parseType returns the type of a word; word is the size of an address.
func parseType(s string, word int) (*typ, error) {
	switch s {
	case "f32", "float":
		return &typ{class: floating, name: s, size: 4}, nil
	case "f64", "double":
		return &typ{class: floating, name: s, size: 8}, nil
	case "bool":
		return &typ{class: boolean, name: s, size: 1}, nil
	case "ptr":
		return &typ{class: pointer, name: s, size: uint64(word)}, nil
	case "str":
		return &typ{class: text, name: s}, nil
	case "chars":
		return &typ{class: chars, name: s}, nil
	case "bytes":
		return &typ{class: raw, name: s}, nil
	}
	if len(s) > 1 && strings.IndexByte("uis", s[0]) >= 0 {
		if n, err := strconv.ParseUint(s[1:], 10, 16); err == nil && n > 0 && n%8 == 0 && n <= 512 && s[1] != '0' {
			return &typ{class: integer, name: s, size: n / 8, signed: s[0] != 'u'}, nil
		}
	}
	return nil, fmt.Errorf("%q is no type: want %s", s, typeWords)
}

// looseInt is an integer of which only the size is known.
func looseInt(size uint64) *typ {
	return &typ{class: integer, name: fmt.Sprintf("integer of %d bytes", size), size: size, loose: true}
}
