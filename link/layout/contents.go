package layout

import (
	"slices"

	"elfwright/ldscript"
	"elfwright/link/model"
)

// filler places what is in one output section.
type filler struct {
	s        *Script
	o        *section
	base     uint64
	dot      uint64
	subalign uint64 // or 0
	pattern  uint64 // where the pattern that fills begins anew: lld's rule
}

// fill places the contents of an output section at an address and returns the
// address behind them.
func (s *Script) fill(o *section, base uint64) uint64 {
	f := &filler{s: s, o: o, base: base, dot: base}
	if o.subalign != nil {
		f.subalign = s.alignOf(o.subalign)
	}
	o.walkAl = 1
	o.out.Items = slices.Grow(o.out.Items[:0], o.itemCount())
	o.out.Fill = o.fill
	o.filled = 0
	keep := s.dot
	s.inside = o
	for _, st := range o.body {
		f.statement(st)
	}
	s.inside = nil
	s.dot = keep
	return f.dot
}

// itemCount is about how many items there will be.
func (o *section) itemCount() int {
	n := len(o.body)
	for _, st := range o.body {
		switch st := st.(type) {
		case *spec:
			n += len(st.sections)
		case *placed:
			n += len(st.sections)
		}
	}
	return n
}

func (f *filler) statement(st stmt) {
	switch st := st.(type) {
	case *spec:
		for _, sec := range st.sections {
			f.section(sec)
		}
	case *placed:
		for _, sec := range st.sections {
			f.section(sec)
		}
	case *assign:
		f.assign(st)
	case *assertion:
		st.off = f.dot - f.base
	case *data:
		f.data(st)
	case *fillStmt:
		f.o.out.Items = append(f.o.out.Items, model.Item{Off: f.dot - f.base, Fill: st.fill})
	}
}

// section places an input section at its alignment, and the thunks behind it.
func (f *filler) section(sec *model.Section) {
	if !sec.Live {
		return
	}
	sec.Out = f.o.out
	if sec.Size == 0 && sec.Obj.Linker || f.o.ignored {
		sec.Off = f.dot - f.base
		return
	}
	al := sec.Align
	if f.subalign != 0 {
		al = f.subalign
	}
	f.o.walkAl = max(f.o.walkAl, al)
	f.dot = alignUp(f.dot, al)
	sec.Off = f.dot - f.base
	f.o.out.Items = append(f.o.out.Items, model.Item{Off: sec.Off, Size: sec.Size, Section: sec})
	f.dot += sec.Size
	f.grow()
	f.afterInput()
	f.s.seg.place(f.o, sec)
	for _, t := range sec.After {
		f.section(t)
	}
}

// grow keeps the size of the section up to date while it is filled, for SIZEOF of
// itself.
func (f *filler) grow() { f.o.filled = f.dot - f.base }

func (f *filler) assign(a *assign) {
	s := f.s
	s.dot = f.dot
	a.off = f.dot - f.base
	v, e, ok := s.evaluate(a, f.o.id)
	switch {
	case !ok:
	case a.dot():
		f.setDot(a, v)
	default:
		s.give(a, &e, v)
	}
}

// setDot moves the location counter. A number is an offset in the section; only
// forward is possible.
func (f *filler) setDot(a *assign, v ldscript.Value) {
	to := v.N
	switch v.Kind {
	case ldscript.IsNumber:
		if !f.s.rules.AbsoluteDot {
			to += f.base
		}
	case ldscript.IsRelative:
		to += f.s.byID[v.Sec].out.Addr
	}
	if f.o.ignored {
		return
	}
	if to < f.dot {
		f.s.fails(fault(a.Pos, f.o.name, "the location counter cannot move backwards inside a section, from %#x to %#x", f.dot, to))
		return
	}
	if to != f.dot {
		f.dot = to
		f.grow()
		if f.o.kind != noAlloc {
			f.o.traits |= alloc
		}
	}
}

func (f *filler) data(d *data) {
	d.off = f.dot - f.base
	d.item = len(f.o.out.Items)
	f.o.out.Items = append(f.o.out.Items, model.Item{Off: d.off, Size: d.size})
	f.dot += d.size
	f.grow()
	f.afterData()
}

// afterInput: for lld the pattern begins at the start of the output section, and
// behind each input section.
func (f *filler) afterInput() {
	if f.s.lldRules.wideFill && f.o.fill != nil {
		f.pattern = f.dot - f.base
		f.o.out.Items = append(f.o.out.Items, model.Item{Off: f.pattern, Fill: f.o.fill})
	}
}

// afterData: for lld data lie on the pattern, which goes on behind them.
func (f *filler) afterData() {
	if !f.s.lldRules.wideFill || f.o.fill == nil {
		return
	}
	at := f.dot - f.base
	n := int((at - f.pattern) % uint64(len(f.o.fill)))
	f.o.out.Items = append(f.o.out.Items, model.Item{Off: at, Fill: append(f.o.fill[n:len(f.o.fill):len(f.o.fill)], f.o.fill[:n]...)})
}

// bytes are those of a data statement, in the byte order of the output. An
// expression is evaluated as outside of sections: a symbol is its address.
func (s *Script) bytes(d *data, dot uint64) []byte {
	if d.kind == "ASCIZ" {
		return append([]byte(d.text), 0)
	}
	e := ldscript.Eval{Env: asker{s}, Rules: s.rules, Dot: dot}
	n, err := e.Address(d.x)
	if err != nil {
		s.fails(err)
	}
	d.value = n
	b := make([]byte, 8)
	s.env.Order.PutUint64(b, n)
	if s.bigEndian() {
		return b[8-d.size:]
	}
	return b[:d.size:d.size]
}

func (s *Script) bigEndian() bool { return s.env.Order.Uint16([]byte{0, 1}) == 1 }
