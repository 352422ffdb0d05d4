package ldscript

// constant is the value of an expression of numbers alone.
func constant(x Expr) (uint64, bool) {
	switch x := x.(type) {
	case *Number:
		return x.Value, true
	case *Unary:
		v, ok := constant(x.X)
		switch x.Op {
		case "-":
			v = -v
		case "~":
			v = ^v
		case "!":
			v = truth(v == 0)
		}
		return v, ok
	case *Binary:
		a, ok1 := constant(x.X)
		b, ok2 := constant(x.Y)
		if !ok1 || !ok2 {
			return 0, false
		}
		return constantOp(x.Op, a, b)
	case *Cond:
		if v, ok := constant(x.C); ok && v != 0 {
			return constant(x.T)
		} else if ok {
			return constant(x.F)
		}
	}
	return 0, false
}

func truth(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// constantOp is for the operators that constants are written with.
func constantOp(op Op, a, b uint64) (uint64, bool) {
	switch op {
	case "+":
		return a + b, true
	case "-":
		return a - b, true
	case "*":
		return a * b, true
	case "&":
		return a & b, true
	case "|":
		return a | b, true
	case "<<":
		return a << b, true
	case ">>":
		return a >> b, true
	case "==":
		return truth(a == b), true
	case "!=":
		return truth(a != b), true
	case "<":
		return truth(a < b), true
	case ">":
		return truth(a > b), true
	case "<=":
		return truth(a <= b), true
	case ">=":
		return truth(a >= b), true
	case "&&":
		return truth(a != 0 && b != 0), true
	case "||":
		return truth(a != 0 || b != 0), true
	case "/":
		if b != 0 {
			return a / b, true
		}
	}
	return 0, false
}

// A floor is the least that the location counter can be, as far as constants
// tell.
type floor struct {
	least uint64
	known bool
}

// assign follows an assignment to the location counter. It says from where the
// counter goes back, if it does.
func (f *floor) assign(s *Assign) (from uint64, back bool) {
	v, ok := constant(s.X)
	switch {
	case s.Name != "." || s.Provide:
	case s.Op == "=" && ok:
		from, back = f.least, f.known && v < f.least
		f.least, f.known = v, true
	case s.Op == "+=" && ok:
		f.least += v
	case s.Op == "=" && forward(s.X), s.Op == "+=":
	default:
		f.known = false
	}
	return from, back
}

// forward says whether ". = x" leaves the counter where it is, or moves it on.
func forward(x Expr) bool {
	switch x := x.(type) {
	case *Name:
		return x.Name == "."
	case *Call:
		return x.Func == "ALIGN" && (len(x.Args) == 1 || forward(x.Args[0]))
	}
	return false
}

// body follows the location counter through SECTIONS.
func (c *checker) body(list []Stmt) {
	var at floor
	var before *OutSection
	load := "" // its load region, named or not
	for _, s := range list {
		switch s := s.(type) {
		case *Assign:
			if from, back := at.assign(s); back {
				c.report(s.Pos, Note, "backwards", `"." goes back, from %#x or more`, from)
			}
		case *OutSection:
			if s.Addr != nil {
				at.known = false
				if v, ok := constant(s.Addr); ok {
					at = floor{v, true}
				}
			}
			if s.Region != "" {
				at.known = false
			}
			if s.Name != "/DISCARD/" {
				load = c.inherits(before, s, load)
				before = s
			}
		case *Overlay, *Include:
			at.known = false
		}
	}
}

// inherits returns the load region of a section, and reports one that goes on
// from the section before without being named.
func (c *checker) inherits(before, s *OutSection, load string) string {
	if load == "" || s.AtRegion != "" || s.AtAddr != nil || s.Addr != nil || s.Region != before.Region {
		return s.AtRegion
	}
	c.report(s.Pos, Note, "dialect-lma", "%s has no AT>: GNU ld puts its load address into %s, as for %s before it; for lld it is the address", s.Name, load, before.Name)
	return load
}

// outSection looks at what is in an output section.
func (c *checker) outSection(s *OutSection) {
	if s.AlignInput {
		c.report(s.Pos, Note, "dialect-syntax", "ALIGN_WITH_INPUT is not known to lld 14")
	}
	at := floor{0, true}
	symbols := len(s.Body) > 0
	for _, b := range s.Body {
		a, ok := b.(*Assign)
		if !ok || a.Name == "." {
			symbols = false
		}
		if ok {
			c.assignInside(s, a, &at)
		}
	}
	if symbols && s.Name != "/DISCARD/" {
		c.report(s.Pos, Note, "dialect-symbols-only", "%s has symbols alone: GNU ld drops the section, lld keeps it", s.Name)
	}
}

func (c *checker) assignInside(s *OutSection, a *Assign, at *floor) {
	if from, back := at.assign(a); back {
		c.report(a.Pos, Fault, "backwards", `"." goes back within %s, from %#x or more`, s.Name, from)
	}
	if a.Op != "=" {
		return
	}
	_, number := constant(a.X)
	switch {
	case a.Name != ".":
		if number {
			c.report(a.Pos, Note, "dialect-number", "%s is %s for lld, and that far into %s for GNU ld", a.Name, ExprString(a.X), s.Name)
		}
	case number:
		c.report(a.Pos, Note, "dialect-dot", "for GNU ld %s is an offset in %s, for lld an address", ExprString(a.X), s.Name)
	}
}
