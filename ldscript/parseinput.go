package ldscript

import "strings"

// inSection reads a statement of an output section.
func (p *parser) inSection() Stmt {
	t := p.peek(modeWild)
	at := p.pos(t)
	if t.kind == tokWord && t.key {
		switch t.text {
		case "INCLUDE":
			p.take(t)
			n := &Include{Pos: at}
			n.File = p.include(at, modeWild, func() { n.Body = p.included(modeWild, p.inSection) })
			return n
		case "ASSERT":
			p.take(t)
			a := p.assertion(at)
			p.separator()
			return a
		case "PROVIDE", "HIDDEN", "PROVIDE_HIDDEN":
			return p.assignment(modeWild)
		case "CREATE_OBJECT_SYMBOLS":
			p.take(t)
			return &Flag{Pos: at, Word: t.text}
		case "CONSTRUCTORS":
			p.take(t)
			return &Constructors{Pos: at}
		case "LINKER_VERSION":
			p.take(t)
			return &LinkerVersion{at}
		case "BYTE", "SHORT", "LONG", "QUAD", "SQUAD":
			p.take(t)
			return &Data{at, t.text, p.dataValue()}
		case "ASCIZ":
			p.take(t)
			return &Text{at, p.name(modeWild, "a text in quotes").text}
		case "FILL":
			p.take(t)
			return &FillStmt{at, Fill{at, p.dataValue()}}
		}
	}
	if t.is(";") {
		p.take(t)
		return nil
	}
	if (t.isName() || t.is(",")) && p.assignsWild(t) {
		return p.assignment(modeWild)
	}
	return p.inputSpec()
}

func (p *parser) dataValue() Expr {
	p.op(modeWild, "(")
	x := p.expr()
	p.op(modeExpr, ")")
	return x
}

// assignsWild is assigns within an output section.
func (p *parser) assignsWild(name token) bool {
	at := p.off
	p.off = name.end
	op := p.lexer.next(modeWild)
	p.off = at
	return op.kind == tokOp && strings.HasSuffix(op.text, "=")
}

// inputSpec reads an input section description, or SORT(CONSTRUCTORS).
func (p *parser) inputSpec() Stmt {
	t := p.peek(modeWild)
	s := &InputSpec{Pos: p.pos(t)}
	if !t.is("KEEP") {
		if p.specBody(s) {
			return &Constructors{Pos: s.Pos, Sorted: true}
		}
		return s
	}
	p.take(t)
	s.Keep = true
	p.op(modeWild, "(")
	if p.specBody(s) {
		p.fail(t, "KEEP(CONSTRUCTORS): nothing to keep")
	}
	p.op(modeWild, ")")
	return s
}

// specBody reads [INPUT_SECTION_FLAGS(…)] file[(patterns)] or [patterns] in
// brackets. It says whether it found SORT(CONSTRUCTORS) instead.
func (p *parser) specBody(s *InputSpec) (constructors bool) {
	if p.accept(modeWild, "INPUT_SECTION_FLAGS") {
		p.sectionFlags(s)
	}
	if p.accept(modeWild, "[") {
		s.File = FilePattern{Pos: s.Pos, Member: "*"}
		s.Patterns = p.patterns("]")
		return false
	}
	if t := p.peek(modeWild); t.isName() {
		p.take(t)
		s.File = p.filePattern(t)
		if p.accept(modeWild, "(") {
			s.Patterns = p.patterns(")")
		}
		return false
	}
	if p.sortedFile(s) {
		return true
	}
	p.op(modeWild, "(")
	s.Patterns = p.patterns(")")
	return false
}

// sectionFlags reads (FLAG & !FLAG …). A "!" is a part of the name for the lexer.
func (p *parser) sectionFlags(s *InputSpec) {
	p.op(modeWild, "(")
	for !p.broken && !p.full {
		t := p.name(modeWild, "a flag")
		name, not := strings.CutPrefix(t.text, "!")
		if name == "" {
			p.want(p.peek(modeWild), "a flag")
			return
		}
		s.Flags = append(s.Flags, SectionFlag{p.pos(t), name, not})
		if !p.accept(modeWild, "&") {
			break
		}
	}
	p.op(modeWild, ")")
}

// sortWords are the words for the orders.
var sortWords = map[string]Sort{
	"SORT": SortByName, "SORT_BY_NAME": SortByName, "SORT_BY_ALIGNMENT": SortByAlignment,
	"SORT_BY_INIT_PRIORITY": SortByInitPriority, "SORT_NONE": SortNone,
}

// sortedFile reads a file pattern that is more than a name: in a sort, with
// EXCLUDE_FILE, or both.
func (p *parser) sortedFile(s *InputSpec) (constructors bool) {
	var close int
	for !p.broken && !p.full {
		t := p.peek(modeWild)
		order := sortWords[t.text]
		switch {
		case t.is("EXCLUDE_FILE"):
			s.ExcludeFiles = p.exclude()
			s.File = p.closeFile(s.File, close)
			return false
		case t.is("REVERSE") && !s.File.Reverse:
			s.File.Reverse = true
		case order == SortByName && t.key && s.File.Sort == Unsorted, order == SortNone && t.key && close == 0:
			s.File.Sort = order
		case t.is("CONSTRUCTORS") && close == 1 && s.File.Sort == SortByName && !s.File.Reverse:
			p.take(t)
			p.op(modeWild, ")")
			return true
		case t.isName():
			s.File = p.closeFile(s.File, close)
			return false
		default:
			p.want(t, "a file or a statement")
			return false
		}
		p.take(t)
		p.op(modeWild, "(")
		close++
	}
	return false
}

// closeFile reads the name of a file and the parentheses behind it.
func (p *parser) closeFile(f FilePattern, close int) FilePattern {
	name := p.filePattern(p.name(modeWild, "a file"))
	name.Sort, name.Reverse = f.Sort, f.Reverse
	if f.Reverse && f.Sort == Unsorted {
		name.Sort = SortByName
	}
	for range close {
		p.op(modeWild, ")")
	}
	return name
}

// filePattern parts a pattern at its first colon into archive and member.
func (p *parser) filePattern(t token) FilePattern {
	f := FilePattern{Pos: p.pos(t), Member: t.text}
	if archive, member, ok := strings.Cut(t.text, ":"); ok {
		f.Archive, f.Member = archive, member
		f.Colon = archive == ""
	}
	return f
}

// exclude reads EXCLUDE_FILE(files).
func (p *parser) exclude() []FilePattern {
	p.op(modeWild, "EXCLUDE_FILE")
	p.op(modeWild, "(")
	var list []FilePattern
	for !p.broken && !p.full {
		p.accept(modeWild, ",") // in lld's language
		list = append(list, p.filePattern(p.name(modeWild, "a file")))
		if p.peek(modeWild).is(")") {
			break
		}
	}
	p.op(modeWild, ")")
	return list
}

// patterns reads section patterns up to the closing parenthesis or bracket.
func (p *parser) patterns(closing string) []SectionPattern {
	var list []SectionPattern
	for !p.broken && !p.full {
		list = append(list, p.pattern())
		if p.accept(modeWild, closing) {
			break
		}
		p.accept(modeWild, ",")
	}
	return list
}

// sortAllowed says which order may stand within which.
func sortAllowed(outer []Sort, inner Sort) bool {
	switch len(outer) {
	case 0:
		return true
	case 1:
		plain := func(s Sort) bool { return s == SortByName || s == SortByAlignment }
		return plain(outer[0]) && plain(inner)
	}
	return false
}

// pattern reads one section pattern with its sorts.
func (p *parser) pattern() SectionPattern {
	t := p.peek(modeWild)
	s := SectionPattern{Pos: p.pos(t)}
	close := 0
	for ; !p.broken && !p.full; close++ {
		t = p.peek(modeWild)
		order := sortWords[t.text]
		switch {
		case t.is("REVERSE") && !s.Reverse:
			s.Reverse = true
		case order != Unsorted && t.key:
			if !sortAllowed(s.Sorts, order) {
				p.fail(t, t.text+" cannot stand within another sort")
				return s
			}
			s.Sorts = append(s.Sorts, order)
		default:
			if t.is("EXCLUDE_FILE") {
				s.Exclude = p.exclude()
			}
			s.Name = p.name(modeWild, "a section pattern").text
			for range close {
				p.op(modeWild, ")")
			}
			if s.Reverse && len(s.Sorts) == 0 {
				s.Sorts = []Sort{SortByName}
			}
			return s
		}
		p.take(t)
		p.op(modeWild, "(")
	}
	return s
}
