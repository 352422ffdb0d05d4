package patch

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A place is where a value goes, as it was written:
//
//	[FILE:]NAME[.MEMBER|[INDEX]|[]]…[+OFFSET]
//	{NAME}…     the name as it is, whatever characters it has
//	0x1000…
type place struct {
	text string
	src  string // FILE
	name string // up to the first member or index if exact, else with all of them
	path string // what follows an exact name
	addr uint64
	off  int64 // added at the end
	kind placeKind
}

type placeKind int

const (
	named  placeKind = iota // where the name ends is to be found out
	exact                   // the name stood in braces
	atAddr                  // a number
)

// parsePlace takes a place apart as far as that needs no symbols.
func parsePlace(s string) (place, error) {
	p := place{text: s}
	body, off := cutOffset(s)
	p.off = off
	if body == "" {
		return p, errors.New("there is no name")
	}
	if body[0] >= '0' && body[0] <= '9' {
		return p.parseAddr(body)
	}
	if i := colon(body); i > 0 {
		p.src, body = body[:i], body[i+1:]
	}
	if body == "" {
		return p, fmt.Errorf("%q: there is no name after the colon", s)
	}
	if body[0] != '{' {
		p.name = body
		return p, nil
	}
	end := closing(body)
	if end < 2 {
		return p, fmt.Errorf("%q: want a name within braces", s)
	}
	p.kind, p.name, p.path = exact, body[1:end], body[end+1:]
	_, err := parsePath(p.path)
	return p, err
}

func (p place) parseAddr(body string) (place, error) {
	end := len(body)
	if i := strings.IndexAny(body, "[."); i >= 0 {
		end = i
	}
	n, err := parseInt(body[:end])
	if err != nil || !n.IsUint64() {
		return p, fmt.Errorf("%q: want an address such as 0x1000", p.text)
	}
	p.kind, p.addr, p.path = atAddr, n.Uint64(), body[end:]
	_, err = parsePath(p.path)
	return p, err
}

// colon returns the index of a colon that parts a source file from a name: no
// part of "::", not within braces, or -1.
func colon(s string) int {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '{':
			return -1
		case s[i] != ':':
		case i+1 < len(s) && s[i+1] == ':':
			i++
		default:
			return i
		}
	}
	return -1
}

// closing returns the index of the brace that closes the one s begins with, or
// -1.
func closing(s string) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// cutOffset takes "+8" or "-0x10" off the end.
func cutOffset(s string) (string, int64) {
	i := strings.LastIndexAny(s, "+-")
	if i <= 0 || i+1 == len(s) || s[i+1] < '0' || s[i+1] > '9' {
		return s, 0
	}
	n, err := parseInt(s[i+1:])
	if err != nil || !n.IsInt64() {
		return s, 0
	}
	if s[i] == '-' {
		return s[:i], -n.Int64()
	}
	return s[:i], n.Int64()
}

// splits returns the ways to part a name from members and indexes behind it, the
// longest name first.
func (p *place) splits() (names, paths []string) {
	if p.kind == exact {
		return []string{p.name}, []string{p.path}
	}
	const most = 32 // members and indexes that are tried as parts of a name
	for end := len(p.name); end > 0 && len(names) < most; {
		if _, err := parsePath(p.name[end:]); err == nil {
			names, paths = append(names, p.name[:end]), append(paths, p.name[end:])
		}
		end = strings.LastIndexAny(p.name[:end], ".[")
	}
	return names, paths
}

// A step is a member, an index, or all elements.
type step struct {
	member string
	index  uint64
	all    bool
}

func (s step) String() string {
	switch {
	case s.all:
		return "[]"
	case s.member != "":
		return "." + s.member
	}
	return fmt.Sprintf("[%d]", s.index)
}

// parsePath reads members and indexes.
func parsePath(s string) ([]step, error) {
	var steps []step
	for rest := s; rest != ""; {
		switch {
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:], ".[") + 1
			if end == 0 {
				end = len(rest)
			}
			if end == 1 {
				return nil, fmt.Errorf("%q: there is no member after the dot", s)
			}
			steps, rest = append(steps, step{member: rest[1:end]}), rest[end:]
		case rest[0] == '[':
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				return nil, fmt.Errorf("%q: a bracket is not closed", s)
			}
			one := step{all: true}
			if end > 1 {
				n, err := strconv.ParseUint(rest[1:end], 0, 63)
				if err != nil {
					return nil, fmt.Errorf("%q: %q is no index", s, rest[1:end])
				}
				one = step{index: n}
			}
			steps, rest = append(steps, one), rest[end+1:]
		default:
			return nil, fmt.Errorf("%q: want .MEMBER or [INDEX]", s)
		}
		if len(steps) > 64 {
			return nil, fmt.Errorf("%q: more than 64 members and indexes", s)
		}
	}
	return steps, nil
}
