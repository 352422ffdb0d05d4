package desc

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"sort"
	"strings"
)

// Changes are what a description says otherwise, while all else stays as it is.
type Changes struct {
	Images map[*PD]Image
	Paddr  map[*Region]uint64 // of regions that have none
}

// Image is where an image is, and its symbols if they are in a file of their own.
type Image struct{ Path, SymbolsPath string }

// A replacement is a new text for a part of the file.
type replacement struct {
	start, end int
	text       string
}

// Rewrite returns the text of the description with changes: every other byte is
// as it was. The description was read without errors.
func (s *System) Rewrite(c Changes) []byte {
	var list []replacement
	for p, to := range c.Images {
		list = append(list, p.image.set("path", to.Path)...)
		if to.SymbolsPath != "" {
			list = append(list, p.image.set("path_for_symbols", to.SymbolsPath)...)
		}
	}
	for r, at := range c.Paddr {
		list = append(list, r.node.set("phys_addr", fmt.Sprintf("%#x", at))...)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].start < list[j].start })
	var out []byte
	at := 0
	for _, r := range list {
		out = append(append(out, s.Source.Text[at:r.start]...), r.text...)
		at = r.end
	}
	return append(out, s.Source.Text[at:]...)
}

// set replaces an attribute's value, or adds the attribute behind the element's
// name.
func (n *node) set(name, value string) []replacement {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(value)); err != nil {
		panic(err) // a strings.Builder takes everything
	}
	text := n.pos.Source.Text
	nameEnd, start, end := attributeIn(text, n.pos.Off, name)
	if end > 0 {
		return []replacement{{start, end, b.String()}}
	}
	return []replacement{{nameEnd, nameEnd, " " + name + `="` + b.String() + `"`}}
}

// attributeIn finds an attribute's value in a start tag that encoding/xml has
// read: names, white space, an equals sign, quotes. end is 0 where there is none.
func attributeIn(text []byte, at int, name string) (nameEnd, start, end int) {
	const space, stop = " \t\r\n", " \t\r\n=/>"
	until := func(set string) int {
		n := bytes.IndexAny(text[at:], set)
		if n < 0 {
			n = len(text) - at
		}
		return at + n
	}
	at++ // "<"
	nameEnd = until(stop)
	for at = nameEnd; at < len(text); {
		for at < len(text) && strings.IndexByte(space, text[at]) >= 0 {
			at++
		}
		if at == len(text) || text[at] == '/' || text[at] == '>' {
			break
		}
		from := at
		at = until(stop)
		attr := string(text[from:at])
		quote := bytes.IndexAny(text[at:], `"'`)
		if quote < 0 {
			break
		}
		start = at + quote + 1
		length := bytes.IndexByte(text[start:], text[start-1])
		if length < 0 {
			break
		}
		at = start + length + 1
		if _, local, ok := strings.Cut(attr, ":"); ok {
			attr = local
		}
		if attr == name {
			return nameEnd, start, start + length
		}
	}
	return nameEnd, 0, 0
}
