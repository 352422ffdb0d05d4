package ldscript

import (
	"strings"
)

// Format prints a script in one style: tabs, one statement a line, spaces around
// operators. Comments and empty lines stay, and what stood on one line in braces
// stays there. A comment within a statement moves before it. What INCLUDE brought
// is not printed.
func Format(s *Script) []byte {
	p := &printer{layout: s.layout}
	if p.layout == nil {
		p.layout = newScript(nil).layout
	}
	p.stmts(s.Body, modeScript, Pos{})
	p.leading(lastPos)
	return []byte(p.b.String())
}

// lastPos is behind every place.
var lastPos = Pos{Line: 1 << 60}

func (p Pos) before(q Pos) bool { return p.Line < q.Line || p.Line == q.Line && p.Col < q.Col }

type printer struct {
	*layout
	b      strings.Builder
	indent int
	next   int // comment
	line   int // in the source, where the last thing printed ended; 0 at the start of a block
}

func (p *printer) write(parts ...string) {
	for _, s := range parts {
		p.b.WriteString(s)
	}
}

func (p *printer) tabs() { p.b.WriteString(strings.Repeat("\t", p.indent)) }

// blank keeps an empty line before what stands in this line of the source.
func (p *printer) blank(line int) {
	if p.line > 0 && line > p.line+1 {
		p.b.WriteByte('\n')
	}
	p.line = line
}

// comment returns the next comment if it is before the limit.
func (p *printer) comment(limit Pos) (comment, bool) {
	if p.next < len(p.comments) && p.comments[p.next].at.before(limit) {
		return p.comments[p.next], true
	}
	return comment{}, false
}

// leading prints the comments before the limit, each on lines of its own.
func (p *printer) leading(limit Pos) {
	for {
		c, ok := p.comment(limit)
		if !ok {
			return
		}
		p.next++
		p.blank(c.at.Line)
		p.tabs()
		p.write(strings.TrimRight(c.text, "\r"), "\n")
		p.line = c.end.Line
	}
}

// trailing prints the comments that follow on the line of end.
func (p *printer) trailing(end, limit Pos) {
	for {
		c, ok := p.comment(limit)
		if !ok || c.at.Line != end.Line {
			return
		}
		p.next++
		p.write(" ", strings.TrimRight(c.text, "\r"))
		end = c.end
		p.line = end.Line
	}
}

// item prints one line: what was at a place in the source, up to end. The next
// thing is at limit.
func (p *printer) item(at, end, limit Pos, text func()) {
	if end.Line == 0 {
		end = at
	}
	p.leading(end)
	p.blank(at.Line)
	p.tabs()
	text()
	p.line = max(p.line, end.Line)
	p.trailing(end, limit)
	p.b.WriteByte('\n')
}

// block prints { … } whose head stands at a place, up to the closing brace.
func (p *printer) block(head, closing Pos, first Pos, inside func()) {
	p.write("{")
	if first.Line != head.Line {
		p.trailing(head, first)
	}
	p.write("\n")
	p.indent++
	p.line = 0
	inside()
	p.leading(closing)
	p.indent--
	p.tabs()
	p.write("}")
	p.line = closing.Line
}

// stmts prints statements of one level; limit is where their block ends.
func (p *printer) stmts(list []Stmt, m mode, limit Pos) {
	if limit.Line == 0 {
		limit = lastPos
	}
	for i, s := range list {
		next := limit
		if i+1 < len(list) {
			next = list[i+1].At()
		}
		p.stmt(s, m, next)
	}
}

func (p *printer) stmt(s Stmt, m mode, limit Pos) {
	end := p.ends[s]
	switch s := s.(type) {
	case *Sections:
		word := "SECTIONS "
		if s.Overwrite {
			word = "OVERWRITE_SECTIONS "
		}
		p.braces(s.Pos, end, limit, word, firstOf(s.Body), func() { p.stmts(s.Body, modeScript, end) })
	case *Memory:
		p.braces(s.Pos, end, limit, "MEMORY ", firstRegion(s), func() { p.regions(s, end) })
	case *Phdrs:
		p.braces(s.Pos, end, limit, "PHDRS ", firstPhdr(s), func() { p.phdrs(s, end) })
	case *VersionCmd:
		p.braces(s.Pos, end, limit, "VERSION ", s.Version.Nodes[0].Pos, func() { p.nodes(s.Version, end) })
	case *Overlay:
		p.overlay(s, end, limit)
	case *OutSection:
		p.outSection(s, end, limit)
	default:
		p.item(s.At(), end, limit, func() { p.b.WriteString(p.line1(s, m)) })
	}
}

func firstRegion(m *Memory) Pos {
	first := lastPos
	if len(m.Regions) > 0 {
		first = m.Regions[0].Pos
	}
	if len(m.Includes) > 0 && m.Includes[0].First == 0 {
		first = m.Includes[0].Pos
	}
	return first
}

func firstPhdr(s *Phdrs) Pos {
	if len(s.Headers) > 0 {
		return s.Headers[0].Pos
	}
	return lastPos
}

func firstOf(list []Stmt) Pos {
	if len(list) > 0 {
		return list[0].At()
	}
	return lastPos
}

// braces prints a head and its block on lines of their own.
func (p *printer) braces(at, end, limit Pos, head string, first Pos, inside func()) {
	p.leading(at)
	p.blank(at.Line)
	p.tabs()
	p.write(head)
	closing := end
	if end.Line == 0 {
		closing = at
	}
	p.block(at, closing, first, inside)
	p.trailing(closing, limit)
	p.b.WriteByte('\n')
}

// oneLine says whether what is between the places is on one line, without a
// comment.
func (p *printer) oneLine(at, end Pos) bool {
	if end.Line == 0 || at.Line != end.Line {
		return false
	}
	c, ok := p.comment(end)
	return !ok || c.at.before(at)
}

func (p *printer) outSection(s *OutSection, end, limit Pos) {
	p.section(s, p.sectionHead(s), p.sectionTail(s.Region, s.AtRegion, s.Phdrs, s.Fill), end, limit)
}

// section prints an output section, with what stands before and behind its
// braces.
func (p *printer) section(s *OutSection, head, tail string, end, limit Pos) {
	if p.oneLine(s.Pos, end) {
		p.item(s.Pos, end, limit, func() {
			p.write(head, "{ ")
			for _, b := range s.Body {
				p.write(p.line1(b, modeWild), " ")
			}
			p.write("}", tail)
		})
		return
	}
	closing := s.End
	if closing.Line == 0 {
		closing = s.Pos
	}
	p.leading(s.Pos)
	p.blank(s.Pos.Line)
	p.tabs()
	p.write(head)
	p.block(s.Pos, closing, firstOf(s.Body), func() { p.stmts(s.Body, modeWild, closing) })
	p.write(tail)
	if end.Line == 0 {
		end = closing
	}
	p.line = end.Line
	p.trailing(end, limit)
	p.b.WriteByte('\n')
}

func (p *printer) sectionHead(s *OutSection) string {
	var b strings.Builder
	b.WriteString(quoteIn(modeScript, s.Name))
	b.WriteByte(' ')
	if s.Addr != nil {
		b.WriteString(p.address(s.Addr) + " ")
	}
	switch {
	case s.Type == "TYPE":
		b.WriteString("(TYPE = " + p.expr(s.TypeValue) + ") ")
	case s.TypeValue != nil:
		b.WriteString("(" + s.Type + " (TYPE = " + p.expr(s.TypeValue) + ")) ")
	case s.Type != "":
		b.WriteString("(" + s.Type + ") ")
	}
	b.WriteString(": ")
	for _, o := range []struct {
		word string
		x    Expr
	}{{"AT", s.AtAddr}, {"ALIGN", s.Align}, {"", nil}, {"SUBALIGN", s.Subalign}} {
		if o.x != nil {
			b.WriteString(o.word + "(" + p.expr(o.x) + ") ")
		}
		if o.word == "" && s.AlignInput {
			b.WriteString("ALIGN_WITH_INPUT ")
		}
	}
	if s.Constraint != "" {
		b.WriteString(s.Constraint + " ")
	}
	return b.String()
}

func (p *printer) sectionTail(region, atRegion string, phdrs []string, fill *Fill) string {
	var b strings.Builder
	if region != "" {
		b.WriteString(" >" + quoteIn(modeScript, region))
	}
	if atRegion != "" {
		b.WriteString(" AT>" + quoteIn(modeScript, atRegion))
	}
	for _, h := range phdrs {
		b.WriteString(" :" + quoteIn(modeScript, h))
	}
	if fill != nil {
		b.WriteString(" =" + p.expr(fill.X))
	}
	return b.String()
}

func (p *printer) overlay(o *Overlay, end, limit Pos) {
	head := "OVERLAY "
	if o.Addr != nil {
		head += p.expr(o.Addr) + " "
	}
	head += ": "
	if o.NoCrossRefs {
		head += "NOCROSSREFS "
	}
	if o.AtAddr != nil {
		head += "AT(" + p.expr(o.AtAddr) + ") "
	}
	if o.Subalign != nil {
		head += "SUBALIGN(" + p.expr(o.Subalign) + ") "
	}
	first := lastPos
	if len(o.Sections) > 0 {
		first = o.Sections[0].Pos
	}
	p.leading(o.Pos)
	p.blank(o.Pos.Line)
	p.tabs()
	p.write(head)
	p.block(o.Pos, end, first, func() {
		for i, s := range o.Sections {
			next := end
			if i+1 < len(o.Sections) {
				next = o.Sections[i+1].Pos
			}
			p.section(s, quoteIn(modeScript, s.Name)+" ", p.sectionTail("", "", s.Phdrs, s.Fill), p.ends[s], next)
		}
	})
	p.write(p.sectionTail(o.Region, o.AtRegion, o.Phdrs, o.Fill))
	p.trailing(end, limit)
	p.b.WriteByte('\n')
}
