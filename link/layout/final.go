package layout

import "elfwright/ldscript"

// final gives symbols, data and assertions their values for addresses that stand.
// The walk that places things evaluates assignments, too, but sees another
// location counter at two places: an output section that is dropped moves it
// there by its address, and not here; and sizes of what comes later are known
// here only. Values of symbols are those of this walk, as in GNU ld.
func (s *Script) final() {
	s.pass++
	s.finalPass = true
	s.dot, s.lastAlloc, s.counterSet, s.sawEnd = 0, nil, false, false
	s.broken = s.broken[:0]
	for i, st := range s.body {
		s.stmtAt = i
		switch st := st.(type) {
		case *section:
			s.finalSection(st)
		case *assign:
			s.finalAssign(st)
		case *assertion:
			s.assert(st, 0)
		}
	}
	s.finalPass = false
}

func (s *Script) finalAssign(a *assign) {
	if a.dot() {
		s.counterSet = true
	} else if isEnd(a.Name) {
		s.sawEnd = true
	}
	v, e, ok := s.evaluate(a, 0)
	switch {
	case !ok:
	case a.dot():
		s.dot = s.address(v)
	default:
		s.give(a, &e, v)
	}
}

func (s *Script) address(v ldscript.Value) uint64 {
	if v.Kind == ldscript.IsRelative {
		return v.N + s.byID[v.Sec].out.Addr
	}
	return v.N
}

func (s *Script) finalSection(o *section) {
	o.afterEnd = s.sawEnd
	if o.off || o.out == nil {
		return
	}
	if !o.ignored && o.traits&alloc != 0 {
		s.lastAlloc, s.counterSet = o, false
	}
	before := s.dot
	s.inside = o
	for _, st := range o.body {
		s.finalIn(o, st)
	}
	s.inside = nil
	s.dot = before
	if o.ignored {
		return
	}
	s.dot = o.out.Addr
	if !o.traits.tbss() {
		s.dot += o.out.Size
	}
	if o.endsOverlay() {
		s.dot = o.overlay.end()
	}
}

func (s *Script) finalIn(o *section, st stmt) {
	switch st := st.(type) {
	case *assign:
		if isEnd(st.Name) {
			s.sawEnd = true
		}
		s.dot = o.out.Addr + st.off
		if st.dot() {
			return
		}
		if v, e, ok := s.evaluate(st, o.id); ok {
			s.give(st, &e, v)
		}
	case *assertion:
		s.dot = o.out.Addr + st.off
		s.assert(st, o.id)
	case *data:
		if !o.ignored {
			o.out.Items[st.item].Bytes = s.bytes(st, o.out.Addr+st.off)
		}
	}
}
