package ldscript

// file reads the statements of a script.
func (p *parser) file() []Stmt { return p.included(modeScript, p.command) }

// command reads a command or statement of a file; nil if there is nothing to
// remember of it.
func (p *parser) command() Stmt {
	t := p.peek(modeScript)
	if !t.key && t.kind != tokOp {
		if mriWords[t.text] && t.kind == tokWord && !p.assigns(t) {
			p.fail(t, t.text+" is a command of MRI scripts, which are not supported")
			return nil
		}
		return p.assignment(modeScript)
	}
	defer p.within(t.text)()
	at := p.pos(t)
	switch t.text {
	case ";":
		p.take(t)
		return nil
	case "INCLUDE":
		p.take(t)
		n := &Include{Pos: at}
		n.File = p.include(at, modeScript, func() { n.Body = p.included(modeScript, p.command) })
		return n
	case "SECTIONS", "OVERWRITE_SECTIONS":
		p.take(t)
		return p.sections(at, t.text == "OVERWRITE_SECTIONS")
	case "MEMORY":
		p.take(t)
		return p.memory(at)
	case "PHDRS":
		p.take(t)
		return p.phdrs(at)
	case "VERSION":
		p.take(t)
		return p.versionCommand(at)
	case "INSERT":
		p.take(t)
		return p.insert(at)
	case "INPUT", "GROUP":
		p.take(t)
		return p.inputs(at, t.text == "GROUP")
	case "EXTERN":
		p.take(t)
		return &Extern{Pos: at, Symbols: p.names(modeExpr, "a symbol", false)}
	case "NOCROSSREFS", "NOCROSSREFS_TO":
		p.take(t)
		return &NoCrossRefs{Pos: at, To: t.text == "NOCROSSREFS_TO", Sections: p.names(modeScript, "a section", true)}
	}
	if s, ok := p.simple(t); ok {
		return s
	}
	return p.anywhere(t)
}

// simple reads a command of one word, or of one or more names in parentheses.
func (p *parser) simple(t token) (Stmt, bool) {
	at := p.pos(t)
	one := func(what string) string {
		p.take(t)
		p.op(modeScript, "(")
		n := p.name(modeScript, what)
		p.op(modeScript, ")")
		return n.text
	}
	switch t.text {
	case "OUTPUT":
		return &Output{at, one("a file")}, true
	case "OUTPUT_ARCH":
		return &OutputArch{at, one("an architecture")}, true
	case "TARGET":
		return &Target{at, one("a format")}, true
	case "SEARCH_DIR":
		dir := one("a directory")
		p.dirs = append(p.dirs, dir)
		return &SearchDir{at, dir}, true
	case "STARTUP":
		return &Startup{at, one("a file")}, true
	case "MAP":
		return &Flag{at, t.text, one("a file")}, true
	case "LD_FEATURE":
		return &Flag{at, t.text, one("a feature")}, true
	case "FORCE_COMMON_ALLOCATION", "INHIBIT_COMMON_ALLOCATION", "FORCE_GROUP_ALLOCATION", "FLOAT", "NOFLOAT":
		p.take(t)
		return &Flag{at, t.text, ""}, true
	case "HLL", "SYSLIB":
		p.take(t)
		return &Flag{at, t.text, joinNames(p.names(modeScript, "a file", true))}, true
	case "OUTPUT_FORMAT":
		p.take(t)
		return p.outputFormat(at), true
	case "REGION_ALIAS":
		p.take(t)
		p.op(modeScript, "(")
		alias := p.name(modeScript, "a name for the region")
		p.op(modeScript, ",")
		region := p.name(modeScript, "a region")
		p.op(modeScript, ")")
		return &RegionAlias{at, alias.text, region.text}, true
	}
	return nil, false
}

func (p *parser) outputFormat(at Pos) Stmt {
	p.op(modeScript, "(")
	f := &OutputFormat{Pos: at, Default: p.name(modeScript, "a format").text}
	if p.accept(modeScript, ",") {
		f.Big = p.name(modeScript, "a format for big endian").text
		p.op(modeScript, ",")
		f.Little = p.name(modeScript, "a format for little endian").text
	}
	p.op(modeScript, ")")
	return f
}

// anywhere reads what may stand in a file and in SECTIONS.
func (p *parser) anywhere(t token) Stmt {
	at := p.pos(t)
	switch {
	case t.is("ENTRY"):
		p.take(t)
		p.op(modeScript, "(")
		n := p.name(modeScript, "a symbol")
		p.op(modeScript, ")")
		return &Entry{at, n.text}
	case t.is("ASSERT"):
		p.take(t)
		return p.assertion(at)
	case t.is("PROVIDE"), t.is("HIDDEN"), t.is("PROVIDE_HIDDEN"):
		return p.assignment(modeScript)
	}
	if t.key {
		p.fail(t, t.text+" is a keyword, and no statement begins with it here; a symbol or section of that name needs quotes")
		return nil
	}
	p.want(t, "a command, a symbol or a section")
	return nil
}

// names reads a list in parentheses, with commas where one likes.
func (p *parser) names(m mode, what string, mayBeEmpty bool) []string {
	p.op(modeScript, "(")
	var list []string
	for mayBeEmpty || len(list) == 0 || !p.peek(m).is(")") {
		if mayBeEmpty && p.peek(m).is(")") {
			break
		}
		t := p.name(m, what)
		if p.broken || p.full {
			return list
		}
		list = append(list, t.text)
		comma := p.accept(m, ",")
		if comma && !mayBeEmpty && p.peek(m).is(")") {
			p.want(p.peek(m), what)
		}
	}
	p.op(m, ")")
	return list
}

func joinNames(list []string) string {
	s := ""
	for i, n := range list {
		if i > 0 {
			s += " "
		}
		s += quoteIn(modeScript, n)
	}
	return s
}

// inputs reads the list of INPUT or GROUP.
func (p *parser) inputs(at Pos, group bool) Stmt {
	p.op(modeScript, "(")
	in := &Input{Pos: at, Group: group}
	p.inputList(in, false)
	return in
}

// inputList reads the files up to the closing parenthesis.
func (p *parser) inputList(in *Input, asNeeded bool) {
	for first := true; ; first = false {
		if !first {
			if p.accept(modeFiles, ")") {
				return
			}
			p.accept(modeFiles, ",")
		}
		t := p.peek(modeFiles)
		switch {
		case t.is("AS_NEEDED"):
			p.take(t)
			p.op(modeFiles, "(")
			if p.broken || !p.enter(t) {
				return
			}
			p.inputList(in, true)
			p.leave()
		case t.kind == tokLib:
			p.take(t)
			in.Files = append(in.Files, InputFile{p.pos(t), t.text, asNeeded})
		default:
			t = p.name(modeFiles, "a file")
			in.Files = append(in.Files, InputFile{p.pos(t), t.text, asNeeded})
		}
		if p.broken || p.full {
			return
		}
	}
}

// insert reads INSERT AFTER|BEFORE anchor.
func (p *parser) insert(at Pos) Stmt {
	n := &Insert{Pos: at, Before: p.peek(modeScript).is("BEFORE")}
	if !n.Before {
		if t := p.peek(modeScript); !t.is("AFTER") {
			p.want(t, "AFTER or BEFORE")
			return nil
		}
	}
	p.take(p.peek(modeScript))
	n.Anchor = p.name(modeScript, "a section").text
	return n
}

// memory reads MEMORY { … }.
func (p *parser) memory(at Pos) Stmt {
	m := &Memory{Pos: at}
	p.op(modeScript, "{")
	p.regions(m, false)
	p.op(modeScript, "}")
	return m
}

func (p *parser) regions(m *Memory, nested bool) {
	for !p.broken && !p.full {
		t := p.peek(modeScript)
		if t.stops() && t.kind != tokBad {
			return
		}
		if t.is("INCLUDE") {
			p.take(t)
			p.memoryInclude(m, p.pos(t), nested)
		} else if r := p.region(t); r != nil && !p.broken {
			m.Regions = append(m.Regions, r)
			p.script.layout.end(r, p.lexer.pos(p.last))
		}
		p.recoverIn(t)
		if p.accept(modeScript, ",") && p.peek(modeScript).is("}") {
			p.want(p.peek(modeScript), "a region")
		}
	}
}

// recoverIn goes on behind an error in a list within braces.
func (p *parser) recoverIn(t token) {
	if p.broken {
		p.recover(max(t.off, p.off))
	}
}

func (p *parser) memoryInclude(m *Memory, at Pos, nested bool) {
	inc := MemoryInclude{Pos: at, First: len(m.Regions)}
	inc.File = p.include(at, modeScript, func() {
		p.regions(m, true)
		p.end(modeScript)
	})
	inc.Count = len(m.Regions) - inc.First
	if !nested {
		m.Includes = append(m.Includes, inc)
	}
}

// region reads NAME [(attributes)] : ORIGIN = e [,] LENGTH = e.
func (p *parser) region(t token) *Region {
	name := p.name(modeScript, "a region")
	r := &Region{Pos: p.pos(t), Name: name.text}
	if p.accept(modeScript, "(") {
		p.attributes(r)
	}
	p.op(modeScript, ":")
	r.Origin = p.regionValue("ORIGIN", "org", "o")
	p.accept(modeScript, ",")
	r.Length = p.regionValue("LENGTH", "len", "l")
	return r
}

// attributes reads what is between the parentheses. A "!" turns what follows it
// up to the next space.
func (p *parser) attributes(r *Region) {
	for {
		not := p.accept(modeScript, "!")
		t := p.name(modeScript, "attributes")
		if p.broken || p.full {
			return
		}
		for i := range len(t.text) {
			if classes[t.text[i]]&chAttr == 0 {
				p.fail(t, quoteByte(t.text[i])+" is no attribute; they are r w x a i l and !")
				return
			}
		}
		if not {
			t.text = "!" + t.text
		} else if r.Attrs != "" {
			r.Attrs += " "
		}
		r.Attrs += t.text
		if p.accept(modeScript, ")") {
			return
		}
	}
}

func (p *parser) regionValue(words ...string) Expr {
	t := p.peek(modeScript)
	for _, w := range words {
		if t.is(w) {
			p.take(t)
			p.op(modeExpr, "=")
			return p.expr()
		}
	}
	p.want(t, words[0]+" =")
	return nil
}
