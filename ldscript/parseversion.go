package ldscript

import "strings"

// ParseVersion reads the file of --version-script.
func ParseVersion(name string, text []byte) (*Version, error) {
	p := newParser(name, text, Options{})
	p.context = "version script"
	v := p.versionNodes()
	p.end(modeVersion)
	_, err := p.done()
	return v, err
}

// ParseDynamicList reads the file of --dynamic-list or of
// --export-dynamic-symbol-list: the patterns in it.
func ParseDynamicList(name string, text []byte) ([]VersionPattern, error) {
	p := newParser(name, text, Options{})
	p.context = "dynamic list"
	var list []VersionPattern
	for {
		p.op(modeVersion, "{")
		list = append(list, p.versionPatterns("C")...)
		p.op(modeNode, "}")
		p.op(modeVersion, ";")
		if p.broken || p.full || p.peek(modeVersion).kind == tokEOF {
			break
		}
	}
	_, err := p.done()
	return list, err
}

// versionCommand reads VERSION { … }.
func (p *parser) versionCommand(at Pos) Stmt {
	p.op(modeVersion, "{")
	v := &VersionCmd{Pos: at, Version: p.versionNodes()}
	p.op(modeVersion, "}")
	return v
}

// versionNodes reads the nodes of a version script; there is at least one.
func (p *parser) versionNodes() *Version {
	v := &Version{}
	for !p.broken && !p.full {
		t := p.peek(modeVersion)
		n := p.versionNode()
		if !p.broken {
			v.Nodes = append(v.Nodes, n)
			p.script.layout.end(n, p.lexer.pos(p.last))
		}
		p.recoverIn(t)
		if t := p.peek(modeVersion); t.stops() {
			break
		}
	}
	return v
}

// versionNode reads [NAME] { … } [dependencies] ;.
func (p *parser) versionNode() *VersionNode {
	t := p.peek(modeVersion)
	n := &VersionNode{Pos: p.pos(t)}
	if t.kind == tokWord {
		p.take(t)
		n.Name = t.text
	}
	if p.op(modeVersion, "{"); !p.broken {
		p.opened = 1
	}
	p.versionBody(n)
	if p.op(modeNode, "}"); !p.broken {
		p.opened = 0
	}
	for t := p.peek(modeVersion); n.Name != "" && t.kind == tokWord; t = p.peek(modeVersion) {
		p.take(t)
		n.Deps = append(n.Deps, t.text)
	}
	p.op(modeVersion, ";")
	return n
}

// versionBody reads patterns, or [global: patterns] [local: patterns]. Where there
// is local: GNU ld wants global: as well.
func (p *parser) versionBody(n *VersionNode) {
	switch {
	case p.peek(modeNode).is("}"):
		return
	case p.label("local"):
		n.Local = p.versionPatterns("C")
		return
	}
	labelled := p.label("global")
	n.Global = p.versionPatterns("C")
	if labelled && p.label("local") {
		n.Local = p.versionPatterns("C")
	}
}

// label takes "global:" or "local:" if it is next. Without the colon the words
// are symbols.
func (p *parser) label(word string) bool {
	t := p.peek(modeNode)
	if !t.is(word) || !p.colonFollows(t) {
		return false
	}
	p.take(t)
	p.op(modeNode, ":")
	return true
}

func (p *parser) colonFollows(t token) bool {
	at := p.off
	p.off = t.end
	op := p.lexer.next(modeNode)
	p.off = at
	return op.is(":")
}

// versionPatterns reads patterns, each with a semicolon behind; there is at
// least one. Within extern the last needs none.
func (p *parser) versionPatterns(lang string) []VersionPattern {
	var list []VersionPattern
	for {
		t := p.peek(modeNode)
		if t.kind == tokBad {
			return list
		}
		if t.is("extern") && p.quoteFollows(t) {
			p.take(t)
			list = append(list, p.externPatterns()...)
		} else {
			list = append(list, p.versionPattern(lang))
		}
		t = p.peek(modeNode)
		if p.depth > 0 && t.is("}") {
			return list
		}
		p.op(modeNode, ";")
		if t = p.peek(modeNode); t.stops() || t.key && t.text != "extern" && p.colonFollows(t) {
			return list
		}
	}
}

// quoteFollows says whether a language in quotes follows.
func (p *parser) quoteFollows(t token) bool {
	at := p.off
	p.off = t.end
	next := p.lexer.next(modeNode)
	p.off = at
	return next.kind == tokQuoted
}

// externPatterns reads "LANGUAGE" { patterns }.
func (p *parser) externPatterns() []VersionPattern {
	t := p.peek(modeNode)
	if !p.enter(t) {
		return nil
	}
	defer p.leave()
	p.take(t)
	switch t.text {
	case "C", "C++", "Java":
	default:
		p.fail(t, `want "C", "C++" or "Java", not `+t.describe())
		return nil
	}
	p.op(modeNode, "{")
	list := p.versionPatterns(t.text)
	p.op(modeNode, "}")
	return list
}

func (p *parser) versionPattern(lang string) VersionPattern {
	t := p.peek(modeNode)
	if t.kind != tokWord && t.kind != tokQuoted {
		p.want(t, "a symbol or a pattern")
		return VersionPattern{}
	}
	p.take(t)
	v := VersionPattern{Pos: p.pos(t), Lang: lang, Name: t.text, Exact: t.kind == tokQuoted}
	if name, ok := unescape(t.text); ok && !v.Exact {
		v.Name, v.Exact = name, true
	}
	return v
}

// unescape takes the backslashes out of a pattern in which nothing is special;
// false if something is.
func unescape(pattern string) (string, bool) {
	if !strings.ContainsAny(pattern, `?*[\`) {
		return pattern, true
	}
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '?', '*', '[':
			return "", false
		case '\\':
			if i++; i == len(pattern) {
				return "", false
			}
			b.WriteByte(pattern[i])
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), true
}
