package ldscript

// Walk visits the statements of a list in their order, those within others after
// these: what INCLUDE brought, what is in SECTIONS, in overlays, in output
// sections. It does not go into a statement for which visit returns false.
func Walk(list []Stmt, visit func(Stmt) bool) {
	for _, s := range list {
		if !visit(s) {
			continue
		}
		switch s := s.(type) {
		case *Include:
			Walk(s.Body, visit)
		case *Sections:
			Walk(s.Body, visit)
		case *OutSection:
			Walk(s.Body, visit)
		case *Overlay:
			for _, o := range s.Sections {
				Walk([]Stmt{o}, visit)
			}
		}
	}
}

// WalkExpr visits an expression and those within it, outer ones first. nil is
// no expression.
func WalkExpr(x Expr, visit func(Expr)) {
	if x == nil {
		return
	}
	visit(x)
	switch x := x.(type) {
	case *Unary:
		WalkExpr(x.X, visit)
	case *Binary:
		WalkExpr(x.X, visit)
		WalkExpr(x.Y, visit)
	case *Cond:
		WalkExpr(x.C, visit)
		WalkExpr(x.T, visit)
		WalkExpr(x.F, visit)
	case *Call:
		for _, a := range x.Args {
			WalkExpr(a, visit)
		}
	case *NameCall:
		WalkExpr(x.Default, visit)
	case *Assert:
		WalkExpr(x.X, visit)
	}
}

// Exprs are the expressions of a statement itself, not of those within it.
func Exprs(s Stmt) []Expr {
	fill := func(f *Fill) Expr {
		if f == nil {
			return nil
		}
		return f.X
	}
	switch s := s.(type) {
	case *Assign:
		return []Expr{s.X}
	case *Assert:
		return []Expr{s.X}
	case *Data:
		return []Expr{s.X}
	case *FillStmt:
		return []Expr{s.Fill.X}
	case *OutSection:
		return []Expr{s.Addr, s.TypeValue, s.AtAddr, s.Align, s.Subalign, fill(s.Fill)}
	case *Overlay:
		return []Expr{s.Addr, s.AtAddr, s.Subalign, fill(s.Fill)}
	case *Memory:
		var list []Expr
		for _, r := range s.Regions {
			list = append(list, r.Origin, r.Length)
		}
		return list
	case *Phdrs:
		var list []Expr
		for _, h := range s.Headers {
			list = append(list, h.Type, h.AtAddr, h.Flags)
		}
		return list
	}
	return nil
}
