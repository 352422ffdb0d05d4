package ldscript

import (
	"bytes"
	"fmt"
	"strings"
)

// Options say how a script is read. The zero value is GNU ld's language, without
// INCLUDE.
type Options struct {
	// Open finds the file of an INCLUDE. dirs are those of the SEARCH_DIR
	// commands so far, in their order. path is what messages call the file.
	Open func(name string, dirs []string) (path string, text []byte, err error)

	// LLD takes what lld takes and GNU ld does not: commas and "=" end a name
	// without a space before, and a semicolon may stand alone in SECTIONS.
	LLD bool
}

// Limits of a script. Real ones are far below.
const (
	maxInclude = 10   // files in one another, as in GNU ld
	maxDepth   = 1000 // of nested expressions and blocks
	maxChain   = 4000 // operators side by side in one expression
)

// Parse reads a script. What is returned with an error is what could be read.
// The error is of type Errors.
func Parse(name string, text []byte, opt Options) (*Script, error) {
	p := newParser(name, text, opt)
	p.script.Body = p.file()
	return p.done()
}

// ParseDefsym reads what --defsym takes: "symbol=expression".
func ParseDefsym(text string) (*Assign, error) {
	p := newParser("--defsym", []byte(text), Options{})
	name := p.name(modeExpr, "a symbol")
	p.op(modeExpr, "=")
	a := &Assign{Pos: p.pos(name), Name: name.text, Op: "=", X: p.expr()}
	p.end(modeExpr)
	_, err := p.done()
	return a, err
}

// ParseExpr reads an expression; name is what messages call it.
func ParseExpr(name, text string) (Expr, error) {
	p := newParser(name, []byte(text), Options{})
	x := p.expr()
	p.end(modeExpr)
	_, err := p.done()
	return x, err
}

// A parser reads a script and those that it includes.
type parser struct {
	opt    Options
	script *Script
	*lexer // of the innermost file
	open   []*lexer
	dirs   []string // of SEARCH_DIR

	ahead   token // the next token, if peeked
	aheadIn mode
	peeked  bool

	context string // the command being read, for messages
	broken  bool   // an error was noted, and nothing more is read until recover
	full    bool   // enough errors
	errs    Errors
	depth   int
	opened  int // braces that recover has to close first
	last    int // the end of the token read last
}

func newParser(name string, text []byte, opt Options) *parser {
	src := &Source{Name: name, Text: text}
	p := &parser{opt: opt, script: newScript(src)}
	p.push(src)
	if i := bytes.IndexByte(text, 0); i >= 0 {
		p.errorAt(p.lexer.pos(i), "a zero byte: this is not a script")
		p.full = true
	}
	return p
}

func (p *parser) push(src *Source) {
	p.lexer = newLexer(src, p.opt.LLD)
	p.lexer.comment = p.noteComment
	p.open = append(p.open, p.lexer)
	p.peeked = false
	p.last = 0
}

func (p *parser) pop() {
	p.open = p.open[:len(p.open)-1]
	p.lexer = p.open[len(p.open)-1]
	p.peeked = false
	p.last = p.lexer.off
}

func (p *parser) noteComment(off, end int) {
	if len(p.open) > 1 {
		return
	}
	p.script.layout.comments = append(p.script.layout.comments, comment{p.lexer.pos(off), p.lexer.pos(end), p.text[off:end]})
}

func (p *parser) done() (*Script, error) {
	if len(p.errs) == 0 {
		return p.script, nil
	}
	return p.script, p.errs
}

// ---- tokens

// peek returns the next token as it reads in the mode.
func (p *parser) peek(m mode) token {
	if p.broken || p.full {
		return token{kind: tokBad, off: p.off, end: p.off}
	}
	if p.peeked && p.aheadIn == m {
		return p.ahead
	}
	if p.peeked {
		p.off = p.ahead.off
	}
	t := p.lexer.next(m)
	if t.kind == tokBad {
		p.fail(t, t.text)
		return t
	}
	p.ahead, p.aheadIn, p.peeked = t, m, true
	return t
}

// take consumes the token that was peeked.
func (p *parser) take(t token) token {
	if p.peeked {
		p.peeked = false
		p.last = t.end
	}
	return t
}

// accept consumes the next token if it is this operator or keyword.
func (p *parser) accept(m mode, text string) bool {
	t := p.peek(m)
	if t.is(text) {
		p.take(t)
		return true
	}
	return false
}

// op demands an operator or keyword.
func (p *parser) op(m mode, text string) token {
	t := p.peek(m)
	if !t.is(text) {
		p.want(t, `"`+text+`"`)
		return t
	}
	return p.take(t)
}

// name demands a name; what says of what.
func (p *parser) name(m mode, what string) token {
	t := p.peek(m)
	switch {
	case t.isName():
		return p.take(t)
	case t.kind == tokWord:
		p.fail(t, fmt.Sprintf("%s is a keyword here; want %s, or the word in quotes", t.text, what))
		return token{off: t.off}
	}
	p.want(t, what)
	return token{off: t.off}
}

// end demands the end of the text.
func (p *parser) end(m mode) {
	if t := p.peek(m); t.kind != tokEOF {
		p.want(t, "the end")
	}
}

// stops says whether a list of statements ends at the token.
func (t token) stops() bool { return t.kind == tokEOF || t.kind == tokBad || t.is("}") }

func (p *parser) pos(t token) Pos { return p.lexer.pos(t.off) }

// ---- errors

// want notes that the token is not what it should be.
func (p *parser) want(t token, what string) {
	if t.kind != tokBad {
		p.fail(t, fmt.Sprintf("want %s, not %s", what, t.describe()))
	}
}

func (t token) describe() string {
	switch t.kind {
	case tokEOF:
		return "the end of the file"
	case tokQuoted:
		return `"` + shorten(t.text) + `"`
	case tokOp:
		return `"` + t.text + `"`
	}
	return shorten(t.text)
}

func shorten(s string) string {
	if len(s) > 40 {
		s = s[:40] + "…"
	}
	return strings.ToValidUTF8(s, "?")
}

// fail notes an error at a token. Nothing is read from then on, until recover.
func (p *parser) fail(t token, msg string) {
	if p.broken || p.full {
		return
	}
	p.errorAt(p.pos(t), msg)
	p.broken, p.peeked = true, false
	p.off = t.off
	if t.kind == tokBad {
		p.off = t.end
	}
}

// errorAt notes an error that does not keep the parser from reading on.
func (p *parser) errorAt(at Pos, msg string) {
	if p.full {
		return
	}
	p.errs = append(p.errs, &Error{Pos: at, Context: p.context, Msg: msg, Syntax: true})
	if len(p.errs) == MaxErrors {
		p.full = true
	}
}

// recover skips what is left of a statement with an error: up to a semicolon, or
// to the end of a block that began in it. It goes on at least behind from.
func (p *parser) recover(from int) {
	if !p.broken || p.full {
		return
	}
	p.broken = false
	depth := p.opened
	p.opened = 0
	p.off = max(p.off, from)
	for p.off < len(p.text) {
		if _, ok := p.space(modeScript); !ok || p.off >= len(p.text) {
			p.off = len(p.text)
			return
		}
		switch c := p.text[p.off]; c {
		case '"':
			n := strings.IndexByte(p.text[p.off+1:], '"')
			if n < 0 {
				p.off = len(p.text)
				return
			}
			p.off += n + 1
		case '{', '(':
			depth++
		case ')':
			depth = max(depth-1, 0)
		case '}':
			if depth == 0 {
				return
			}
			if depth--; depth == 0 {
				p.off++
				return
			}
		case ';':
			if depth == 0 {
				p.off++
				return
			}
		}
		p.off++
	}
}

// enter counts nesting; the caller leaves if it is true.
func (p *parser) enter(t token) bool {
	if p.depth >= maxDepth {
		p.fail(t, fmt.Sprintf("nested more than %d deep", maxDepth))
		return false
	}
	p.depth++
	return true
}

func (p *parser) leave() { p.depth-- }

// within names the command being read for the messages, until it is called.
func (p *parser) within(command string) (restore func()) {
	old := p.context
	p.context = command
	return func() { p.context = old }
}

// ---- statements

// block reads statements up to a closing brace, which is left, or the end.
func (p *parser) block(m mode, statement func() Stmt) []Stmt {
	var list []Stmt
	for !p.broken && !p.full {
		t := p.peek(m)
		if t.kind == tokBad {
			p.recover(t.off + 1)
			continue
		}
		if t.stops() {
			return list
		}
		from := t.off
		s := statement()
		if s != nil && !p.broken {
			list = append(list, s)
			p.script.layout.end(s, p.lexer.pos(p.last))
		}
		p.recover(from)
	}
	return list
}
