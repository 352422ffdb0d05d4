package layout

import (
	"debug/elf"

	"elfwright/link/model"
)

// edge is a symbol at the edge of an output section: __start_NAME, __stop_NAME.
type edge struct {
	sym *model.Symbol
	out *section
	end bool
}

// startStop defines __start_NAME and __stop_NAME, if they are referred to, for
// output sections whose name is one of C and that have an input section of it. In
// an object they stay undefined: the section may become larger yet.
func (s *Script) startStop() {
	if s.opt.Relocatable {
		return
	}
	for _, o := range s.order {
		if !isCName(o.name) || !o.hasNamesake() {
			continue
		}
		s.edge("__start_"+o.name, o, false)
		s.edge("__stop_"+o.name, o, true)
	}
}

func (s *Script) edge(name string, o *section, end bool) {
	m := s.env.Table.Get(name)
	if m == nil || m.State != model.Undefined || s.syms[name] != nil && s.syms[name].set {
		return
	}
	for _, e := range s.edges {
		if e.sym == m {
			return
		}
	}
	m.State, m.Out = model.Defined, o.out
	m.Bind = elf.STB_GLOBAL
	if m.Vis == elf.STV_DEFAULT {
		m.Vis = s.edgeVisibility()
	}
	s.edges = append(s.edges, edge{m, o, end})
}

func (s *Script) edgeVisibility() elf.SymVis {
	switch s.opt.StartStopVis {
	case "default":
		return elf.STV_DEFAULT
	case "hidden":
		return elf.STV_HIDDEN
	case "internal":
		return elf.STV_INTERNAL
	}
	return elf.STV_PROTECTED
}

func (s *Script) publishStartStop() {
	for _, e := range s.edges {
		e.sym.Value = 0
		if e.end {
			e.sym.Value = e.out.out.Size
		}
	}
}

func isCName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return name != ""
}

// hasNamesake says whether an input section of the output's name is in it.
func (o *section) hasNamesake() bool {
	found := false
	o.eachInput(func(sec *model.Section) {
		found = found || sec.Name == o.name
	})
	return found
}

// eachInput calls f for the input sections in their order, thunks aside.
func (o *section) eachInput(f func(*model.Section)) {
	for _, st := range o.body {
		switch st := st.(type) {
		case *spec:
			for _, sec := range st.sections {
				f(sec)
			}
		case *placed:
			for _, sec := range st.sections {
				f(sec)
			}
		}
	}
}
