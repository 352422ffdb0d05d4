package ldscript

import (
	"cmp"
	"fmt"
	"slices"
)

// Level says how bad a finding is.
type Level uint8

// The levels. A Note is of something that may well be meant.
const (
	Note Level = iota
	Warning
	Fault // it cannot link, or not as it is written
)

func (l Level) String() string { return [...]string{"note", "warning", "error"}[l] }

// A Finding is something in a script that is wrong, or looks so.
type Finding struct {
	Pos   Pos
	Level Level
	Rule  string // the same in every version: "undeclared-region"
	Msg   string
}

func (f Finding) String() string {
	return fmt.Sprintf("%v: %v: %s [%s]", f.Pos, f.Level, f.Msg, f.Rule)
}

// Checks are the names of what Check looks for, each with a sentence.
var Checks = []struct{ Name, Means string }{
	{"undeclared-region", "a memory region is used that no MEMORY declares"},
	{"unused-region", "a memory region is declared and not used"},
	{"duplicate-region", "a memory region is declared twice"},
	{"empty-region", "a memory region has no length"},
	{"overlapping-regions", "two memory regions share addresses"},
	{"undeclared-phdr", "a section goes to a program header that PHDRS does not declare"},
	{"unused-phdr", "a program header is declared to which no section goes"},
	{"duplicate-phdr", "a program header is declared twice"},
	{"two-lmas", "a section has both AT(…) and AT>region"},
	{"repeated-section", "an output section is described twice"},
	{"hidden-pattern", "an input pattern matches nothing, since an earlier one takes all that it could"},
	{"backwards", "the location counter is set to less than it was"},
	{"joined-name", "an operator without spaces around is a part of a name"},
	{"word-is-number", "a word of hexadecimal digits is a number in an expression"},
	{"comma-in-name", "a comma without a space before is a part of a pattern"},
	{"comment-in-name", "a comment without a space before is a part of a pattern"},
	{"constant-assert", "what ASSERT asks is a constant"},
	{"unknown-constant", "CONSTANT knows no such name"},
	{"unknown-section", "a function asks for an output section that the script does not describe"},
	{"dialect-number", "a number assigned in an output section: an offset for GNU ld, an absolute value for lld"},
	{"dialect-dot", "\".\" set to a number in an output section: an offset for GNU ld, an address for lld"},
	{"dialect-lma", "a section without AT> behind one with it: GNU ld goes on in its load region, lld does not"},
	{"dialect-symbols-only", "an output section with symbols alone: GNU ld drops it, lld keeps it"},
	{"dialect-syntax", "lld 14 does not read this"},
}

// Check finds what is wrong or suspicious in a script, by itself: no input file
// is looked at. The findings are in the order of their places.
func Check(s *Script) []Finding {
	c := &checker{
		regions: make(map[string]*use), phdrs: make(map[string]*use), sections: make(map[string]*OutSection),
	}
	Walk(s.Body, func(s Stmt) bool { c.declare(s); return true })
	Walk(s.Body, func(s Stmt) bool { c.statement(s); return true })
	c.unused()
	c.patterns()
	for _, b := range c.bodies {
		c.body(b)
	}
	slices.SortStableFunc(c.found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Pos.File.Name, b.Pos.File.Name), cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col), cmp.Compare(a.Rule, b.Rule))
	})
	return c.found
}

// A use is a name that is declared, and perhaps used.
type use struct {
	at    Pos
	node  any
	count int
}

type checker struct {
	found    []Finding
	regions  map[string]*use
	phdrs    map[string]*use
	sections map[string]*OutSection
	order    []*OutSection // as they come, those of overlays too
	bodies   [][]Stmt      // of SECTIONS
	defaults bool          // there are headers that the script does not name
	memory   []*Region
}

func (c *checker) report(at Pos, level Level, rule, format string, a ...any) {
	if at.File == nil {
		at.File = &Source{} // a tree that no parser made
	}
	c.found = append(c.found, Finding{at, level, rule, fmt.Sprintf(format, a...)})
}

// declare notes what a statement declares.
func (c *checker) declare(s Stmt) {
	switch s := s.(type) {
	case *Memory:
		for _, r := range s.Regions {
			c.name(c.regions, "duplicate-region", r.Name, r.Pos, r)
			c.memory = append(c.memory, r)
		}
	case *RegionAlias:
		c.name(c.regions, "duplicate-region", s.Alias, s.Pos, s)
	case *Phdrs:
		c.defaults = c.defaults || s.Default
		for _, h := range s.Headers {
			c.name(c.phdrs, "duplicate-phdr", h.Name, h.Pos, h)
		}
	case *Sections:
		c.bodies = append(c.bodies, s.Body)
	case *OutSection:
		c.order = append(c.order, s)
		first := c.sections[s.Name]
		if first == nil {
			c.sections[s.Name] = s
		} else if s.Name != "/DISCARD/" && s.Constraint == "" && first.Constraint == "" {
			c.report(s.Pos, Note, "repeated-section", "%s is described before, at %v: what this adds goes there, with the address and region of that", s.Name, first.Pos)
		}
	}
}

func (c *checker) name(set map[string]*use, rule, name string, at Pos, node any) {
	if first := set[name]; first != nil {
		c.report(at, Warning, rule, "%q is declared before, at %v", name, first.at)
		return
	}
	set[name] = &use{at: at, node: node}
}

// statement looks at one statement.
func (c *checker) statement(s Stmt) {
	for _, x := range Exprs(s) {
		WalkExpr(x, c.expr)
	}
	switch s := s.(type) {
	case *RegionAlias:
		c.region(s.Region, s.Pos)
		c.regions[s.Alias].count++ // it is there to have one
	case *OutSection:
		c.placed(s.Pos, s.Region, s.AtRegion, s.Phdrs, s.AtAddr)
		c.outSection(s)
	case *Overlay:
		c.placed(s.Pos, s.Region, s.AtRegion, s.Phdrs, s.AtAddr)
	case *Assert:
		c.assert(s)
	case *InputSpec:
		c.inputNames(s)
	}
}

// placed looks at where a section goes.
func (c *checker) placed(at Pos, region, atRegion string, phdrs []string, lma Expr) {
	c.region(region, at)
	c.region(atRegion, at)
	for _, h := range phdrs {
		u := c.phdrs[h]
		switch {
		case u != nil:
			u.count++
		case h != "NONE" && !c.defaults:
			c.report(at, Fault, "undeclared-phdr", "PHDRS: %q is not declared", h)
		}
	}
	if atRegion != "" && lma != nil {
		c.report(at, Fault, "two-lmas", "both AT(…) and AT>%s give the load address", atRegion)
	}
}

func (c *checker) region(name string, at Pos) {
	if name == "" {
		return
	}
	if u := c.regions[name]; u != nil {
		u.count++
		return
	}
	level := Fault
	if len(c.regions) == 0 {
		level = Warning // perhaps another script has MEMORY
	}
	c.report(at, level, "undeclared-region", "MEMORY: %q is not declared", name)
}

// unused reports what was declared and never used, and what is odd about it.
func (c *checker) unused() {
	for name, u := range c.regions {
		if _, ok := u.node.(*Region); ok && u.count == 0 {
			c.report(u.at, Note, "unused-region", "%q is not used; it may still take sections by its attributes", name)
		}
	}
	for name, u := range c.phdrs {
		h := u.node.(*Phdr)
		kind, _ := h.Type.(*Name)
		if u.count == 0 && !h.Filehdr && !h.Phdrs && (kind == nil || kind.Name != "PT_GNU_STACK" && kind.Name != "PT_NULL") {
			c.report(u.at, Warning, "unused-phdr", "no section goes to %q: GNU ld writes it with sizes of zero, lld leaves a PT_LOAD out", name)
		}
	}
	for i, r := range c.memory {
		origin, length, ok := r.span()
		if !ok {
			continue
		}
		if length == 0 {
			c.report(r.Pos, Warning, "empty-region", "%q has no length", r.Name)
		}
		for _, q := range c.memory[:min(i, maxRegions)] {
			if o, l, ok := q.span(); ok && origin < o+l && o < origin+length {
				c.report(r.Pos, Note, "overlapping-regions", "%q shares addresses with %q", r.Name, q.Name)
				break
			}
		}
	}
}

// maxRegions bounds the search for regions that overlap.
const maxRegions = 1000

// span is where a region lies, if that is constant.
func (r *Region) span() (origin, length uint64, ok bool) {
	origin, ok1 := constant(r.Origin)
	length, ok2 := constant(r.Length)
	return origin, length, ok1 && ok2
}

// expr looks at an expression, but not at those within.
func (c *checker) expr(x Expr) {
	switch x := x.(type) {
	case *Name:
		c.joined(x)
	case *Number:
		if t := x.Text; t != "" && classes[t[0]]&chDigit == 0 && t[0] != '$' {
			c.report(x.Pos, Warning, "word-is-number", "%s is a number here, %#x; a symbol of that name needs quotes", t, x.Value)
		}
	case *Assert:
		c.assert(x)
	case *NameCall:
		c.nameCall(x)
	}
}

func (c *checker) nameCall(x *NameCall) {
	switch x.Func {
	case "ORIGIN", "LENGTH":
		c.region(x.Name, x.Pos)
	case "CONSTANT":
		if x.Name != "MAXPAGESIZE" && x.Name != "COMMONPAGESIZE" {
			c.report(x.Pos, Fault, "unknown-constant", "CONSTANT(%s): want MAXPAGESIZE or COMMONPAGESIZE", x.Name)
		}
	case "ADDR", "LOADADDR", "SIZEOF", "ALIGNOF":
		if c.sections[x.Name] == nil && len(c.sections) > 0 {
			c.report(x.Pos, Note, "unknown-section", "%s(%s): no output section of that name is described", x.Func, x.Name)
		}
	}
}

func (c *checker) assert(a *Assert) {
	v, ok := constant(a.X)
	switch {
	case ok && v == 0:
		c.report(a.Pos, Fault, "constant-assert", "it always fails: %s", a.Message)
	case ok:
		c.report(a.Pos, Note, "constant-assert", "it never fails")
	}
}
