package ldscript

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// include reads INCLUDE FILE where its keyword was just taken. body reads what
// is in the file.
func (p *parser) include(at Pos, m mode, body func()) string {
	t := p.name(m, "the name of a file")
	if p.broken {
		return ""
	}
	defer p.within("INCLUDE")()
	if p.opt.Open == nil {
		p.errorAt(at, fmt.Sprintf("%s: a script cannot be included here", t.text))
		return t.text
	}
	if len(p.open) >= maxInclude {
		p.fail(t, fmt.Sprintf("%s: more than %d files include one another", t.text, maxInclude))
		return t.text
	}
	path, text, err := p.opt.Open(t.text, slices.Clone(p.dirs))
	if err != nil {
		p.errorAt(p.pos(t), err.Error())
		if !p.full {
			e := p.errs[len(p.errs)-1]
			e.Err, e.Syntax = err, false
		}
		return t.text
	}
	for _, l := range p.open {
		if l.src.Name == path {
			p.fail(t, p.circle(path))
			return t.text
		}
	}
	if !p.enter(t) {
		return t.text
	}
	defer p.leave()
	p.inside(&Source{Name: path, Text: text}, body)
	return t.text
}

// inside lets body read another source than the one that is being read.
func (p *parser) inside(src *Source, body func()) {
	last := p.last
	p.push(src)
	if i := bytes.IndexByte(src.Text, 0); i >= 0 {
		p.errorAt(p.lexer.pos(i), "a zero byte: this is not a script")
	} else {
		outer := p.within("")
		body()
		outer()
	}
	p.pop()
	p.last = last
}

// circle says which files include one another.
func (p *parser) circle(path string) string {
	var names []string
	for _, l := range p.open {
		names = append(names, l.src.Name)
	}
	return path + " includes itself: " + strings.Join(append(names, path), " -> ")
}

// included reads the statements of an included file: all of it.
func (p *parser) included(m mode, statement func() Stmt) []Stmt {
	var list []Stmt
	for {
		list = append(list, p.block(m, statement)...)
		if p.full || p.peek(m).kind == tokEOF {
			return list
		}
		p.stray(m)
	}
}

// stray notes a closing brace that closes nothing.
func (p *parser) stray(m mode) {
	t := p.peek(m)
	if t.kind == tokBad {
		p.recover(t.off + 1)
		return
	}
	p.errorAt(p.pos(t), `"}" closes nothing`)
	p.take(t)
}
