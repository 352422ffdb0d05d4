package ldscript

import "strings"

// bare says whether what stands at a place is not in quotes.
func (p Pos) bare() bool {
	if p.File == nil {
		return false
	}
	line := p.File.line(p.Line)
	return p.Col >= 1 && p.Col <= len(line) && line[p.Col-1] != '"'
}

// joined looks for an operator in a name. In an expression "/" and "~" go on in
// it, and where an address begins "-", "+" and "=" as well.
func (c *checker) joined(x *Name) {
	i := strings.IndexAny(x.Name, "/~-+=,:[]")
	if i <= 0 || !x.Pos.bare() {
		return
	}
	c.report(x.Pos, Warning, "joined-name", "%s is one name; %q is an operator only with a space before it", x.Name, x.Name[i:i+1])
}

// inputNames looks at the patterns of an input section description.
func (c *checker) inputNames(s *InputSpec) {
	look := func(at Pos, name string) {
		switch {
		case strings.Contains(name, "/*") && at.bare():
			c.report(at, Warning, "comment-in-name", "%s is one name: a comment needs a space before it", name)
		case strings.Contains(name, ",") && at.bare():
			c.report(at, Warning, "comma-in-name", "%s is one name: lists have spaces between their parts", name)
		}
	}
	files := append([]FilePattern{s.File}, s.ExcludeFiles...)
	for _, p := range s.Patterns {
		look(p.Pos, p.Name)
		files = append(files, p.Exclude...)
	}
	if i := strings.IndexByte(s.File.Member, '='); i > 0 && len(s.Patterns) == 0 && s.File.Pos.bare() {
		c.report(s.Pos, Warning, "joined-name", "%s is the name of a file here; an assignment has spaces around \"=\"", s.File.Member)
	}
	for _, f := range files {
		look(f.Pos, f.Member)
	}
}

// takers are the patterns so far that take sections from all later ones.
type takers struct {
	list   []SectionPattern
	all    PatternSet
	same   map[string]int // the first of each
	prefix PatternSet     // PREFIX* alone
	at     []int          // where these are in list
}

func (t *takers) add(p SectionPattern) {
	if _, ok := t.same[p.Name]; ok {
		return
	}
	i := t.all.Add(p.Name)
	t.same[p.Name] = i
	t.list = append(t.list, p)
	if prefix, ok := strings.CutSuffix(p.Name, "*"); ok && !IsGlob(prefix) {
		t.prefix.Add(p.Name)
		t.at = append(t.at, i)
	}
}

// find returns a pattern that takes all that the given one could.
func (t *takers) find(pattern string) (SectionPattern, bool) {
	if i, ok := t.same[pattern]; ok {
		return t.list[i], true
	}
	head, _, glob := splitGlob(pattern)
	if !glob {
		if hits := t.all.Match(nil, pattern); len(hits) > 0 {
			return t.list[hits[0]], true
		}
		return SectionPattern{}, false
	}
	// What a prefix takes that the pattern itself begins with.
	if hits := t.prefix.Match(nil, head); len(hits) > 0 {
		return t.list[t.at[hits[0]]], true
	}
	return SectionPattern{}, false
}

// patterns finds patterns that an earlier one leaves nothing.
func (c *checker) patterns() {
	before := takers{same: make(map[string]int)}
	for _, out := range c.order {
		Walk(out.Body, func(s Stmt) bool {
			spec, ok := s.(*InputSpec)
			if !ok {
				return true
			}
			for _, p := range spec.Patterns {
				if t, ok := before.find(p.Name); ok && p.Name != "COMMON" {
					c.report(p.Pos, Warning, "hidden-pattern", "%s matches nothing: %s takes all of it before, at %v", p.Name, t.Name, t.Pos)
				}
				if takesAll(out, spec, p) {
					before.add(p)
				}
			}
			return true
		})
	}
}

// takesAll says whether a pattern takes what it matches from every file.
func takesAll(out *OutSection, s *InputSpec, p SectionPattern) bool {
	return out.Constraint == "" && len(s.Flags) == 0 && len(s.ExcludeFiles) == 0 && len(p.Exclude) == 0 &&
		s.File.Archive == "" && !s.File.Colon && s.File.Member == "*"
}
