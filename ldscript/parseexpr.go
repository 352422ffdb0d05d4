package ldscript

import "fmt"

// precedence of the operators between operands; higher binds closer.
var precedence = map[string]int{
	"||": 2, "&&": 3, "|": 4, "&": 6, "==": 7, "!=": 7, "<": 8, ">": 8, "<=": 8, ">=": 8,
	"<<": 9, ">>": 9, "+": 10, "-": 10, "*": 11, "/": 11, "%": 11,
}

const (
	condPrecedence  = 1
	unaryPrecedence = 12
)

// exprFuncs are the functions of expressions, and how many they take.
var exprFuncs = map[string]struct{ min, max int }{
	"ABSOLUTE": {1, 1}, "ALIGN": {1, 2}, "BLOCK": {1, 1}, "NEXT": {1, 1}, "MAX": {2, 2}, "MIN": {2, 2}, "LOG2CEIL": {1, 1},
	"DATA_SEGMENT_ALIGN": {2, 2}, "DATA_SEGMENT_RELRO_END": {2, 2}, "DATA_SEGMENT_END": {1, 1},
}

// nameFuncs are the functions of a name, and the mode the name is read in: that
// of a section may have "-" in it.
var nameFuncs = map[string]mode{
	"ADDR": modeScript, "LOADADDR": modeScript, "SIZEOF": modeScript, "ALIGNOF": modeScript, "ORIGIN": modeScript, "LENGTH": modeScript,
	"DEFINED": modeExpr, "CONSTANT": modeExpr,
}

// expr reads an expression.
func (p *parser) expr() Expr { return p.exprFrom(modeExpr) }

// exprFrom reads an expression whose first token is read in the mode.
func (p *parser) exprFrom(m mode) Expr { return p.binary(p.operand(m), condPrecedence) }

// binary reads the operators behind x that bind at least as close as least, and
// their operands.
func (p *parser) binary(x Expr, least int) Expr {
	for n := 0; !p.broken; n++ {
		t := p.peek(modeExpr)
		prec := precedence[t.text]
		switch {
		case t.kind != tokOp:
			return x
		case n == maxChain:
			p.fail(t, fmt.Sprintf("an expression of more than %d operators", maxChain))
			return x
		case t.text == "?" && least <= condPrecedence:
			x = p.cond(x, t)
		case prec >= least && prec > 0:
			p.take(t)
			y := p.tighter(prec)
			x = &Binary{p.pos(t), Op(t.text), x, y}
		default:
			return x
		}
	}
	return x
}

// tighter reads the right operand of an operator.
func (p *parser) tighter(prec int) Expr {
	if !p.enter(p.peek(modeExpr)) {
		return nil
	}
	defer p.leave()
	return p.binary(p.operand(modeExpr), prec+1)
}

func (p *parser) cond(x Expr, t token) Expr {
	p.take(t)
	if !p.enter(t) {
		return x
	}
	defer p.leave()
	c := &Cond{Pos: p.pos(t), C: x, T: p.expr()}
	p.op(modeExpr, ":")
	c.F = p.expr()
	return c
}

// operand reads what is between binary operators.
func (p *parser) operand(m mode) Expr {
	t := p.peek(m)
	if t.kind == tokBad || !p.enter(t) {
		return nil
	}
	defer p.leave()
	at := p.pos(t)
	switch {
	case t.kind == tokNumber:
		p.take(t)
		return &Number{at, t.value, t.text}
	case t.isName():
		p.take(t)
		return &Name{at, t.text}
	case t.is("("):
		p.take(t)
		x := p.expr()
		p.op(modeExpr, ")")
		if x != nil {
			p.script.layout.parens[x] = true
		}
		return x
	case t.is("-"), t.is("+"), t.is("!"), t.is("~"):
		p.take(t)
		return &Unary{at, Op(t.text), p.operand(modeExpr)}
	case t.kind == tokWord:
		return p.function(t)
	}
	p.want(t, "an expression")
	return nil
}

// function reads a builtin function, whose name is a keyword.
func (p *parser) function(t token) Expr {
	at := p.pos(t)
	_, ofExprs := exprFuncs[t.text]
	in, ofName := nameFuncs[t.text]
	switch {
	case t.text == "SIZEOF_HEADERS":
		p.take(t)
		return &Call{Pos: at, Func: t.text}
	case t.text == "ASSERT":
		p.take(t)
		return p.assertion(at)
	case t.text == "SEGMENT_START":
		p.take(t)
		p.op(modeScript, "(")
		n := &NameCall{Pos: at, Func: t.text, Name: p.name(modeScript, "a segment").text}
		p.op(modeExpr, ",")
		n.Default = p.expr()
		p.op(modeExpr, ")")
		return n
	case ofExprs:
		p.take(t)
		return p.call(at, t.text)
	case ofName:
		p.take(t)
		p.op(in, "(")
		n := &NameCall{Pos: at, Func: t.text, Name: p.name(in, "a name").text}
		p.op(in, ")")
		return n
	}
	p.want(t, "an expression")
	return nil
}

// call reads the arguments of a function.
func (p *parser) call(at Pos, name string) Expr {
	takes := exprFuncs[name]
	c := &Call{Pos: at, Func: name}
	p.op(modeExpr, "(")
	for !p.broken && !p.full {
		c.Args = append(c.Args, p.expr())
		if len(c.Args) < takes.max && p.accept(modeExpr, ",") {
			continue
		}
		if len(c.Args) < takes.min {
			p.op(modeExpr, ",")
		}
		break
	}
	p.op(modeExpr, ")")
	return c
}

// assertion reads (X, "message").
func (p *parser) assertion(at Pos) *Assert {
	p.op(modeExpr, "(")
	a := &Assert{Pos: at, X: p.expr()}
	p.op(modeExpr, ",")
	a.Message = p.name(modeExpr, "a message").text
	p.op(modeExpr, ")")
	return a
}
