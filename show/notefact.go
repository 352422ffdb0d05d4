package show

import (
	"bytes"
	"fmt"

	"elfwright/elffile"
)

// fact is one thing that a descriptor or an attribute says: with a label for
// people and a key for programs. One without a label is for programs only, one
// without a key for people only: the same number in words, or several in a line.
type fact struct {
	key, label string
	form       factForm
	num        uint64
	str        string
}

type factForm uint8

const (
	factText  factForm = iota // str, from the file or of ours
	factDec                   // num
	factInt                   // num, signed
	factHex                   // num
	factBytes                 // str, as hexadecimal digits
)

// facts is a row of facts, each on its line.
type facts []fact

func (f facts) text(t *text) {
	for i := range f {
		e := &f[i]
		if e.label == "" {
			continue
		}
		t.str("    ")
		t.str(e.label)
		t.str(": ")
		switch e.form {
		case factText:
			t.names(e.str)
		case factDec:
			t.dec(e.num, 0)
		case factInt:
			t.int(int64(e.num))
		case factHex:
			t.zx(e.num)
		case factBytes:
			for i := range len(e.str) {
				t.hex(uint64(e.str[i]), 2)
			}
		}
		t.nl()
	}
}

func (f facts) json(o *object) {
	for i := range f {
		e := &f[i]
		if e.key == "" {
			continue
		}
		switch e.form {
		case factText:
			o.names(e.key, e.str)
		case factDec:
			o.num(e.key, e.num)
		case factInt:
			o.int(e.key, int64(e.num))
		case factHex:
			o.hex(e.key, e.num)
		case factBytes:
			o.bytes(e.key, []byte(e.str))
		}
	}
}

func textFact(key, label, s string) fact {
	return fact{key: key, label: label, form: factText, str: s}
}

func bytesFact(key, label string, b []byte) fact {
	return fact{key: key, label: label, form: factBytes, str: string(b)}
}

func decFact(key, label string, v uint64) fact {
	return fact{key: key, label: label, form: factDec, num: v}
}

func intFact(key, label string, v int64) fact {
	return fact{key: key, label: label, form: factInt, num: uint64(v)}
}

func hexFact(key, label string, v uint64) fact {
	return fact{key: key, label: label, form: factHex, num: v}
}

// fieldReader reads one field after another. It keeps its first fault; what is
// read after it is zero.
type fieldReader struct {
	elffile.Format
	b   []byte
	pos int
	err error
}

// take gives the next n bytes, or nil where there are fewer.
func (r *fieldReader) take(n int) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || n > len(r.b)-r.pos {
		r.err = fmt.Errorf("a field of %d bytes at 0x%x is past the end of the contents (0x%x)", n, r.pos, len(r.b))
		return nil
	}
	r.pos += n
	return r.b[r.pos-n : r.pos]
}

// left is how many bytes are still to be read.
func (r *fieldReader) left() int {
	if r.err != nil {
		return 0
	}
	return len(r.b) - r.pos
}

func (r *fieldReader) u8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *fieldReader) u16() uint16 {
	if b := r.take(2); b != nil {
		return r.U16(b)
	}
	return 0
}

func (r *fieldReader) u32() uint32 {
	if b := r.take(4); b != nil {
		return r.U32(b)
	}
	return 0
}

func (r *fieldReader) u64() uint64 {
	if b := r.take(8); b != nil {
		return r.U64(b)
	}
	return 0
}

// addr reads a number as wide as an address.
func (r *fieldReader) addr() uint64 {
	if b := r.take(r.AddrSize()); b != nil {
		return r.Addr(b)
	}
	return 0
}

// num reads a number of 1, 2, 4 or 8 bytes.
func (r *fieldReader) num(size int) uint64 {
	switch size {
	case 1:
		return uint64(r.u8())
	case 2:
		return uint64(r.u16())
	case 4:
		return uint64(r.u32())
	}
	return r.u64()
}

// str reads a string that ends with a NUL.
func (r *fieldReader) str() string {
	if r.err != nil {
		return ""
	}
	end := bytes.IndexByte(r.b[r.pos:], 0)
	if end < 0 {
		r.err = fmt.Errorf("the string at 0x%x does not end before the contents do (0x%x)", r.pos, len(r.b))
		return ""
	}
	s := string(r.b[r.pos : r.pos+end])
	r.pos += end + 1
	return s
}

// uleb reads a ULEB128 number (DWARF 5, section 7.6).
func (r *fieldReader) uleb() uint64 {
	var v uint64
	start := r.pos
	for shift := 0; ; shift += 7 {
		c := r.u8()
		if r.err != nil {
			return 0
		}
		if shift > 63 || shift == 63 && c > 1 {
			r.err = fmt.Errorf("the ULEB128 number at 0x%x has more than 64 bits", start)
			return 0
		}
		v |= uint64(c&0x7f) << shift
		if c&0x80 == 0 {
			return v
		}
	}
}

// cstring cuts a fixed array of characters at its first NUL.
func cstring(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}
