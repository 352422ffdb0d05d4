package layout

import (
	"debug/elf"

	"elfwright/ldscript"
	"elfwright/link/model"
)

// symbol is one that the script assigns.
type symbol struct {
	name   string
	model  *model.Symbol
	object *objectValue // an object's definition of it

	value   ldscript.Value
	set     bool
	round   int  // in which it was assigned last
	guessed bool // value is, or comes from, one that the first walk lacked
	hidden  bool
	source  string // the symbol that alone made its value

	// Of an absolute value that depends on the location counter: where the
	// assignment stands, to find the section that it belongs to.
	near   bool
	stmtAt int
	behind *section // the allocated section before it
	ahead  bool     // the counter was set since
	pos    ldscript.Pos
}

// objectValue is where an object defines a symbol.
type objectValue struct {
	sec   *model.Section
	value uint64
}

func (s *Script) symbol(name string) *symbol {
	y := s.syms[name]
	if y == nil {
		y = &symbol{name: name}
		s.syms[name] = y
		s.symOrder = append(s.symOrder, y)
	}
	return y
}

// declare looks at what the objects say of the script's symbols.
func (s *Script) declare() {
	for _, name := range s.Refers() {
		s.referenced[name] = true
	}
	for _, y := range s.symOrder {
		m := s.env.Table.Get(y.name)
		y.model = m
		if m != nil && m.State == model.Defined && (!m.Script || m.Sec != nil) {
			y.object = &objectValue{m.Sec, m.Value}
		}
	}
}

// provides says whether PROVIDE takes effect: somebody refers to the symbol, and
// no object defines it.
func (s *Script) provides(a *assign) bool {
	if a.provided {
		return true
	}
	m := a.sym.model
	if m == nil {
		m = s.env.Table.Get(a.Name)
		a.sym.model = m
	}
	switch {
	case a.sym.object != nil, a.sym.set: // another assignment came first
	case m == nil:
		a.provided = s.referenced[a.Name]
	case m.State == model.Undefined, m.Script:
		a.provided = true
	case m.State == model.Lazy:
		a.provided = m.Used || s.referenced[a.Name]
	}
	return a.provided
}

// give assigns a value to the symbol of an assignment.
func (s *Script) give(a *assign, e *ldscript.Eval, v ldscript.Value) {
	y := a.sym
	if v.Kind == ldscript.IsNumber {
		v = ldscript.Abs(v.N)
		if e.In != 0 && s.rules.NumberInSection {
			v = ldscript.Rel(e.In, v.N)
		}
	}
	a.last, a.ok = v, true
	y.value, y.set, y.round = v, true, s.pass
	y.guessed = s.askedGuess
	y.hidden = y.hidden || a.Hidden
	y.source = e.Source
	y.pos = a.Pos
	y.near = e.In == 0 && e.UsedDot && v.Kind == ldscript.IsAbsolute
	if y.near {
		y.stmtAt, y.behind, y.ahead = s.stmtAt, s.lastAlloc, s.counterSet
	}
}

// publish writes the values into the symbol table.
func (s *Script) publish() {
	for _, y := range s.symOrder {
		if !y.set {
			continue
		}
		m := y.model
		if m == nil {
			m = s.env.Table.Intern(y.name)
			y.model = m
		}
		m.State, m.Script, m.Sec, m.Out = model.Defined, true, nil, nil
		m.Bind = elf.STB_GLOBAL
		m.Value = y.value.N
		if y.hidden && (m.Vis == elf.STV_DEFAULT || m.Vis == elf.STV_PROTECTED) {
			m.Vis = elf.STV_HIDDEN
		}
		s.publishType(y, m)
		addr := y.value.N
		var in *section
		switch {
		case y.value.Kind == ldscript.IsRelative:
			in = s.byID[y.value.Sec]
			addr += in.out.Addr
		case y.near:
			in = s.nearby(y)
		}
		if in != nil && in.removed {
			in = s.neighbour(in, addr)
		}
		if in != nil {
			m.Out, m.Value = in.out, addr-in.out.Addr
		} else {
			m.Value = addr
		}
	}
	s.publishStartStop()
}

// publishType gives a symbol that is just another name the type of its target.
func (s *Script) publishType(y *symbol, m *model.Symbol) {
	if y.source == "" || y.source == y.name {
		return
	}
	if src := s.env.Table.Get(y.source); src != nil && src.State == model.Defined {
		m.Type, m.Thumb = src.Type, src.Thumb
	}
}

// nearby is the output section that a symbol outside of sections belongs to: the
// one before it; the one after it if the location counter was set in between,
// for that sets up the next. Behind "_end" it is always the one before.
func (s *Script) nearby(y *symbol) *section {
	if y.behind == nil || y.ahead {
		var next *section
		for _, st := range s.body[min(y.stmtAt+1, len(s.body)):] {
			o, ok := st.(*section)
			if !ok {
				continue
			}
			if o.afterEnd || o.out != nil && !o.removed {
				next = o
				break
			}
		}
		if y.behind == nil || next == nil || !next.afterEnd {
			return s.backToAlloc(next)
		}
	}
	if o := s.backToAlloc(y.behind); o != nil {
		return o
	}
	for _, o := range s.order {
		if !o.removed && o.traits&(alloc|tls) == alloc {
			return o
		}
	}
	return nil
}

// backToAlloc is the section, or the nearest before it in the order of headers,
// that is allocated, not thread-local, and in the output; from the end for nil.
func (s *Script) backToAlloc(from *section) *section {
	i := len(s.order) - 1
	for ; from != nil && i >= 0 && s.order[i] != from; i-- {
	}
	for ; i >= 0; i-- {
		if o := s.order[i]; !o.removed && o.traits&(alloc|tls) == alloc {
			return o
		}
	}
	return nil
}

// moveOut lets the input sections of an output section that is removed, which
// have no bytes but may have symbols, lie in a neighbour, at the same address.
func (s *Script) moveOut(o *section) {
	to := s.neighbour(o, o.out.Addr)
	if to == nil {
		return
	}
	o.eachInput(func(sec *model.Section) {
		if sec.Live && sec.Out == o.out {
			sec.Off += o.out.Addr - to.out.Addr
			sec.Out = to.out
		}
	})
}

// neighbour is the output section for symbols of one that is removed: of those
// beside it the one that is more alike.
func (s *Script) neighbour(gone *section, addr uint64) *section {
	var prev, next *section
	seen := false
	for _, o := range s.order {
		switch {
		case o == gone:
			seen = true
		case o.removed:
		case !seen:
			prev = o
		case next == nil:
			next = o
		}
	}
	if prev == nil || next == nil {
		if prev == nil {
			return next
		}
		return prev
	}
	differ := prev.traits ^ next.traits
	mine := next.traits ^ gone.traits
	takePrev := addr < next.out.Addr
	switch {
	case differ&(alloc|tls|load) != 0:
		takePrev = mine&(alloc|tls) != 0 || prev.traits&load != 0 && next.traits&load == 0
	case differ&readonly != 0:
		takePrev = mine&readonly != 0
	case differ&code != 0:
		takePrev = mine&code != 0
	}
	if takePrev {
		return prev
	}
	return next
}
