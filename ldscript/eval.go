package ldscript

import (
	"fmt"
	"math/bits"
)

// Eval evaluates expressions at one place of a script. The rules of which value
// is relative to what are those of GNU ld 2.40, as measured: the manual's
// section "The Section of an Expression" leaves much of it open.
type Eval struct {
	Env   Env
	Rules Rules
	Dot   uint64  // the location counter, an address
	In    Section // the output section that the expression is in, or none

	// UsedDot is set when the value depends on the location counter. A symbol
	// that is assigned such a value outside of output sections belongs to the
	// section nearby.
	UsedDot bool
	// Source is the symbol that alone made the value, so that an alias gets
	// the type of its target; empty if there are several or none.
	Source  string
	symbols int
	// Failed are the ASSERTs in the expression whose condition was 0.
	Failed []*Assert
}

// Value evaluates x.
func (e *Eval) Value(x Expr) (Value, error) {
	e.UsedDot, e.Source, e.symbols, e.Failed = false, "", 0, nil
	v, err := e.eval(x)
	if e.symbols != 1 {
		e.Source = ""
	}
	return v, err
}

// Address evaluates x and makes an address of it: a number is one.
func (e *Eval) Address(x Expr) (uint64, error) {
	v, err := e.Value(x)
	if err != nil {
		return 0, err
	}
	return e.absolute(v).N, nil
}

func (e *Eval) eval(x Expr) (Value, error) {
	switch x := x.(type) {
	case *Number:
		return e.constant(x.Value), nil
	case *Name:
		return e.name(x)
	case *Unary:
		return e.unary(x)
	case *Binary:
		return e.binary(x)
	case *Cond:
		return e.cond(x)
	case *Call:
		return e.call(x)
	case *NameCall:
		return e.nameCall(x)
	case *Assert:
		v, err := e.eval(x.X)
		if err == nil && v.N == 0 {
			e.Failed = append(e.Failed, x)
		}
		return v, err
	}
	return Value{}, fail(x, "", "an expression of type %T is not known", x)
}

// constant is a number as the script has it: absolute outside of sections.
func (e *Eval) constant(n uint64) Value {
	if e.In == 0 && !e.Rules.NumbersOutside {
		return Abs(n)
	}
	return Num(n)
}

// here makes an address relative to the section that the expression is in.
func (e *Eval) here(addr uint64) Value {
	e.UsedDot = true
	if e.In == 0 {
		return Abs(addr)
	}
	return Rel(e.In, addr-e.Env.Address(e.In))
}

func (e *Eval) absolute(v Value) Value {
	if v.Kind == IsRelative {
		v.N += e.Env.Address(v.Sec)
	}
	return Abs(v.N)
}

func (e *Eval) name(x *Name) (Value, error) {
	if x.Name == "." {
		return e.here(e.Dot), nil
	}
	e.symbols++
	e.Source = x.Name
	v, err := e.Env.Symbol(x.Name, x.Pos)
	if err == nil && v.Kind == IsAbsolute && (e.In != 0 || e.Rules.NumbersOutside) {
		v = Num(v.N)
	}
	return v, err
}

func (e *Eval) unary(x *Unary) (Value, error) {
	v, err := e.eval(x.X)
	if err != nil {
		return v, err
	}
	switch x.Op {
	case "-":
		v.N = -v.N
	case "~":
		v.N = ^v.N
	case "!":
		v.N = b2u(v.N == 0)
	case "+":
	default:
		return v, fail(x, "", "%s is not an operator of one operand", x.Op)
	}
	return v, nil
}

func (e *Eval) cond(x *Cond) (Value, error) {
	seen, source := e.symbols, e.Source
	c, err := e.eval(x.C)
	if err != nil {
		return c, err
	}
	e.symbols, e.Source = seen, source // a condition's symbols give no type
	if c.N != 0 {
		return e.eval(x.T)
	}
	return e.eval(x.F)
}

func (e *Eval) binary(x *Binary) (Value, error) {
	l, err := e.eval(x.X)
	if err != nil {
		return l, err
	}
	r, err := e.eval(x.Y)
	if err != nil {
		return r, err
	}
	l, r = e.comparable(l, r)
	n, plain, err := operate(x, l.N, r.N)
	if err != nil || plain {
		return Num(n), err
	}
	return e.result(n, l, r), nil
}

// comparable brings two operands to one base: different ones that are no mere
// numbers become absolute.
func (e *Eval) comparable(l, r Value) (Value, Value) {
	if l.Kind != IsNumber && r.Kind != IsNumber && !l.sameBase(r) {
		e.UsedDot = false
		return e.absolute(l), e.absolute(r)
	}
	return l, r
}

// result is the base of what arithmetic gives: that of the operand that is no
// number; a difference, or the like, of two with the same base is a number.
func (e *Eval) result(n uint64, l, r Value) Value {
	switch {
	case l.sameBase(r):
		return e.constant(n)
	case l.Kind == IsNumber:
		return Value{n, r.Kind, r.Sec}
	}
	return Value{n, l.Kind, l.Sec}
}

// operate carries out an operator. plain: the result is a number whatever the
// operands are. Division is signed in GNU ld, everything else is not.
func operate(x *Binary, a, b uint64) (n uint64, plain bool, err error) {
	switch x.Op {
	case "+":
		return a + b, false, nil
	case "-":
		return a - b, false, nil
	case "*":
		return a * b, false, nil
	case "/", "%":
		n, err = divide(x, int64(a), int64(b))
		return n, false, err
	case "<<":
		return a << b, false, nil
	case ">>":
		return a >> b, false, nil
	case "&":
		return a & b, false, nil
	case "|":
		return a | b, false, nil
	case "==":
		return b2u(a == b), true, nil
	case "!=":
		return b2u(a != b), true, nil
	case "<":
		return b2u(a < b), true, nil
	case ">":
		return b2u(a > b), true, nil
	case "<=":
		return b2u(a <= b), true, nil
	case ">=":
		return b2u(a >= b), true, nil
	case "&&":
		return b2u(a != 0 && b != 0), true, nil
	case "||":
		return b2u(a != 0 || b != 0), true, nil
	}
	return 0, false, fail(x, "", "%s is not an operator", x.Op)
}

func divide(x *Binary, a, b int64) (uint64, error) {
	switch {
	case b == 0:
		return 0, fail(x.Y, "", "%s by zero", x.Op)
	case b == -1 && x.Op == "/":
		return uint64(-a), nil // the machine's division would trap on the smallest number
	case b == -1:
		return 0, nil
	case x.Op == "/":
		return uint64(a / b), nil
	}
	return uint64(a % b), nil
}

func (e *Eval) call(x *Call) (Value, error) {
	var args [2]Value
	if len(x.Args) > len(args) {
		return Value{}, fail(x, x.Func, "%d arguments, at most two are possible", len(x.Args))
	}
	for i, a := range x.Args {
		v, err := e.eval(a)
		if err != nil {
			return v, err
		}
		args[i] = v
	}
	switch len(x.Args) {
	case 0:
		if x.Func == "SIZEOF_HEADERS" {
			n, err := e.Env.HeadersSize()
			return Num(n), err
		}
	case 1:
		return e.call1(x, args[0])
	case 2:
		return e.call2(x, args[0], args[1])
	}
	return Value{}, fail(x, x.Func, "no such function with %d arguments", len(x.Args))
}

func (e *Eval) call1(x *Call, v Value) (Value, error) {
	switch x.Func {
	case "ABSOLUTE":
		e.UsedDot = false
		return e.absolute(v), nil
	case "ALIGN", "BLOCK":
		n := align(e.Dot, v.N)
		if e.In != 0 && !e.Rules.AlignInSection {
			e.UsedDot = true
			return Abs(n), nil
		}
		return e.here(n), nil
	case "NEXT":
		e.UsedDot = false
		return Abs(align(e.Dot, e.absolute(v).N)), nil
	case "LOG2CEIL":
		if v.N <= 1 {
			return Num(0), nil
		}
		return Num(uint64(bits.Len64(v.N - 1))), nil
	case "DATA_SEGMENT_END":
		return e.dataSegment(x, v, v)
	}
	return v, fail(x, x.Func, "no such function with one argument")
}

func (e *Eval) call2(x *Call, a, b Value) (Value, error) {
	switch x.Func {
	case "MAX", "MIN":
		a, b = e.comparable(a, b)
		if kind := b.Kind; kind == IsNumber { // the base is that of the operand that has one
			b.Kind, b.Sec = a.Kind, a.Sec
		}
		if (a.N > b.N) == (x.Func == "MAX") {
			b.N = a.N
		}
		return b, nil
	case "ALIGN":
		a, b = e.comparable(a, b)
		if b.Kind != IsNumber {
			a.Kind, a.Sec = b.Kind, b.Sec
		}
		a.N = align(a.N, b.N)
		return a, nil
	case "DATA_SEGMENT_ALIGN":
		return e.dataSegment(x, b, a, b)
	case "DATA_SEGMENT_RELRO_END":
		return e.dataSegment(x, b, a, b)
	}
	return a, fail(x, x.Func, "no such function with two arguments")
}

// dataSegment asks about the data segment; the result has the base of base.
func (e *Eval) dataSegment(x *Call, base Value, args ...Value) (Value, error) {
	if e.In != 0 {
		return base, fail(x, x.Func, "is only possible outside of output sections")
	}
	var n [2]uint64
	for i, a := range args {
		n[i] = a.N
	}
	v, err := e.Env.DataSegment(x.Func, e.Dot, n[:len(args)])
	if x.Func == "DATA_SEGMENT_ALIGN" {
		e.UsedDot = true
	}
	base.N = v
	return base, err
}

func (e *Eval) nameCall(x *NameCall) (Value, error) {
	switch x.Func {
	case "DEFINED":
		return Num(b2u(e.Env.Defined(x.Name))), nil
	case "ADDR", "LOADADDR", "SIZEOF", "ALIGNOF":
		return e.Env.SectionValue(x.Func, x.Name, x.Pos)
	case "LENGTH":
		n, err := e.Env.RegionValue(x.Func, x.Name, x.Pos)
		return Num(n), err
	case "ORIGIN":
		n, err := e.Env.RegionValue(x.Func, x.Name, x.Pos)
		return e.here(n), err
	case "CONSTANT":
		n, ok := e.Env.Constant(x.Name)
		if !ok {
			return Value{}, fail(x, x.Func, "%q is not one of MAXPAGESIZE and COMMONPAGESIZE", x.Name)
		}
		return Num(n), nil
	case "SEGMENT_START":
		return e.segmentStart(x)
	}
	return Value{}, fail(x, x.Func, "no such function of a name")
}

func (e *Eval) segmentStart(x *NameCall) (Value, error) {
	if n, ok := e.Env.SegmentStart(x.Name); ok {
		return e.here(n), nil
	}
	v, err := e.eval(x.Default)
	if err != nil {
		return v, err
	}
	return e.here(v.N), nil
}

// align is the next multiple of a; 0 and 1 leave the value as it is.
func align(n, a uint64) uint64 {
	if a <= 1 {
		return n
	}
	if r := n % a; r != 0 {
		n += a - r
	}
	return n
}

func b2u(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func fail(at Expr, context, format string, args ...any) error {
	return &Error{Pos: at.At(), Context: context, Msg: fmt.Sprintf(format, args...)}
}
