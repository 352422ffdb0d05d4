package patch

// walk goes one member or index further.
func (x *resolver) walk(g *target, s step, last bool, explicit *typ, end uint64) error {
	if s.member != "" {
		return x.walkMember(g, s.member)
	}
	if g.bits > 0 {
		return refusef(x.img, g.label, "a bit-field has no elements")
	}
	t := g.t
	if t == nil && explicit != nil && explicit.size > 0 { // the user says what the elements are
		t = &typ{class: array, name: explicit.name + "[]", elem: explicit}
		if g.room > 0 {
			t.count, t.counted = g.room/explicit.size, true
		}
	}
	switch {
	case t == nil:
		return refusef(x.img, g.label, "the type of its elements is not known: say it, such as %s:u32", g.label)
	case t.class == pointer:
		return refusef(x.img, g.label, "it is a pointer: what it points to is known at run time")
	case t.class == other:
		return refusef(x.img, g.label, "%s", t.why)
	case t.class != array:
		return refusef(x.img, g.label, "%s is no array", t.name)
	}
	count, counted := t.count, t.counted
	if !counted && end > g.addr && g.room > 0 { // as many as the symbol has
		count, counted = (end-g.addr)/t.elem.size, true
	}
	if s.all {
		if !last {
			return refusef(x.img, g.label, "[] stands for all elements, and only at the end")
		}
		g.all, g.t = true, &typ{class: array, name: t.name, elem: t.elem, count: count, counted: counted, size: t.elem.size * count}
		g.room = g.t.size
		return nil
	}
	if counted && s.index >= count && !x.opt.Force {
		return refusef(x.img, g.label, "index %d is beyond the last element (%d); --force goes on", s.index, int64(count)-1)
	}
	if s.index > (1<<62)/t.elem.size {
		return refusef(x.img, g.label, "index %d is beyond the address space", s.index)
	}
	g.addr += s.index * t.elem.size
	g.t, g.room = t.elem, t.elem.size
	return nil
}

func (x *resolver) walkMember(g *target, name string) error {
	t := g.t
	switch {
	case t == nil || t.class != structure && t.class != other:
		return refusef(x.img, g.label, "there is no member %s: it is no structure", name)
	case t.class == other:
		return refusef(x.img, g.label, "%s", t.why)
	}
	f, off, err := findMember(t, name, 0)
	if err != nil {
		return err
	}
	if f == nil {
		return refusef(x.img, g.label, "%s has no member %s; it has %s", orUnnamed(t.name), name, t.names())
	}
	if f.why != "" {
		return refusef(x.img, g.label, "member %s: %s", name, f.why)
	}
	ft, err := f.owner.fieldType(&f.field)
	if err != nil {
		return err
	}
	g.t, g.bits = ft, f.bits
	if f.bits > 0 {
		g.addr += off
		g.bitOff = f.bitOff
		g.addr, g.bitOff = g.addr+g.bitOff/8, g.bitOff%8
		g.room = (g.bitOff + g.bits + 7) / 8
		return nil
	}
	g.addr += off + f.off
	g.room = ft.size
	return nil
}

func orUnnamed(name string) string {
	if name == "" {
		return "an unnamed type"
	}
	return name
}

// A member is a field with the structure that it is in.
type member struct {
	field
	owner *typ
}

// findMember finds a member, also in members without a name and in base classes;
// off is where the structure that has it begins.
func findMember(t *typ, name string, depth int) (*member, uint64, error) {
	if depth > maxDepth {
		return nil, 0, nil
	}
	why := ""
	for _, f := range t.fields {
		if f.name == name && name != "" && !f.base {
			return &member{f, t}, 0, nil
		}
		if f.name == "" && f.typ == 0 {
			why = f.why
		}
	}
	for _, f := range t.fields {
		if f.typ == 0 || f.why != "" || f.name != "" && !f.base {
			continue
		}
		inner, err := t.fieldType(&f)
		if err != nil {
			return nil, 0, err
		}
		if f.base && inner.name == name {
			return &member{f, t}, 0, nil
		}
		if inner.class != structure {
			continue
		}
		if m, off, err := findMember(inner, name, depth+1); m != nil || err != nil {
			return m, f.off + off, err
		}
	}
	if why != "" {
		return &member{field{name: name, why: why}, t}, 0, nil
	}
	return nil, 0, nil
}
