package ldscript

import (
	"fmt"
	"strings"
)

// ExprString returns an expression as text.
func ExprString(x Expr) string {
	return (&printer{layout: newScript(nil).layout}).expr(x)
}

func (p *printer) expr(x Expr) string { return p.operand(x, 0) }

// operand returns x, in parentheses if it binds less close than least, or if it
// had them.
func (p *printer) operand(x Expr, least int) string {
	text, prec := p.bare(x)
	if prec < least || p.parens[x] {
		return "(" + text + ")"
	}
	return text
}

const atomPrecedence = unaryPrecedence + 1

// bare returns x without parentheses around, and how close it binds.
func (p *printer) bare(x Expr) (string, int) {
	switch x := x.(type) {
	case *Number:
		if x.Text == "" {
			return fmt.Sprintf("%#x", x.Value), atomPrecedence
		}
		return x.Text, atomPrecedence
	case *Name:
		return quoteIn(modeExpr, x.Name), atomPrecedence
	case *Unary:
		return string(x.Op) + p.operand(x.X, unaryPrecedence), unaryPrecedence
	case *Binary:
		prec := precedence[string(x.Op)]
		return p.operand(x.X, prec) + " " + string(x.Op) + " " + p.operand(x.Y, prec+1), prec
	case *Cond:
		return p.operand(x.C, condPrecedence+1) + " ? " + p.expr(x.T) + " : " + p.expr(x.F), condPrecedence
	case *Call:
		if x.Func == "SIZEOF_HEADERS" {
			return x.Func, atomPrecedence
		}
		args := make([]string, len(x.Args))
		for i, a := range x.Args {
			args[i] = p.expr(a)
		}
		return x.Func + "(" + strings.Join(args, ", ") + ")", atomPrecedence
	case *NameCall:
		if x.Default != nil {
			return x.Func + `("` + x.Name + `", ` + p.expr(x.Default) + ")", atomPrecedence
		}
		return x.Func + "(" + quoteIn(nameFuncs[x.Func], x.Name) + ")", atomPrecedence
	case *Assert:
		return p.assert(x), atomPrecedence
	}
	panic(fmt.Sprintf("no way to print a %T", x))
}

// address returns the address of an output section. Its first token is read as
// in a script, where some expressions begin otherwise.
func (p *printer) address(x Expr) string {
	text := p.expr(x)
	asExpr, asScript := &lexer{src: &Source{}, text: text}, &lexer{src: &Source{}, text: text}
	if a, b := asExpr.next(modeExpr), asScript.next(modeScript); a != b {
		return "(" + text + ")"
	}
	return text
}
