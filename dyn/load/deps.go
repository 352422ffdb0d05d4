package load

import (
	"debug/elf"
	"strings"

	"elfwright/elffile"
)

// cell is a place in the list of what is loaded; filtees go before the object
// that names them, so it is linked.
type cell struct {
	o    *Object
	done bool
	next *cell
}

// deps loads what the objects of the list need, breadth first
// (_dl_map_object_deps).
func (g *glibc) deps(first []*Object) {
	head := &cell{}
	tail := head
	listed := make(map[*Object]bool)
	for _, o := range first {
		tail.next = &cell{o: o}
		tail = tail.next
		listed[o] = true
	}
	for at := head.next; at != nil; {
		d := &depsOf{g: g, at: at, tail: tail, listed: listed}
		at.done = true
		d.entries(at.o)
		tail = d.tail
		for at != nil && at.done {
			at = at.next
		}
	}
	for c := head.next; c != nil; c = c.next {
		c.o.Index = len(g.p.Objects)
		g.p.Objects = append(g.p.Objects, c.o)
	}
}

// depsOf is the work on one object.
type depsOf struct {
	g      *glibc
	at     *cell // where the object stands
	tail   *cell
	listed map[*Object]bool
}

func (d *depsOf) entries(o *Object) {
	filtee := 0
	needed := 0
	for i := range o.Dynamic.Entries {
		switch o.Dynamic.Entries[i].Tag {
		case elf.DT_NEEDED:
			d.needed(o, o.Needed[needed])
			needed++
		case elf.DT_FILTER, elf.DT_AUXILIARY:
			f := o.Filtees[filtee]
			filtee++
			kind := Filter
			if f.Auxiliary {
				kind = Auxiliary
			}
			d.filtee(o, f.Name, kind)
		}
	}
}

// ask has a name found, after expansion of its tokens.
func (d *depsOf) ask(o *Object, name string, kind NeedKind) *Object {
	r := request{name: name, kind: kind, by: o}
	var n Need
	if strings.IndexByte(name, '$') >= 0 && d.g.l.opt.Secure && hasToken(name) {
		// expand_dst of elf/dl-deps.c.
		n := Need{Name: name, Kind: kind, Err: &elffile.Error{File: o.Name, Msg: name + ": DST not allowed in SUID/SGID programs"}}
		o.Needs = append(o.Needs, n)
		return nil
	}
	if strings.IndexByte(name, '$') >= 0 {
		expanded, ok := d.g.tokensOf(o).expand(name)
		r.name = expanded
		if !ok || expanded == "" {
			n = Need{Name: name, Kind: kind, Err: notFound(name, false)}
			o.Needs = append(o.Needs, n)
			return nil
		}
	}
	n = d.g.need(r)
	n.Name = name
	o.Needs = append(o.Needs, n)
	return n.To
}

func (d *depsOf) needed(o *Object, name string) {
	to := d.ask(o, name, Needed)
	if to == nil || d.listed[to] {
		return
	}
	d.listed[to] = true
	d.tail.next = &cell{o: to}
	d.tail = d.tail.next
}

// filtee loads a filtee and puts it before the object, unless it stands before it
// already.
func (d *depsOf) filtee(o *Object, name string, kind NeedKind) {
	to := d.ask(o, name, kind)
	if to == nil {
		return
	}
	own := &cell{o: d.at.o, done: true, next: d.at.next} // where the object moves to
	if d.listed[to] {
		late := own
		for late.next != nil && late.next.o != to {
			late = late.next
		}
		if late.next == nil {
			return
		}
		if d.tail == late.next {
			d.tail = late
		}
		late.next = late.next.next
	}
	d.listed[to] = true
	if d.at == d.tail {
		d.tail = own
	}
	d.at.o, d.at.done, d.at.next = to, false, own
	d.at = own
}
