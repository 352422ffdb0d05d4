package ldscript

import (
	"slices"
	"strings"
)

// PhdrTypes are the words for the type of a program header that GNU ld knows.
// Another type is a number.
var PhdrTypes = []string{
	"PT_NULL", "PT_LOAD", "PT_DYNAMIC", "PT_INTERP", "PT_NOTE", "PT_SHLIB", "PT_PHDR", "PT_TLS",
	"PT_GNU_EH_FRAME", "PT_GNU_STACK", "PT_GNU_RELRO", "PT_GNU_PROPERTY",
}

// phdrs reads PHDRS { … }.
func (p *parser) phdrs(at Pos) Stmt {
	n := &Phdrs{Pos: at}
	p.op(modeScript, "{")
	for !p.broken && !p.full {
		t := p.peek(modeScript)
		if t.stops() && t.kind != tokBad {
			break
		}
		h := p.phdr(n)
		if h != nil && !p.broken {
			n.Headers = append(n.Headers, h)
			p.script.layout.end(h, p.lexer.pos(p.last))
		}
		p.recoverIn(t)
	}
	p.op(modeScript, "}")
	return n
}

// phdr reads NAME type [FILEHDR] [PHDRS] [AT(e)] [FLAGS(e)] ;, or DEFAULT ;,
// which is ours.
func (p *parser) phdr(n *Phdrs) *Phdr {
	t := p.name(modeScript, "the name of a program header")
	if p.broken {
		return nil
	}
	if t.text == "DEFAULT" && p.peek(modeExpr).is(";") {
		p.op(modeExpr, ";")
		if n.Default || len(n.Headers) > 0 {
			p.errorAt(p.pos(t), "DEFAULT comes first, and once")
		}
		n.Default = true
		return nil
	}
	h := &Phdr{Pos: p.pos(t), Name: t.text}
	kind := p.peek(modeExpr)
	h.Type = p.expr()
	if name, ok := h.Type.(*Name); ok && !slices.Contains(PhdrTypes, name.Name) {
		p.fail(kind, name.Name+" is no known type; want a number, or one of "+strings.Join(PhdrTypes, " "))
		return nil
	}
	for !p.broken && !p.full && !p.peek(modeExpr).is(";") {
		p.phdrPart(h)
	}
	p.op(modeExpr, ";")
	return h
}

func (p *parser) phdrPart(h *Phdr) {
	t := p.peek(modeExpr)
	switch {
	case t.is("AT"):
		p.take(t)
		h.AtAddr = p.inParens()
		return
	case t.isName() && t.text == "FLAGS":
		p.take(t)
		h.Flags = p.inParens()
		return
	case t.isName() && t.text == "FILEHDR":
		h.Filehdr = true
	case t.isName() && t.text == "PHDRS":
		h.Phdrs = true
	default:
		p.want(t, "FILEHDR, PHDRS, AT(…), FLAGS(…) or \";\"")
		return
	}
	p.take(t)
	if open := p.peek(modeExpr); open.is("(") {
		p.fail(open, t.text+" takes no value")
	}
}

// inParens reads an expression in parentheses.
func (p *parser) inParens() Expr {
	p.op(modeExpr, "(")
	x := p.expr()
	p.op(modeExpr, ")")
	return x
}
