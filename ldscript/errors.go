package ldscript

import (
	"fmt"
	"strings"
)

// MaxErrors is how many errors are reported of one script.
const MaxErrors = 20

// Error is a fault in a script.
type Error struct {
	Pos     Pos
	Context string // the command it is in: "PHDRS"; may be empty
	Msg     string
	Err     error // cause, or nil
	Syntax  bool  // what stands there cannot be read
}

func (e *Error) Error() string {
	s := e.Pos.String() + ": "
	if e.Context != "" {
		s += e.Context + ": "
	}
	return s + e.Msg
}

func (e *Error) Unwrap() error { return e.Err }

// Excerpt is the line with a caret below the place, each with a newline at its
// end.
func (e *Error) Excerpt() string { return e.Pos.Excerpt() }

// Errors are all faults that were found in a script, in their order.
type Errors []*Error

func (l Errors) Error() string {
	var b strings.Builder
	for i, e := range l {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(e.Error())
	}
	return b.String()
}

// Unwrap lets errors.As find the first Error.
func (l Errors) Unwrap() []error {
	out := make([]error, len(l))
	for i, e := range l {
		out[i] = e
	}
	return out
}

func (p Pos) String() string {
	if p.File == nil {
		return "?"
	}
	return fmt.Sprintf("%s:%d:%d", p.File.Name, p.Line, p.Col)
}

// excerptWidth is how many columns of a line are shown.
const excerptWidth = 120

// Excerpt is the line that p is in, with a caret below the column; "" if there
// is no such line.
func (p Pos) Excerpt() string {
	if p.File == nil || p.Line < 1 || p.Line > len(p.File.lines) {
		return ""
	}
	line := p.File.line(p.Line)
	at := min(max(p.Col-1, 0), len(line))
	if at > excerptWidth*3/4 {
		cut := at - excerptWidth/2
		line, at = line[cut:], at-cut
	}
	line = line[:min(len(line), excerptWidth)]
	var b, caret strings.Builder
	for i := range len(line) {
		c := line[i]
		if c != '\t' && (c < ' ' || c == 0x7f) {
			c = '?'
		}
		b.WriteByte(c)
		if i < at && c&0xc0 != 0x80 { // one column for a character
			if c != '\t' {
				c = ' '
			}
			caret.WriteByte(c)
		}
	}
	return strings.ToValidUTF8(b.String(), "?") + "\n" + caret.String() + "^\n"
}

// line returns the line of that number, from 1, without the newline. Only what
// a parser has read has lines.
func (s *Source) line(n int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	text := s.Text[s.lines[n-1]:]
	if n < len(s.lines) {
		text = s.Text[s.lines[n-1] : s.lines[n]-1]
	}
	return string(text)
}
