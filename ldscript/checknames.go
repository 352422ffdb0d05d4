package ldscript

import "strings"

// bare says whether what stands at a place is not in quotes.
func (p Pos) bare() bool {
	if p.File == nil {
		return false
	}
	line := string(p.File.Text)
	for range p.Line - 1 {
		_, line, _ = strings.Cut(line, "\n")
	}
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

// A taker is a pattern that takes sections from all later ones.
type taker struct {
	spec    *InputSpec
	pattern SectionPattern
	section *OutSection
}

// maxTakers bounds the search for hidden patterns.
const maxTakers = 4000

// patterns finds patterns that an earlier one leaves nothing.
func (c *checker) patterns() {
	var takers []taker
	for _, out := range c.order {
		Walk(out.Body, func(s Stmt) bool {
			spec, ok := s.(*InputSpec)
			if !ok {
				return true
			}
			for _, p := range spec.Patterns {
				for _, t := range takers {
					if p.Name != "COMMON" && t.hides(p.Name) {
						c.report(p.Pos, Warning, "hidden-pattern", "%s matches nothing: %s takes all of it before, at %v", p.Name, t.pattern.Name, t.pattern.Pos)
						break
					}
				}
				if takesAll(out, spec, p) && len(takers) < maxTakers {
					takers = append(takers, taker{spec, p, out})
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

// hides says whether whatever the pattern matches is taken.
func (t taker) hides(pattern string) bool {
	mine := t.pattern.Name
	if mine == pattern {
		return true
	}
	if name, ok := unescape(pattern); ok {
		return MatchGlob(mine, name)
	}
	prefix, ok := strings.CutSuffix(mine, "*")
	if !ok || IsGlob(prefix) {
		return false
	}
	return strings.HasPrefix(pattern[:strings.IndexAny(pattern, `*?[\`)], prefix)
}
