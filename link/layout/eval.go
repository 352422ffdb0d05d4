package layout

import (
	"errors"

	"elfwright/ldscript"
	"elfwright/link/model"
)

// asker answers what expressions ask, from the state of the walk.
type asker struct{ *Script }

// Symbol is the value of a symbol as it is at this point of the walk; of one that
// is assigned further on only, that of the last round, at first 0.
func (s asker) Symbol(name string, at ldscript.Pos) (ldscript.Value, error) {
	if y := s.syms[name]; y != nil {
		if v, ok := s.scriptValue(y); ok {
			return v, nil
		}
	}
	if s.env != nil {
		if m := s.env.Table.Get(name); m != nil && m.State == model.Defined && (m.Sec != nil || m.Out != nil || !m.Script) {
			return s.modelValue(m.Sec, m.Out, m.Value)
		}
	}
	if s.referenced != nil && !s.referenced[name] {
		s.referenced[name] = true
		s.moves("symbol " + name)
	}
	return ldscript.Num(0), &ldscript.Unknown{Pos: at, What: "symbol " + name}
}

// scriptValue is the value of one of the script's own symbols. In the expression
// that assigns it first it has that of an object.
func (s asker) scriptValue(y *symbol) (ldscript.Value, bool) {
	own := s.assigning == y && y.round != s.pass
	switch {
	case own && y.object != nil, !y.set && y.object != nil:
		v, err := s.modelValue(y.object.sec, nil, y.object.value)
		return v, err == nil
	case !y.set:
		return ldscript.Value{}, false
	}
	s.askedGuess = s.askedGuess || y.guessed
	return y.value, true
}

func (s asker) modelValue(sec *model.Section, out *model.Output, value uint64) (ldscript.Value, error) {
	if sec != nil {
		o, pos, ok := sec.At(value)
		if !ok {
			return ldscript.Num(0), nil // of a section that is not in the output
		}
		out, value = o, pos
	}
	if out == nil {
		return ldscript.Abs(value), nil
	}
	return ldscript.Rel(s.byOut[out].id, value), nil
}

// Defined is DEFINED: by an object, or by the script before this point.
func (s asker) Defined(name string) bool {
	if y := s.syms[name]; y != nil && (y.object != nil || y.set && (y.round == s.pass || s.settling)) {
		return true
	} else if y != nil && y.set {
		return false
	}
	m := s.env.Table.Get(name)
	return m != nil && (m.State == model.Defined && !m.Script || m.State == model.Common)
}

func (s asker) Address(id ldscript.Section) uint64 { return s.byID[id].out.Addr }

func (s asker) SectionValue(fn, name string, at ldscript.Pos) (ldscript.Value, error) {
	o := s.find(name)
	if o == nil {
		return ldscript.Num(0), fault(at, fn, "there is no output section %q", name)
	}
	switch fn {
	case "SIZEOF":
		if o.out == nil {
			return ldscript.Num(0), nil
		}
		return ldscript.Num(s.sizeNow(o)), nil
	case "ALIGNOF":
		if o.out == nil {
			return ldscript.Num(0), nil
		}
		return ldscript.Num(o.out.Align), nil
	case "ADDR":
		if o.out != nil && s.lldRules.ownLMA && s.inside == o {
			return ldscript.Rel(o.id, 0), nil
		}
		if o == s.unplaced {
			return ldscript.Num(0), fault(at, fn, "the address of %s is a forward reference: it is being placed", name)
		}
		if o.out == nil || !o.knowVMA {
			return s.forward(fn, name, at)
		}
		return ldscript.Rel(o.id, 0), nil
	}
	if o.out == nil || !o.knowLMA {
		return s.forward(fn, name, at)
	}
	return ldscript.Abs(o.out.LMA), nil
}

// forward is what is not placed yet: in the first round it is unknown, later the
// last round's answer serves.
func (s asker) forward(fn, name string, at ldscript.Pos) (ldscript.Value, error) {
	return ldscript.Num(0), &ldscript.Unknown{Pos: at, What: fn + "(" + name + ")"}
}

// sizeNow is the size of a section in this round, or in the last one if it comes
// later. What moves the location counter inside the section itself sees its size
// so far.
func (s asker) sizeNow(o *section) uint64 {
	if s.inside == o && s.movingDot {
		return o.filled
	}
	return o.out.Size
}

func (s asker) RegionValue(fn, name string, at ldscript.Pos) (uint64, error) {
	r := s.regions.byName[name]
	if r == nil || r.decl == nil {
		return 0, fault(at, fn, "region %q is not declared", name)
	}
	if s.settling {
		return s.regionNow(r, fn, at)
	}
	if fn == "ORIGIN" {
		return r.origin, nil
	}
	return r.length, nil
}

// regionNow is for regions that name one another: each is asked anew.
func (s asker) regionNow(r *region, fn string, at ldscript.Pos) (uint64, error) {
	if s.depth++; s.depth > 100 {
		return 0, fault(at, fn, "region %q depends on itself", r.name)
	}
	defer func() { s.depth-- }()
	x := r.decl.Origin
	if fn == "LENGTH" {
		x = r.decl.Length
	}
	e := ldscript.Eval{Env: s, Rules: s.rules}
	return e.Address(x)
}

func (s asker) Constant(name string) (uint64, bool) {
	switch name {
	case "MAXPAGESIZE":
		return s.maxPage, true
	case "COMMONPAGESIZE":
		return s.commonPage, true
	}
	return 0, false
}

func (s asker) SegmentStart(name string) (uint64, bool) {
	n, ok := s.starts[name]
	return n, ok
}

func (s asker) HeadersSize() (uint64, error) {
	return s.ehdrSize() + uint64(s.headers)*s.phdrSize(), nil
}

func (s asker) DataSegment(fn string, dot uint64, args []uint64) (uint64, error) {
	return s.seg.value(s.rules, fn, dot, args)
}

// number evaluates an expression in which the location counter is 0, as it is
// everywhere but in assignments and addresses of sections; a fault counts for
// this round.
func (s *Script) number(x ldscript.Expr) uint64 {
	e := ldscript.Eval{Env: asker{s}, Rules: s.rules}
	n, err := e.Address(x)
	if err != nil {
		s.fails(err)
	}
	return n
}

// fails notes a fault of this round; only those of the last one are reported.
func (s *Script) fails(err error) {
	s.faults = append(s.faults, err)
}

// isUnknown says whether a later round may know better.
func isUnknown(err error) bool {
	var u *ldscript.Unknown
	return errors.As(err, &u)
}
