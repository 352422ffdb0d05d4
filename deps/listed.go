package deps

import (
	"slices"

	"elfwright/dyn/load"
)

// listed is an object of a list, or the name of one that is missing.
type listed struct {
	object  *load.Object
	missing string
	done    bool // its needs are in the list
}

// listed are the objects in the order of ldd: load order, with an empty object
// where one is missing, also a filtee (_dl_map_object in trace mode). The dynamic
// linker, which was there before, stands behind the object that it follows in load
// order, in which nothing is missing (dl_main of elf/rtld.c).
func (s *Subject) listed() []listed {
	w := &lister{s: s}
	w.walk()
	if !w.complete() {
		w.plain()
	}
	ld := s.index(s.Process.Ld)
	if ld <= 0 {
		return w.list
	}
	list := slices.DeleteFunc(w.list, func(x listed) bool { return x.object == s.Process.Ld })
	before := s.Process.Objects[ld-1]
	at := slices.IndexFunc(list, func(x listed) bool { return x.object == before })
	return slices.Insert(list, at+1, listed{object: s.Process.Ld})
}

// lister makes a list anew from the needs, with what is missing among them.
type lister struct {
	s    *Subject
	list []listed
}

// find is where the answer to a request stands, or -1. What is missing is missing
// anew each time: an empty object answers no other request (l_faked).
func (w *lister) find(n *load.Need) int {
	if n.To == nil {
		return -1
	}
	return slices.IndexFunc(w.list, func(x listed) bool { return x.object == n.To })
}

// walk is _dl_map_object_deps: breadth first, a filtee before the object that names
// it.
func (w *lister) walk() {
	program := w.s.program()
	w.list = []listed{{object: program}}
	for i := range program.Needs {
		if n := &program.Needs[i]; n.Kind == load.Preload {
			w.last(n)
		}
	}
	for {
		at := slices.IndexFunc(w.list, func(x listed) bool { return !x.done })
		if at < 0 {
			return
		}
		w.list[at].done = true
		o := w.list[at].object
		if o == nil {
			continue
		}
		for i := range o.Needs {
			switch n := &o.Needs[i]; n.Kind {
			case load.Needed:
				w.last(n)
			case load.Filter, load.Auxiliary:
				at = w.before(n, at)
			}
		}
	}
}

func entry(n *load.Need) listed {
	if n.To == nil {
		return listed{missing: n.Name}
	}
	return listed{object: n.To}
}

func (w *lister) last(n *load.Need) {
	if w.find(n) < 0 {
		w.list = append(w.list, entry(n))
	}
}

// before puts a filtee before place at, and says where what was there is now.
func (w *lister) before(n *load.Need, at int) int {
	had := w.find(n)
	if had >= 0 && had <= at {
		return at
	}
	if had > at {
		w.list = slices.Delete(w.list, had, had+1)
	}
	w.list = slices.Insert(w.list, at, entry(n))
	return at + 1
}

// complete says whether the list has all objects, in load order.
func (w *lister) complete() bool {
	n := 0
	for _, x := range w.list {
		if x.object == nil {
			continue
		}
		if x.object.Index != n {
			return false
		}
		n++
	}
	return n == len(w.s.Process.Objects)
}

// plain has the objects, and then what is missing: musl lists nothing where it ends.
func (w *lister) plain() {
	w.list = nil
	for _, o := range w.s.Process.Objects {
		w.list = append(w.list, listed{object: o})
	}
	for _, m := range w.s.Missing() {
		if m.Need.Kind != load.Interpreter {
			w.last(m.Need)
		}
	}
}
