package ldscript

import "strings"

// sections reads SECTIONS { … }.
func (p *parser) sections(at Pos, overwrite bool) Stmt {
	s := &Sections{Pos: at, Overwrite: overwrite}
	p.op(modeScript, "{")
	if !p.broken {
		s.Body = p.block(modeScript, p.inSections)
	}
	p.op(modeScript, "}")
	return s
}

// inSections reads a statement of SECTIONS.
func (p *parser) inSections() Stmt {
	t := p.peek(modeScript)
	at := p.pos(t)
	switch {
	case t.is("INCLUDE"):
		p.take(t)
		n := &Include{Pos: at}
		n.File = p.include(at, modeScript, func() { n.Body = p.included(modeScript, p.inSections) })
		return n
	case t.is("OVERLAY"):
		p.take(t)
		return p.overlay(at)
	case t.is("GROUP"):
		p.fail(t, "GROUP in SECTIONS is not supported; it stands in for \". = address;\"")
		return nil
	case t.is(";") && p.opt.LLD:
		p.take(t)
		return nil
	case t.isName() && !p.assigns(t):
		p.take(t)
		return p.outSection(at, t.text)
	case t.isName():
		return p.assignment(modeScript)
	case t.is(";"):
		p.fail(t, "a semicolon belongs to an assignment; there is none before it")
		p.off = t.end
		p.broken = false
		p.take(t)
		return nil
	}
	return p.anywhere(t)
}

// assigns says whether an assignment operator follows the name that was peeked.
func (p *parser) assigns(name token) bool {
	at := p.off
	p.off = name.end
	op := p.lexer.next(modeScript)
	p.off = at
	return op.kind == tokOp && strings.HasSuffix(op.text, "=")
}

// assignment reads NAME op= expression, or one in PROVIDE, HIDDEN or
// PROVIDE_HIDDEN, and the separator behind.
func (p *parser) assignment(m mode) Stmt {
	t := p.peek(m)
	a := &Assign{Pos: p.pos(t)}
	switch {
	case t.is("PROVIDE"), t.is("HIDDEN"), t.is("PROVIDE_HIDDEN"):
		defer p.within(t.text)()
		p.take(t)
		a.Provide = t.text != "HIDDEN"
		a.Hidden = t.text != "PROVIDE"
		p.op(m, "(")
		a.Name = p.name(m, "a symbol").text
		p.op(m, "=")
		a.Op = "="
		a.X = p.expr()
		p.op(modeExpr, ")")
	default:
		a.Name = p.name(m, "a command, a symbol or a section").text
		op := p.peek(m)
		if op.kind != tokOp || !strings.HasSuffix(op.text, "=") {
			p.wantAssign(op, t)
			return nil
		}
		p.take(op)
		a.Op = Op(op.text)
		a.X = p.expr()
	}
	p.separator()
	return a
}

// wantAssign notes that no assignment follows a name. The usual reason is that
// "=" is a part of the name.
func (p *parser) wantAssign(op, name token) {
	if sym, _, ok := strings.Cut(name.text, "="); ok && name.kind == tokWord && sym != "" {
		p.fail(name, name.text+` is one name; "=" needs a space before it`)
		return
	}
	p.want(op, `"=" behind `+shorten(name.text))
}

// separator reads what ends an assignment.
func (p *parser) separator() {
	t := p.peek(modeExpr)
	if t.is(";") || t.is(",") {
		p.take(t)
		return
	}
	p.want(t, `";"`)
}

// sectionTypes are the words that may stand in parentheses before the colon.
var sectionTypes = words("NOLOAD DSECT COPY INFO OVERLAY")

// outSection reads an output section from behind its name on.
func (p *parser) outSection(at Pos, name string) Stmt {
	defer p.within(shorten(name))()
	s := &OutSection{Pos: at, Name: name}
	p.sectionAddress(s)
	p.op(modeExpr, ":")
	if sym, _, ok := strings.Cut(name, "="); p.broken && ok && sym != "" && len(p.errs) > 0 {
		p.errs[len(p.errs)-1].Msg += "; " + shorten(name) + ` is one name: "=" needs a space before it`
	}
	s.AtAddr = p.optional("AT")
	s.Align = p.optional("ALIGN")
	s.AlignInput = p.accept(modeExpr, "ALIGN_WITH_INPUT")
	s.Subalign = p.optional("SUBALIGN")
	for _, w := range []string{"ONLY_IF_RO", "ONLY_IF_RW", "SPECIAL"} {
		if s.Constraint == "" && p.accept(modeExpr, w) {
			s.Constraint = w
		}
	}
	p.body(s)
	var after sectionEnd
	p.afterSection(&after, true)
	s.Region, s.AtRegion, s.Phdrs, s.Fill = after.region, after.atRegion, after.phdrs, after.fill
	return s
}

// optional reads WORD(expression) if it is there.
func (p *parser) optional(word string) Expr {
	if !p.accept(modeExpr, word) {
		return nil
	}
	return p.inParens()
}

// sectionAddress reads address and type, before the colon. The first token is
// read as in a script, where "-" may be part of a name.
func (p *parser) sectionAddress(s *OutSection) {
	t := p.peek(modeScript)
	switch {
	case t.is(":"):
		return
	case t.is("BIND"):
		p.take(t)
		s.Addr = p.inParens()
		if p.accept(modeExpr, "BLOCK") {
			p.inParens() // without a meaning in GNU ld
		}
	case !t.is("(") || !p.typeFollows():
		s.Addr = p.exprFrom(modeScript)
	}
	if p.broken || !p.accept(modeExpr, "(") {
		return
	}
	p.sectionType(s)
	p.op(modeExpr, ")")
}

// typeFollows says whether the parenthesis that was peeked begins a type.
func (p *parser) typeFollows() bool {
	t := p.ahead
	at := p.off
	p.off = t.end
	in := p.lexer.next(modeExpr)
	p.off = at
	return in.is(")") || in.is("READONLY") || in.is("TYPE") || in.kind == tokWord && in.key && sectionTypes[in.text]
}

func (p *parser) sectionType(s *OutSection) {
	t := p.peek(modeExpr)
	switch {
	case t.is(")"):
	case t.kind == tokWord && t.key && sectionTypes[t.text]:
		p.take(t)
		s.Type = t.text
	case t.is("READONLY"):
		p.take(t)
		s.Type = t.text
		if p.accept(modeExpr, "(") {
			s.TypeValue = p.typeValue()
			p.op(modeExpr, ")")
		}
	case t.is("TYPE"):
		s.Type = t.text
		s.TypeValue = p.typeValue()
	default:
		p.want(t, "NOLOAD, READONLY, TYPE=…, COPY, INFO, OVERLAY or DSECT")
	}
}

func (p *parser) typeValue() Expr {
	p.op(modeExpr, "TYPE")
	p.op(modeExpr, "=")
	return p.expr()
}

// body reads { … } of an output section.
func (p *parser) body(s *OutSection) {
	p.op(modeExpr, "{")
	if !p.broken {
		s.Body = p.block(modeWild, p.inSection)
	}
	end := p.op(modeWild, "}")
	s.End = p.pos(end)
}

// sectionEnd is what may follow the closing brace.
type sectionEnd struct {
	region, atRegion string
	phdrs            []string
	fill             *Fill
}

// afterSection reads [>region] [AT>region] [:phdr …] [=fill] [,]; a section of an
// overlay has no region.
func (p *parser) afterSection(e *sectionEnd, regions bool) {
	if regions && p.accept(modeScript, ">") {
		e.region = p.name(modeScript, "a region").text
	}
	if regions && p.accept(modeScript, "AT") {
		p.op(modeScript, ">")
		e.atRegion = p.name(modeScript, "a region").text
	}
	for p.accept(modeScript, ":") {
		e.phdrs = append(e.phdrs, p.name(modeScript, "a program header").text)
	}
	if t := p.peek(modeScript); t.is("=") {
		p.take(t)
		e.fill = &Fill{p.pos(t), p.expr()}
	}
	p.accept(modeScript, ",")
}

// overlay reads OVERLAY [start] : [NOCROSSREFS] [AT(lma)] [SUBALIGN(n)] { … }.
func (p *parser) overlay(at Pos) Stmt {
	defer p.within("OVERLAY")()
	o := &Overlay{Pos: at}
	if !p.peek(modeExpr).is(":") {
		o.Addr = p.expr()
	}
	p.op(modeExpr, ":")
	o.NoCrossRefs = p.accept(modeExpr, "NOCROSSREFS")
	o.AtAddr = p.optional("AT")
	o.Subalign = p.optional("SUBALIGN")
	p.op(modeExpr, "{")
	for !p.broken && !p.full {
		t := p.peek(modeScript)
		if t.stops() && t.kind != tokBad {
			break
		}
		s := p.overlaySection()
		if s != nil && !p.broken {
			o.Sections = append(o.Sections, s)
			p.script.layout.end(s, p.lexer.pos(p.last))
		}
		p.recoverIn(t)
	}
	p.op(modeScript, "}")
	var after sectionEnd
	p.afterSection(&after, true)
	o.Region, o.AtRegion, o.Phdrs, o.Fill = after.region, after.atRegion, after.phdrs, after.fill
	return o
}

func (p *parser) overlaySection() *OutSection {
	t := p.name(modeScript, "a section")
	if p.broken {
		return nil
	}
	s := &OutSection{Pos: p.pos(t), Name: t.text}
	p.body(s)
	var after sectionEnd
	p.afterSection(&after, false)
	s.Phdrs, s.Fill = after.phdrs, after.fill
	return s
}
