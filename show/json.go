package show

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// object appends the fields of JSON objects to a buffer. A comma is needed
// wherever the buffer does not end in an opening bracket, so that fields may be
// written in any nesting without keeping account of it.
type object struct{ *buffer }

func (o *object) comma() {
	if n := len(o.b); n > 0 {
		switch o.b[n-1] {
		case '{', '[', '\n', ':':
			return
		}
	}
	o.b = append(o.b, ',')
}

// key starts a field; it must be followed by its value.
func (o *object) key(k string) {
	o.comma()
	o.b = append(o.b, '"')
	o.b = append(o.b, k...)
	o.b = append(o.b, '"', ':')
}

// item starts a value: of a field, or of an array where the key is empty.
func (o *object) item(k string) {
	if k == "" {
		o.comma()
		return
	}
	o.key(k)
}

// open starts an object, as a field or, without a key, in an array.
func (o *object) open(k string) {
	o.item(k)
	o.b = append(o.b, '{')
}

// close ends it.
func (o *object) close() { o.b = append(o.b, '}') }

// list starts an array, as a field or, without a key, in an array.
func (o *object) list(k string) {
	o.item(k)
	o.b = append(o.b, '[')
}

// endList ends it.
func (o *object) endList() { o.b = append(o.b, ']') }

// str appends a string of ours, or one that is known to be text.
func (o *object) str(k, v string) {
	o.item(k)
	o.b = appendString(o.b, v)
}

// strs appends an array of strings.
func (o *object) strs(k string, v []string) {
	o.list(k)
	for _, s := range v {
		o.str("", s)
	}
	o.endList()
}

// name appends bytes from the file as a string. Where they are not UTF-8, what
// is not is replaced by U+FFFD, and a field named k_bytes holds all bytes in
// hexadecimal. In an array, where there is no such field, a wrong byte is
// written as in the text: \xff.
func (o *object) name(k string, v []byte) {
	o.item(k)
	if k == "" && !utf8.Valid(v) {
		o.b = appendString(o.b, string(appendName(nil, v)))
		return
	}
	o.b = appendString(o.b, v)
	if !utf8.Valid(v) {
		o.key(k + "_bytes")
		o.b = append(o.b, '"')
		o.b = hex.AppendEncode(o.b, v)
		o.b = append(o.b, '"')
	}
}

// names is name for a string.
func (o *object) names(k, v string) { o.name(k, []byte(v)) }

// bytes appends bytes as a string of hexadecimal digits.
func (o *object) bytes(k string, v []byte) {
	o.item(k)
	o.b = append(o.b, '"')
	o.b = hex.AppendEncode(o.b, v)
	o.b = append(o.b, '"')
}

// hex appends an address, offset, value or set of bits: "0x1f".
func (o *object) hex(k string, v uint64) {
	o.item(k)
	o.b = append(o.b, '"', '0', 'x')
	o.b = appendHex(o.b, v, 1)
	o.b = append(o.b, '"')
}

// shex appends an addend: "-0x8".
func (o *object) shex(k string, v int64) {
	if v >= 0 {
		o.hex(k, uint64(v))
		return
	}
	o.item(k)
	o.b = append(o.b, '"', '-', '0', 'x')
	o.b = appendHex(o.b, magnitude(v), 1)
	o.b = append(o.b, '"')
}

// maxExact is the highest number that every reader of JSON keeps: those that
// compute with doubles, among them jq before 1.7, round what is larger.
const maxExact = 1<<53 - 1

// num appends a size, count or index as a number. One that readers would round,
// which only a damaged file has, becomes a hexadecimal string.
func (o *object) num(k string, v uint64) {
	if v > maxExact {
		o.hex(k, v)
		return
	}
	o.item(k)
	o.b = strconv.AppendUint(o.b, v, 10)
}

// int appends a small signed number.
func (o *object) int(k string, v int64) {
	o.item(k)
	o.b = strconv.AppendInt(o.b, v, 10)
}

// bool appends true or false.
func (o *object) bool(k string, v bool) {
	o.item(k)
	o.b = strconv.AppendBool(o.b, v)
}

// raw appends a JSON document as a value if it is one, and says so.
func (o *object) raw(k string, v []byte) bool {
	if !json.Valid(v) || !utf8.Valid(v) {
		return false
	}
	o.item(k)
	o.b = append(o.b, bytes.TrimSpace(v)...)
	return true
}

// tableName appends the section that a table is, if it is one.
func (o *object) tableName(name string, index int) {
	if index >= 0 {
		o.num("section", uint64(index))
		o.names("name", name)
	}
}

// offset appends a place in the file, if it is one.
func (o *object) offset(off int64) {
	if off >= 0 {
		o.hex("offset", uint64(off))
	}
}

// appendString appends a JSON string; what is not UTF-8 becomes U+FFFD.
func appendString[T string | []byte](b []byte, s T) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		if c := s[i]; !plain[c] || c == '"' || c == '\\' {
			return append(appendQuoted(append(b, s[:i]...), string(s[i:])), '"')
		}
	}
	return append(append(b, s...), '"')
}

func appendQuoted(b []byte, s string) []byte {
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r == '\t':
			b = append(b, '\\', 't')
		case r < ' ' || r == 0x7f:
			b = append(b, '\\', 'u', '0', '0', digits[r>>4], digits[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}
