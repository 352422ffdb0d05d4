package desc

import (
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Source is the text of a system description.
type Source struct {
	Name string
	Text []byte

	lines []int // offsets at which lines begin
}

func newSource(name string, text []byte) *Source {
	s := &Source{Name: name, Text: text, lines: []int{0}}
	for i, c := range text {
		if c == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// Pos is a place in a description: an element's "<", mostly.
type Pos struct {
	Source *Source
	Off    int
}

// Row and column count from 1, columns in characters.
func (p Pos) rowColumn() (row, column int) {
	if p.Source == nil {
		return 0, 0
	}
	row = sort.SearchInts(p.Source.lines, p.Off+1)
	start := p.Source.lines[row-1]
	return row, utf8.RuneCount(p.Source.Text[start:min(p.Off, len(p.Source.Text))]) + 1
}

// Row is the number of the line, from 1.
func (p Pos) Row() int { row, _ := p.rowColumn(); return row }

// Column is the number of the character in the line, from 1.
func (p Pos) Column() int { _, column := p.rowColumn(); return column }

// String prints file:row:column.
func (p Pos) String() string {
	if p.Source == nil {
		return "?"
	}
	row, column := p.rowColumn()
	return p.Source.Name + ":" + strconv.Itoa(row) + ":" + strconv.Itoa(column)
}

// excerptWidth is how many bytes of a line are shown.
const excerptWidth = 120

// Excerpt is the line with a caret below the place, each with a newline at its
// end.
func (p Pos) Excerpt() string {
	if p.Source == nil {
		return ""
	}
	row, _ := p.rowColumn()
	start := p.Source.lines[row-1]
	line := p.Source.Text[start:]
	if row < len(p.Source.lines) {
		line = line[:p.Source.lines[row]-start-1]
	}
	at := min(max(p.Off-start, 0), len(line))
	if at > excerptWidth*3/4 {
		cut := at - excerptWidth/2
		line, at = line[cut:], at-cut
	}
	text := plain(string(line[:at]))
	rest := plain(string(line[at:min(len(line), max(at, excerptWidth))]))
	return text + strings.TrimRight(rest, " ") + "\n" + blanks(text) + "^\n"
}

// plain replaces what a terminal would not print as one character.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return r
		case r < ' ' || r == 0x7f || r == utf8.RuneError || r >= 0x80 && !strconv.IsPrint(r):
			return '?'
		}
		return r
	}, s)
}

// blanks is white space as wide as s.
func blanks(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, s)
}
