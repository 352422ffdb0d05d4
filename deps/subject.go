package deps

import (
	"elfwright/dyn/bind"
	"elfwright/dyn/load"
)

// Subject is a program, what is loaded for it, and, where it was asked for, how
// its symbols are bound.
type Subject struct {
	Process *load.Process
	Bound   *bind.Result // nil: names only
	Damage  error        // what could not be read while binding

	scope []*load.Object
}

// New makes a subject of a process; with symbols it is bound.
func New(p *load.Process, symbols bool, opt bind.Options) *Subject {
	s := &Subject{Process: p}
	if symbols {
		s.Bound, s.Damage = bind.Bind(p, opt)
	}
	return s
}

// Static says that nothing is loaded by a dynamic linker: there is no PT_DYNAMIC.
func (s *Subject) Static() bool { return s.Process.Program().Dynamic.Prog < 0 }

// Missing is a request that nothing answers.
type Missing struct {
	By   *load.Object
	Need *load.Need
}

// Missing lists the requests that fail, in load order. A DT_AUXILIARY that is not
// there is no failure.
func (s *Subject) Missing() []Missing {
	var list []Missing
	if n := &s.Process.Interp; n.Name != "" && n.To == nil {
		list = append(list, Missing{s.Process.Program(), n})
	}
	for _, o := range s.Process.Objects {
		for i := range o.Needs {
			if n := &o.Needs[i]; n.To == nil && n.Kind != load.Auxiliary {
				list = append(list, Missing{o, n})
			}
		}
	}
	return list
}
