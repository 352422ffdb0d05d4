package deps

import (
	"elfwright/dyn/bind"
	"elfwright/dyn/load"
)

// Subject is a program, what is loaded for it, and, where it was asked for, how
// its symbols are bound.
type Subject struct {
	Process *load.Process
	Bound   *bind.Result // nil: names only, or static
	Damage  error        // what could not be read of the objects or while binding

	names []string // by index in Process.Objects: see [Subject.Name]
}

// New makes a subject of a process; with symbols it is bound. A process that was
// loaded with load.Options.NamesOnly has none to bind.
func New(p *load.Process, symbols bool, opt bind.Options) *Subject {
	s := &Subject{Process: p}
	s.name()
	if !symbols || s.Static() {
		return s
	}
	// A file that shrinks meanwhile is an error, whoever reads it.
	fault := p.Guard(func() error {
		s.Bound, s.Damage = bind.Bind(p, opt)
		return nil
	})
	if fault != nil {
		s.Bound, s.Damage = nil, fault
	}
	return s
}

// Static says that nothing is loaded by a dynamic linker: there is no PT_DYNAMIC.
func (s *Subject) Static() bool { return s.Process.Program().Dynamic.Prog < 0 }

// Name is what an object is called in reports: DT_SONAME or what it was asked for
// by, of a program as it was given; where two have the same name, the path.
func (s *Subject) Name(o *load.Object) string {
	if o.Index >= 0 && o.Index < len(s.names) && s.Process.Objects[o.Index] == o {
		return s.names[o.Index]
	}
	return base(o)
}

// name gives the objects their names.
func (s *Subject) name() {
	list := s.Process.Objects
	s.names = make([]string, len(list))
	had := make(map[string]int, len(list))
	for i, o := range list {
		s.names[i] = base(o)
		if o == s.Process.Program() {
			s.names[i] = o.Asked
		}
		if first, ok := had[s.names[i]]; ok {
			s.names[first], s.names[i] = list[first].Path, o.Path
			continue
		}
		had[s.names[i]] = i
	}
}

// base is a short name of an object: what others call it.
func base(o *load.Object) string {
	if o.Found.Rule != load.RuleProgram && o.Soname != "" {
		return o.Soname
	}
	return o.Asked
}
