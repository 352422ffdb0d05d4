package layout

import (
	"debug/elf"
	"errors"

	"elfwright/link/model"
)

const shfLinkOrder = elf.SHF_LINK_ORDER

// Match puts the live input sections into output sections: patterns, INSERT,
// orphans. It returns all output sections that exist, in the order of the
// section header table; Assign drops those that stay empty.
func (s *Script) Match(env *model.Env) ([]*model.Output, error) {
	s.env = env
	s.setMachine(env)
	s.referenced = map[string]bool{}
	s.declare()
	rest := s.distribute(env.Objects)
	s.compose()
	s.dropLinked(env.Objects)
	s.inserts()
	s.placeFloating()
	s.placeOrphans(rest)
	s.textIsReadOnly()
	s.alignTLS()
	s.inheritRegions()
	s.checkRegionNames()
	for _, o := range s.order {
		if o.kind == readOnly {
			o.traits |= readonly
		}
		o.baseTraits = o.traits
		s.header(o)
	}
	s.startStop()
	var outs []*model.Output
	for _, o := range s.order {
		outs = append(outs, o.out)
	}
	env.Outputs = append([]*model.Output(nil), outs...)
	return outs, nil
}

// compose makes the output sections, in the order of the statements, and joins
// the input sections to them.
func (s *Script) compose() {
	for _, o := range s.byOption {
		s.create(o, 0)
	}

	for _, st := range s.body {
		switch st := st.(type) {
		case *section:

			if !st.off {
				s.composeSection(st)
			}
		case *assign:
			s.createNamed(st.x)
		case *assertion:
			s.createNamed(st.X)
		}
	}
	for _, o := range s.floating {
		s.composeSection(o)
	}
}

func (s *Script) composeSection(o *section) {
	if o.name == discard {
		s.discardAll(o)
		return
	}
	for _, st := range o.body {
		switch st := st.(type) {
		case *spec:
			s.composeSpec(o, st)
		case *data:
			s.createNamed(st.x)
			s.putData(o)
		case *fillStmt:
			s.create(o, 0)
		case *assign:
			s.create(o, 0)
			s.createNamed(st.x)
		case *assertion:
			s.create(o, 0)
			s.createNamed(st.X)
		}
	}
}

func (s *Script) composeSpec(o *section, sp *spec) {
	if s.commons == nil {
		for i := range sp.Patterns {
			if sp.Patterns[i].Name == "COMMON" {
				s.commons = o
			}
		}
	}
	for _, sec := range sp.sections {
		s.put(o, sec, sec.Place)
	}
	s.sortSpec(sp)
}

func (s *Script) discardAll(o *section) {
	for _, st := range o.body {
		switch st := st.(type) {
		case *spec:
			for _, sec := range st.sections {
				s.drop(sec)
			}
			st.sections = nil
		case *assign:
			s.once(fault(st.Pos, discard, "an assignment cannot stand here"))
		case *data:
			s.once(fault(st.pos, discard, "data cannot stand here"))
		}
	}
}

// dropLinked drops what is ordered by a section that was thrown away.
func (s *Script) dropLinked(objs []*model.Object) {
	for _, obj := range objs {
		for _, sec := range obj.Sections {
			if sec == nil || !sec.Live || sec.LinkTo == nil || sec.Obj.Linker {
				continue
			}
			for to, n := sec.LinkTo, 0; to != nil && n < 64; to, n = to.LinkTo, n+1 {
				if !to.Live && to.Dropped == model.Discarded {
					s.drop(sec)
					break
				}
			}
		}
	}
}

// placeFloating places sections of OVERWRITE_SECTIONS that no SECTIONS names, as
// orphans of the kind of what is in them.
func (s *Script) placeFloating() {
	if len(s.floating) == 0 {
		return
	}
	p := newOrphans(s)
	for _, o := range s.floating {
		var first *model.Section
		o.eachInput(func(sec *model.Section) {
			if first == nil {
				first = sec
			}
		})
		if o.out == nil {
			continue
		}
		if first == nil {
			s.body = append(s.body, o)
			s.relist()
			continue
		}
		h, t := p.kindOf(first, nil)
		if h == nil {
			h = p.homes["not loaded"]
		}
		s.order = append(without(s.order, o), o)
		p.insert(o, first, h, p.after(h, first, t))
	}
}

func without(list []*section, o *section) []*section {
	var rest []*section
	for _, x := range list {
		if x != o {
			rest = append(rest, x)
		}
	}
	return rest
}

// textIsReadOnly: .text is, whatever is in it; with -N it is not.
func (s *Script) textIsReadOnly() {
	if s.opt.Relocatable {
		return
	}
	for _, o := range s.order {
		if o.name == ".text" {
			if s.opt.OMagic {
				o.traits &^= readonly
			} else {
				o.traits |= readonly
			}
			return
		}
	}
}

// alignTLS gives the first of the thread-local sections the largest alignment of
// them, so that the segment's image starts aligned.
func (s *Script) alignTLS() {
	var first *section
	for _, o := range s.order {
		switch {
		case s.opt.Relocatable:
			return
		case o.traits&tls == 0 && first != nil:
			return
		case o.traits&tls == 0:
		case first == nil:
			first = o
		default:
			first.baseAl = max(first.baseAl, o.baseAl)
		}
	}
}

// checkRegionNames warns of regions that are named and never declared: they are
// as large as the address space.
func (s *Script) checkRegionNames() {
	told := map[*region]bool{}
	for _, u := range s.regions.used {
		if u.r.decl == nil && !told[u.r] {
			told[u.r] = true
			s.rep.Warn(fault(u.pos, "", "memory region %q is not declared", u.r.name))
		}
	}
}

func joined(list []error) error { return errors.Join(list...) }
