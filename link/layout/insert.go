package layout

// inserts carries out INSERT: statements move next to their anchor. Patterns have
// taken their sections by then, in the order of the scripts.
func (s *Script) inserts() {
	for i := 0; i < len(s.body); {
		in, ok := s.body[i].(*insert)
		if !ok {
			i++
			continue
		}
		moved := append([]stmt(nil), s.body[i-in.n:i]...)
		rest := append(append([]stmt(nil), s.body[:i-in.n]...), s.body[i+1:]...)
		at, where := s.anchor(rest, in)
		if at < 0 {
			s.once(fault(in.Pos, "INSERT", "there is no output section %q", in.Anchor))
			s.body = append(append([]stmt(nil), s.body[:i]...), s.body[i+1:]...)
			continue
		}
		s.body = append(append(append([]stmt(nil), rest[:at]...), moved...), rest[at:]...)
		s.moveHeaders(moved, where)
		i -= in.n
	}
	s.relist()
}

// anchor finds where the statements of an INSERT go in a list: its position, and
// the output section behind which that is, or nil for the start of the list.
func (s *Script) anchor(list []stmt, in *insert) (at int, where *section) {
	prev := -1
	for i, st := range list {
		o, ok := st.(*section)
		if !ok || o.off {
			continue
		}
		if o.name == in.Anchor {
			if !in.Before {
				prev = i
			}
			if prev >= 0 {
				where = list[prev].(*section)
			}
			return behind(list, prev), where
		}
		prev = i
	}
	return -1, nil
}

// behind is the position for a new output section behind the one at position i
// of a list, -1 for its start: after the assignments that follow it, but before
// one of the location counter, which belongs to the section after that. The
// first of the list is an exception, for it sets where the image begins.
func behind(list []stmt, i int) int {
	counter, first := -1, i < 0
	for j := i + 1; j < len(list); j++ {
		switch st := list[j].(type) {
		case *assign:
			if st.dot() && counter < 0 {
				if !first {
					counter = j
				}
				first = false
			}
		case *section:
			if counter >= 0 && (st.out == nil || !st.hasInput || st.traits&alloc != 0) {
				return counter
			}
			return j
		}
	}
	return len(list)
}

// moveHeaders moves those of the statements that exist in the order of the
// section headers.
func (s *Script) moveHeaders(moved []stmt, where *section) {
	is := map[*section]bool{}
	var list []*section
	for _, st := range moved {
		if o, ok := st.(*section); ok && o.out != nil {
			is[o] = true
			list = append(list, o)
		}
	}
	s.relist()
	if len(list) == 0 || where == nil {
		return
	}
	after := s.lastMade(where)
	if after == nil || is[after] {
		return
	}
	var order []*section
	for _, o := range s.order {
		if !is[o] {
			order = append(order, o)
		}
		if o == after {
			order = append(order, list...)
		}
	}
	s.order = order
}

// lastMade is the section itself if it exists, or the nearest before it that does.
func (s *Script) lastMade(where *section) *section {
	var last *section
	for _, o := range s.listed() {
		if o.out != nil && !o.off {
			last = o
		}
		if o == where {
			break
		}
	}
	return last
}

// relist makes the list of output section statements anew.
func (s *Script) relist() {
	s.stale = false
	s.outs = s.outs[:0]
	for _, st := range s.body {
		if o, ok := st.(*section); ok {
			s.outs = append(s.outs, o)
		}
	}
}

// listed is the list of output section statements, up to date.
func (s *Script) listed() []*section {
	if s.stale {
		s.relist()
	}
	return s.outs
}
