package deps

import (
	"errors"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/elffile"
)

// Subject is a program, what is loaded for it, and, where it was asked for, how
// its symbols are bound.
type Subject struct {
	Process *load.Process
	Bound   *bind.Result // nil: names only, or static
	Damage  error        // what could not be read while binding

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

// program is what everything is loaded for.
func (s *Subject) program() *load.Object {
	if o := s.Process.Program(); o != nil {
		return o
	}
	return s.Process.Objects[0]
}

// Static says that nothing is loaded by a dynamic linker: there is no PT_DYNAMIC.
func (s *Subject) Static() bool { return s.program().Dynamic.Prog < 0 }

// Damage is something of an object that can not be read.
type Damage struct {
	Object *load.Object
	Err    error
}

// Damages lists what could not be read, each once: of the objects by themselves, in
// load order, and then of what only binding reads, which is put down to the object
// whose file it is.
func (s *Subject) Damages() []Damage {
	var list []Damage
	said := map[string]bool{}
	add := func(o *load.Object, err error) {
		for _, e := range elffile.Leaves(err) {
			if text := e.Error(); !said[text] {
				said[text] = true
				list = append(list, Damage{o, e})
			}
		}
	}
	of := map[string]*load.Object{}
	for _, o := range s.Process.Objects {
		of[o.File.Name] = o
		add(o, o.Damage)
	}
	for _, e := range elffile.Leaves(s.Damage) {
		o := s.program()
		if fault, ok := errors.AsType[*elffile.Error](e); ok && of[fault.File] != nil {
			o = of[fault.File]
		}
		add(o, e)
	}
	return list
}

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
		if o == s.program() {
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
