package model

import "slices"

// A CodeGroup is a run of sections of code of one output section that branch
// through the same veneers. The veneers stand behind Home.
type CodeGroup struct {
	Home    *Section
	Members []*Section
}

// CodeGroups sorts the code of all output sections into groups, by the addresses
// at hand. From the start of a group to the end of its Home are less than limit
// bytes, as from there to the end of its last member, unless a single section is
// larger. With before set no member stands behind Home. Veneers never stand in
// front of all code, where a vector table may have to be.
func (e *Env) CodeGroups(is func(*Section) bool, limit uint64, before bool) []CodeGroup {
	var groups []CodeGroup
	for _, out := range e.Outputs {
		var code []*Section
		for i := range out.Items {
			if s := out.Items[i].Section; s != nil && !s.Obj.Linker && is(s) {
				code = append(code, s)
			}
		}
		for len(code) != 0 {
			home := within(code, code[0].Off, limit)
			n := max(home, 1)
			g := CodeGroup{Home: code[n-1]}
			if !before {
				n += within(code[n:], g.Home.Off+g.Home.Size, limit)
			}
			g.Members, code = code[:n:n], code[n:]
			groups = append(groups, g)
		}
	}
	return groups
}

// within is how many of the sections end less than limit bytes behind from.
func within(code []*Section, from, limit uint64) int {
	for i, s := range code {
		if s.Off+s.Size-from >= limit {
			return i
		}
	}
	return len(code)
}

// Maker is the object of the linker's own sections.
func (e *Env) Maker() *Object {
	for _, o := range slices.Backward(e.Objects) {
		if o.Linker {
			return o
		}
	}
	o := &Object{File: "<linker>", Path: "<linker>", Linker: true, Order: e.Order, Symbols: []*Symbol{nil}, Locals: 1,
		Sections: []*Section{nil}, Rank: int32(len(e.Objects))}
	e.Objects = append(e.Objects, o)
	return o
}

// AddSection puts a section into the object.
func (o *Object) AddSection(s *Section) {
	s.Obj, s.Index = o, int32(len(o.Sections))
	o.Sections = append(o.Sections, s)
}

// AddLocals puts symbols behind the object's local ones.
func (o *Object) AddLocals(syms ...*Symbol) {
	for _, s := range syms {
		s.Obj, s.Local, s.State = o, true, Defined
	}
	o.Symbols = slices.Insert(o.Symbols, o.Locals, syms...)
	o.Locals += len(syms)
}
