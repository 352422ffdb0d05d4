package ldscript

// regions prints what is in MEMORY.
func (p *printer) regions(m *Memory, end Pos) {
	type line struct {
		at, end Pos
		text    string
	}
	var lines []line
	inc := 0
	for i := 0; i <= len(m.Regions); i++ {
		for inc < len(m.Includes) && m.Includes[inc].First == i {
			in := m.Includes[inc]
			lines = append(lines, line{in.Pos, in.Pos, "INCLUDE " + quoteIn(modeScript, in.File)})
			inc++
			i += in.Count
		}
		if i >= len(m.Regions) {
			break
		}
		r := m.Regions[i]
		text := quoteIn(modeScript, r.Name)
		if r.Attrs != "" {
			text += " (" + r.Attrs + ")"
		}
		text += " : ORIGIN = " + p.expr(r.Origin) + ", LENGTH = " + p.expr(r.Length)
		lines = append(lines, line{r.Pos, p.ends[r], text})
	}
	for i, l := range lines {
		next := end
		if i+1 < len(lines) {
			next = lines[i+1].at
		}
		p.item(l.at, l.end, next, func() { p.write(l.text) })
	}
}

// phdrs prints what is in PHDRS.
func (p *printer) phdrs(s *Phdrs, end Pos) {
	if s.Default {
		p.tabs()
		p.write("DEFAULT;\n")
	}
	for i, h := range s.Headers {
		next := end
		if i+1 < len(s.Headers) {
			next = s.Headers[i+1].Pos
		}
		p.item(h.Pos, p.ends[h], next, func() { p.write(p.phdr(h)) })
	}
}

func (p *printer) phdr(h *Phdr) string {
	text := quoteIn(modeScript, h.Name) + " " + p.expr(h.Type)
	if h.Filehdr {
		text += " FILEHDR"
	}
	if h.Phdrs {
		text += " PHDRS"
	}
	if h.AtAddr != nil {
		text += " AT(" + p.expr(h.AtAddr) + ")"
	}
	if h.Flags != nil {
		text += " FLAGS(" + p.expr(h.Flags) + ")"
	}
	return text + ";"
}

// nodes prints a version script.
func (p *printer) nodes(v *Version, end Pos) {
	for i, n := range v.Nodes {
		closing, next := p.ends[n], end
		if i+1 < len(v.Nodes) {
			next = v.Nodes[i+1].Pos
		}
		if closing.Line == 0 {
			closing = n.Pos
		}
		p.leading(n.Pos)
		p.blank(n.Pos.Line)
		p.tabs()
		if n.Name != "" {
			p.write(n.Name, " ")
		}
		p.block(n.Pos, closing, closing, func() {
			p.patterns("global:", n.Global, len(n.Local) > 0, closing)
			p.patterns("local:", n.Local, true, closing)
		})
		for _, d := range n.Deps {
			p.write(" ", d)
		}
		p.write(";")
		p.trailing(closing, next)
		p.b.WriteByte('\n')
	}
}

// patterns prints one list of a node.
func (p *printer) patterns(label string, list []VersionPattern, labelled bool, limit Pos) {
	if len(list) == 0 {
		return
	}
	if labelled {
		p.leading(list[0].Pos)
		p.tabs()
		p.write(label, "\n")
		p.indent++
		defer func() { p.indent-- }()
	}
	p.line = 0
	for i := 0; i < len(list); {
		n := i + 1
		for n < len(list) && list[n].Lang == list[i].Lang {
			n++
		}
		next := limit
		if n < len(list) {
			next = list[n].Pos
		}
		p.language(list[i:n], next)
		i = n
	}
}

// language prints patterns of one language.
func (p *printer) language(list []VersionPattern, limit Pos) {
	if lang := list[0].Lang; lang != "C" {
		p.leading(list[0].Pos)
		p.tabs()
		p.write(`extern "`, lang, "\" {\n")
		p.indent++
		defer func() {
			p.indent--
			p.tabs()
			p.write("};\n")
		}()
	}
	for i, v := range list {
		next := limit
		if i+1 < len(list) {
			next = list[i+1].Pos
		}
		p.item(v.Pos, v.Pos, next, func() { p.write(v.String(), ";") })
	}
}
