package layout

import "elfwright/ldscript"

// idle says whether an assignment of the location counter is one of those that do
// not keep a section, when it comes to no change.
func (s *Script) idle(x ldscript.Expr) bool {
	if s.isZero(x) {
		return true
	}
	switch x := x.(type) {
	case *ldscript.Binary:
		return x.Op == "+" && isDot(x.X) && s.isZero(x.Y)
	case *ldscript.Call:
		if x.Func != "ALIGN" || len(x.Args) != 1 {
			return false
		}
		c, ok := x.Args[0].(*ldscript.Cond)
		if !ok {
			return false
		}
		cmp, ok := c.C.(*ldscript.Binary)
		return ok && cmp.Op == "!=" && isDot(cmp.X) && isNumber(cmp.Y, 0) && isNumber(c.F, 1)
	}
	return false
}

// isZero is for 0, and a symbol of the script that is absolute and 0.
func (s *Script) isZero(x ldscript.Expr) bool {
	if isNumber(x, 0) {
		return true
	}
	n, ok := x.(*ldscript.Name)
	if !ok {
		return false
	}
	y := s.syms[n.Name]
	return y != nil && y.set && y.value == ldscript.Abs(0)
}

func isDot(x ldscript.Expr) bool {
	n, ok := x.(*ldscript.Name)
	return ok && n.Name == "."
}

func isNumber(x ldscript.Expr, v uint64) bool {
	n, ok := x.(*ldscript.Number)
	return ok && n.Value == v
}
