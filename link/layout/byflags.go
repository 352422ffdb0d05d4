package layout

import "elfwright/link/model"

// byFlags finds the output section behind which an orphan goes when the script
// has none of the name for its kind: the last with all of its traits (exact),
// else the last of the nearest sort. With typed, only sections of the same type
// count at first.
func (p *orphans) byFlags(sec *model.Section, t traits, typed bool) (found *section, exact bool) {
	fits := func(same traits, look traits) bool { return (look^t)&same == 0 }
	if o := p.last(sec, typed, func(l traits) bool { return fits(kindMask, l) }); o != nil {
		return o, typed
	}
	rule := func(l traits) bool { return fits(debugging, l) }
	switch {
	case t&alloc == 0:
		return p.last(sec, false, rule), false
	case t&code != 0: // code that can be written
		rule = func(l traits) bool { return fits(contents|alloc|load|code|tls, l) }
	case t&readonly != 0: // read-only data go behind code, too
		rule = func(l traits) bool { return fits(contents|alloc|load|readonly, l) }
	case t&tls != 0:
		if o := p.lastTLS(t); o != nil {
			return o, false
		}
		return nil, false
	case t&contents != 0: // data go behind read-only data
		rule = func(l traits) bool { return fits(contents|alloc|load|tls, l) }
	default: // what has no bytes goes behind all that is allocated
		rule = func(l traits) bool { return fits(alloc, l) }
	}
	if o := p.last(sec, typed, rule); o != nil || !typed {
		return o, false
	}
	o, _ := p.byFlags(sec, t, false)
	return o, false
}

// last is the last output section statement that a rule accepts.
func (p *orphans) last(sec *model.Section, typed bool, rule func(traits) bool) *section {
	var found *section
	for _, o := range p.s.listed() {
		look := o.guess
		if o.out != nil {
			look = o.traits
			if typed && p.s.currentType(o) != sec.Type {
				continue
			}
		}
		if rule(look) {
			found = o
		}
	}
	return found
}

// lastTLS finds the place of thread-local data: behind what is of the kind, and
// .tdata before .tbss; else behind data.
func (p *orphans) lastTLS(t traits) *section {
	var found *section
	seen := false
	want := t | load | contents
	for _, o := range p.s.listed() {
		look := o.guess
		if o.out != nil {
			look = o.traits
		}
		switch {
		case (look^want)&(tls|alloc) == 0:
			if look&load == 0 && t&load != 0 {
				return found
			}
			found, seen = o, true
		case seen:
			return found
		case (look^want)&(contents|alloc|load) == 0:
			found = o
		}
	}
	return found
}
