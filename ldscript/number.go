package ldscript

import (
	"math"
	"strings"
)

// scanNumber reads the number that s begins with; its end is 0 if there is none.
//
// In expressions a number may be $FF or 0FFh, with a letter at the end for its
// base: h or x, b, o, d. That letter can be the last digit of a hexadecimal
// number as well, and so "add" is a number in GNU ld, whose value is what its
// digits are before the first that is none in base ten: 0.
func scanNumber(s string, m mode) token {
	if m == modeWild || m == modeFiles {
		return token{}
	}
	plain := scanPlain(s)
	if m != modeExpr {
		return plain
	}
	if based := scanBased(s); based.end > plain.end {
		return based
	}
	return plain
}

// scanPlain reads 10, 010, 0x10 or $10, with K or M behind.
func scanPlain(s string) token {
	digits, base, start := s, uint64(10), 0
	switch {
	case s[0] == '$':
		base, start = 16, 1
	case s[0] == '0' && len(s) > 2 && s[1]|0x20 == 'x' && classes[s[2]]&chHex != 0:
		base, start = 16, 2
	case s[0] == '0':
		base = 8
	}
	class := uint16(chDigit)
	if base == 16 {
		class = chHex
	}
	digits = run(s[start:], class, class)
	if digits == "" {
		return token{}
	}
	t := token{kind: tokNumber, value: digitsValue(digits, base), end: start + len(digits)}
	if t.end < len(s) {
		switch s[t.end] | 0x20 {
		case 'k':
			t.value, t.end = t.value<<10, t.end+1
		case 'm':
			t.value, t.end = t.value<<20, t.end+1
		}
	}
	return t
}

// scanBased reads the longest run of hexadecimal digits with a letter behind
// that names the base.
func scanBased(s string) token {
	digits := run(s, chHex, chHex)
	if digits == "" {
		return token{}
	}
	end := len(digits) // where the letter is
	if end == len(s) || strings.IndexByte("hHxXoO", s[end]) < 0 {
		// The last of the digits that can be the letter.
		end = strings.LastIndexAny(digits, "bBdD")
	}
	if end <= 0 {
		return token{}
	}
	base := uint64(10)
	switch s[end] | 0x20 {
	case 'h', 'x':
		base = 16
	case 'o':
		base = 8
	case 'b':
		base = 2
	}
	return token{kind: tokNumber, value: digitsValue(s[:end], base), end: end + 1}
}

// digitsValue is the value of the digits up to the first that is none in the
// base. What does not fit is the largest number, as strtoul has it.
func digitsValue(digits string, base uint64) uint64 {
	var v uint64
	for i := range len(digits) {
		d := uint64(digits[i])
		switch {
		case d <= '9':
			d -= '0'
		default:
			d = d | 0x20 - 'a' + 10
		}
		if d >= base {
			break
		}
		if v > (math.MaxUint64-d)/base {
			return math.MaxUint64
		}
		v = v*base + d
	}
	return v
}
