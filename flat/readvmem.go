package flat

import (
	"bufio"
	"fmt"
	"io"
	"slices"
)

// A vmemReader reads words.
type vmemReader struct {
	*reader
	in        *bufio.Reader
	width     int
	line, col int    // of the byte read last
	addr      uint64 // of the next word, in bytes
	partial   bool   // the last word had fewer bytes: nothing may follow it there
	wrapped   bool   // the last word ends the address space
	token     []byte
	at, from  int // line and column of the token
}

// vmem reads what $readmemh reads (IEEE 1364): words and addresses of words, in
// hexadecimal, between white space and comments. A last word of fewer digits has
// fewer bytes, as GNU objcopy writes it.
func (r *reader) vmem() error {
	width, err := checkWidth(r.opt.Width)
	if err != nil {
		return err
	}
	v := &vmemReader{reader: r, in: bufio.NewReaderSize(io.NewSectionReader(r.data, 0, r.data.Size()), 64<<10), width: width, line: 1}
	for {
		more, err := v.next()
		if err != nil || !more {
			return err
		}
		if err := v.take(); err != nil {
			return err
		}
	}
}

func (v *vmemReader) fault(format string, args ...any) error {
	return &LineError{v.File, v.at, v.from, fmt.Sprintf(format, args...)}
}

// byte reads the next byte; 0 is what a file ends with.
func (v *vmemReader) byte() (byte, error) {
	c, err := v.in.ReadByte()
	if err == io.EOF {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("%s:%d: %w", v.File, v.line, err)
	}
	if v.col++; c == '\n' {
		v.line, v.col = v.line+1, 0
	}
	if c == 0 {
		v.at, v.from = v.line, v.col
		return 0, v.fault("a zero byte is no text")
	}
	return c, nil
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v'
}

// maxToken is more digits than an address or a word has, with underscores.
const maxToken = 128

// next reads the next token; false at the end.
func (v *vmemReader) next() (bool, error) {
	v.token = v.token[:0]
	for {
		c, err := v.byte()
		switch {
		case err != nil:
			return false, err
		case c == 0 || isSpace(c):
			if len(v.token) > 0 || c == 0 {
				return len(v.token) > 0, nil
			}
		case c == '/':
			if err := v.comment(); err != nil {
				return false, err
			}
			if len(v.token) > 0 {
				return true, nil
			}
		default:
			if len(v.token) == 0 {
				v.at, v.from = v.line, v.col
			}
			if len(v.token) == maxToken {
				return false, v.fault("%s is longer than any word", quote(v.token))
			}
			v.token = append(v.token, c)
		}
	}
}

// comment skips the rest of a comment whose first slash was read.
func (v *vmemReader) comment() error {
	line, col := v.line, v.col
	fault := func(msg string) error { return &LineError{v.File, line, col, msg} }
	kind, err := v.byte()
	if err != nil {
		return err
	}
	if kind != '/' && kind != '*' {
		return fault(`"/" begins no comment`)
	}
	for last := byte(0); ; {
		c, err := v.byte()
		switch {
		case err != nil:
			return err
		case c == 0 && kind == '*':
			return fault("the comment does not end")
		case c == 0, kind == '/' && c == '\n', kind == '*' && last == '*' && c == '/':
			return nil
		}
		last = c
	}
}

// take takes a token: an address or a word.
func (v *vmemReader) take() error {
	text := v.token
	address := text[0] == '@'
	if address {
		text = text[1:]
	}
	var digits []byte
	for i, c := range text {
		if c == '_' && i > 0 {
			continue
		}
		d := unhex[c]
		if d > 15 {
			return v.fault("%s is no hexadecimal number", quote(v.token))
		}
		digits = append(digits, d)
	}
	if address {
		return v.setAddress(digits)
	}
	return v.word(digits)
}

func (v *vmemReader) setAddress(digits []byte) error {
	var n uint64
	for _, d := range digits {
		if n>>60 != 0 {
			return v.fault("address %s does not fit 64 bits", quote(v.token))
		}
		n = n<<4 | uint64(d)
	}
	if len(digits) == 0 {
		return v.fault(`"@" without an address`)
	}
	if width := uint64(v.width); n > (1<<64-1)/width {
		return v.fault("word %s of %d bytes is beyond the address space", quote(v.token), width)
	}
	v.addr, v.partial = n*uint64(v.width), false
	v.wrapped = false
	return nil
}

func (v *vmemReader) word(digits []byte) error {
	n := len(digits) / 2
	switch {
	case len(digits) == 0 || len(digits)%2 != 0 || n > v.width:
		return v.fault("%s has %d digits; a word of %d bytes (--width) has %d", quote(v.token), len(digits), v.width, 2*v.width)
	case v.partial:
		return v.fault("the word before %s has fewer than %d bytes (--width)", quote(v.token), v.width)
	}
	b := make([]byte, n, vmemPer)
	for i := range b {
		b[i] = digits[2*i]<<4 | digits[2*i+1]
	}
	if !v.opt.Big && v.width > 1 {
		slices.Reverse(b)
	}
	if v.wrapped {
		return v.fault("%s is beyond the address space", quote(v.token))
	}
	v.partial = n < v.width
	line := v.at
	err := v.add(v.addr, b, func() string { return fmt.Sprintf("line %d", line) })
	v.addr += uint64(n)
	v.wrapped = v.addr < uint64(n)
	return err
}
