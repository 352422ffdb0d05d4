package show

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// text appends text to a buffer: numbers in columns, names escaped. Everything
// here is on the path of tables with hundreds of thousands of rows: no
// allocation, no reflection.
type text struct {
	*buffer
	colour bool
}

const spaces = "                                                                "

const digits = "0123456789abcdef"

// str appends a string of our own.
func (t *text) str(s string) { t.b = append(t.b, s...) }

// nl ends a line.
func (t *text) nl() {
	t.b = append(t.b, '\n')
	t.line = len(t.b)
}

// space appends n spaces.
func (t *text) space(n int) {
	for ; n > len(spaces); n -= len(spaces) {
		t.b = append(t.b, spaces...)
	}
	if n > 0 {
		t.b = append(t.b, spaces[:n]...)
	}
}

// left appends s and spaces up to a width.
func (t *text) left(s string, width int) {
	t.b = append(t.b, s...)
	t.space(width - len(s))
}

// right appends s behind spaces up to a width.
func (t *text) right(s string, width int) {
	t.space(width - len(s))
	t.b = append(t.b, s...)
}

// dec appends a decimal number, at the right of a column.
func (t *text) dec(v uint64, width int) {
	var d [20]byte
	i := len(d)
	for {
		i--
		d[i] = byte('0' + v%10)
		if v /= 10; v == 0 {
			break
		}
	}
	t.space(width - (len(d) - i))
	t.b = append(t.b, d[i:]...)
}

// count appends how many there are of something.
func (t *text) count(n int, one, many string) {
	t.dec(uint64(n), 0)
	t.str(" ")
	if n == 1 {
		t.str(one)
	} else {
		t.str(many)
	}
}

// padded is s with spaces up to a width.
func padded(s string, width int) string {
	if len(s) >= width {
		return s
	}
	return s + strings.Repeat(" ", width-len(s))
}

// hexString and decString are numbers for places that are not hot.
func hexString(v uint64) string { return strconv.FormatUint(v, 16) }
func decString(v uint64) string { return strconv.FormatUint(v, 10) }

// int appends a signed decimal number.
func (t *text) int(v int64) { t.b = strconv.AppendInt(t.b, v, 10) }

// hex appends a hexadecimal number of at least so many digits, zeros in front.
func (t *text) hex(v uint64, width int) { t.b = appendHex(t.b, v, width) }

// appendHex is hex for any slice.
func appendHex(b []byte, v uint64, width int) []byte {
	var d [16]byte
	i := len(d)
	for v != 0 {
		i--
		d[i] = digits[v&15]
		v >>= 4
	}
	for len(d)-i < width && i > 0 {
		i--
		d[i] = '0'
	}
	if i == len(d) {
		i--
		d[i] = '0'
	}
	return append(b, d[i:]...)
}

// zx appends 0x and a hexadecimal number.
func (t *text) zx(v uint64) {
	t.b = append(t.b, "0x"...)
	t.hex(v, 1)
}

// shex appends a signed number in hexadecimal with 0x: -0x8.
func (t *text) shex(v int64) {
	if v < 0 {
		t.b = append(t.b, '-')
	}
	t.zx(magnitude(v))
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

// name appends bytes from the file, with what cannot be printed escaped.
func (t *text) name(s []byte) { t.b = appendName(t.b, s) }

// names appends a string from the file, as name does.
func (t *text) names(s string) { t.b = appendName(t.b, s) }

// column appends spaces up to a column of the line, at least one.
func (t *text) column(n int) {
	have := utf8.RuneCount(t.b[t.line:])
	t.space(max(1, n-have))
}

// plain says for each byte whether it is printed as it is.
var plain = func() (p [256]bool) {
	for c := ' '; c < 0x7f; c++ {
		p[c] = true
	}
	return p
}()

// appendName appends bytes from a file. A control character and what is no
// UTF-8 is written as \x and two digits, what Unicode counts among the
// unprintable as \u or \U: no name moves the cursor or ends the line.
func appendName[T string | []byte](b []byte, s T) []byte {
	for i := 0; i < len(s); i++ {
		if !plain[s[i]] {
			return appendEscaped(append(b, s[:i]...), string(s[i:]))
		}
	}
	return append(b, s...)
}

func appendEscaped(b []byte, s string) []byte {
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r < 0x80 && plain[r], r >= 0x80 && !(r == utf8.RuneError && n == 1) && unicode.IsPrint(r):
			b = append(b, s[:n]...)
		case r < 0x80 || n == 1:
			b = append(b, '\\', 'x', digits[s[0]>>4], digits[s[0]&15])
		default:
			q := strconv.QuoteRuneToASCII(r)
			b = append(b, q[1:len(q)-1]...)
		}
		s = s[n:]
	}
	return b
}

// The escape sequences of ECMA-48, select graphic rendition.
const (
	bold = "\x1b[1m"
	dim  = "\x1b[2m"
	off  = "\x1b[0m"
)

// title appends a table's title: words of ours, and a name from outside.
func (t *text) title(words, name string) {
	if t.colour {
		t.str(bold)
	}
	t.str(words)
	t.names(name)
	if t.colour {
		t.str(off)
	}
}

// heads appends a line of column heads.
func (t *text) heads(s string) {
	if t.colour {
		t.str(dim)
	}
	t.str(s)
	if t.colour {
		t.str(off)
	}
	t.nl()
}
