package desc

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A node is an element of the file.
type node struct {
	pos    Pos
	name   string
	attrs  []rawAttr
	kids   []*node
	el     *element // of the grammar; nil: none of it
	values []value  // one for each attribute of el
}

type rawAttr struct{ name, text string }

// maxDepth bounds how deep elements nest. A system has 63 protection domains at
// most, and what stands in one is two levels more.
const maxDepth = 80

// A reader makes nodes of tokens. RawToken is used for its offsets and because
// Token translates prefixes, which do not matter here; so the pairs of tags are
// matched here.
type reader struct {
	src   *Source
	dec   *xml.Decoder
	found *Findings
	root  *node
	stack []*node
	known []string // prefixes that are declared, of all open elements
	marks []int    // how many there were before each open element
	seen  bool     // a root, which may be closed again
}

var bom = []byte("\ufeff")

// readTree reads the XML. The result is nil where the file is not well formed.
func readTree(src *Source, found *Findings) *node {
	r := &reader{src: src, found: found, known: []string{"xml", "xmlns"}}
	if !utf8.Valid(src.Text) {
		r.faultf(badRune(src.Text), "the file is not UTF-8")
		return nil
	}
	skip := 0
	if bytes.HasPrefix(src.Text, bom) {
		skip = len(bom)
	}
	r.dec = xml.NewDecoder(bytes.NewReader(src.Text[skip:]))
	before := len(*found)
	for {
		at := skip + int(r.dec.InputOffset())
		token, err := r.dec.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			r.syntax(err, skip+int(r.dec.InputOffset()))
			return nil
		}
		if !r.token(token, at) {
			return nil
		}
	}
	for _, n := range r.stack {
		r.faultf(n.pos.Off, "<%s> is not closed", n.name)
	}
	if !r.seen && len(r.stack) == 0 {
		r.faultf(0, "the file has no element")
	}
	if len(*found) > before {
		return nil
	}
	return r.root
}

func badRune(text []byte) int {
	for i := 0; i < len(text); {
		c, n := utf8.DecodeRune(text[i:])
		if c == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return 0
}

func (r *reader) faultf(at int, format string, args ...any) {
	*r.found = append(*r.found, Finding{Pos{r.src, at}, Fault, "xml", fmt.Sprintf(format, args...)})
}

// syntax reports what encoding/xml says, without its line, which is ours to say.
func (r *reader) syntax(err error, at int) {
	msg := err.Error()
	if s, ok := errors.AsType[*xml.SyntaxError](err); ok {
		msg = s.Msg
	}
	if at > 0 && at >= len(r.src.Text) {
		at = len(r.src.Text) - 1
	}
	r.faultf(max(at, 0), "%s", msg)
}

// token takes one token; false: what follows cannot be read.
func (r *reader) token(token xml.Token, at int) bool {
	switch t := token.(type) {
	case xml.StartElement:
		return r.start(t, at)
	case xml.EndElement:
		r.end(t, at)
	case xml.CharData:
		r.text(t, at)
	case xml.Directive:
		r.faultf(at, "a document type definition is not allowed here")
		return false
	case xml.ProcInst:
		if t.Target == "xml" && at > len(bom) {
			r.faultf(at, "the XML declaration must be the first in the file")
		}
	}
	return true
}

func (r *reader) start(t xml.StartElement, at int) bool {
	n := &node{pos: Pos{r.src, at}, name: t.Name.Local}
	switch {
	case len(r.stack) >= maxDepth:
		r.faultf(at, "elements nest deeper than %d", maxDepth)
		return false
	case len(r.stack) > 0:
		top := r.stack[len(r.stack)-1]
		top.kids = append(top.kids, n)
	case r.seen:
		r.faultf(at, "<%s> is a second root element; there may be one", n.name)
	default:
		r.root, r.seen = n, true
	}
	r.marks = append(r.marks, len(r.known))
	r.stack = append(r.stack, n)
	r.attributes(n, t)
	return true
}

// attributes takes those that are not declarations of a name space. Its rules
// are XML's: no name twice, no prefix that is not declared.
func (r *reader) attributes(n *node, t xml.StartElement) {
	for _, a := range t.Attr {
		if a.Name.Space == "xmlns" {
			r.known = append(r.known, a.Name.Local)
		}
	}
	r.prefix(n, t.Name)
	for i, a := range t.Attr {
		for _, b := range t.Attr[:i] {
			if a.Name == b.Name {
				r.faultf(n.pos.Off, "<%s>: attribute %s stands there twice", n.name, a.Name.Local)
			}
		}
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			continue
		}
		r.prefix(n, a.Name)
		n.attrs = append(n.attrs, rawAttr{a.Name.Local, a.Value})
	}
}

func (r *reader) prefix(n *node, name xml.Name) {
	if name.Space == "" {
		return
	}
	for _, k := range r.known {
		if k == name.Space {
			return
		}
	}
	r.faultf(n.pos.Off, "<%s>: the name space %q of %s is not declared", n.name, name.Space, name.Local)
}

func (r *reader) end(t xml.EndElement, at int) {
	if len(r.stack) == 0 {
		r.faultf(at, "</%s> closes nothing", t.Name.Local)
		return
	}
	last := len(r.stack) - 1
	if top := r.stack[last]; top.name != t.Name.Local {
		row := top.pos.Row()
		r.faultf(at, "</%s> closes <%s> of line %d", t.Name.Local, top.name, row)
	}
	r.stack = r.stack[:last]
	r.known = r.known[:r.marks[last]]
	r.marks = r.marks[:last]
}

// text refuses text: no element of this language has any.
func (r *reader) text(t xml.CharData, at int) {
	if len(bytes.TrimSpace(t)) == 0 {
		return
	}
	// The token's bytes are decoded; the place is found in the file's own.
	for at < len(r.src.Text) && strings.IndexByte(" \t\r\n", r.src.Text[at]) >= 0 {
		at++
	}
	where := "outside the root element"
	if n := len(r.stack); n > 0 {
		where = "in <" + r.stack[n-1].name + ">"
	}
	r.faultf(at, "text %s: this language has none", where)
}
