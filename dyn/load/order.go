package load

import (
	"debug/elf"
	"slices"
)

// RelocationOrder is the order in which a start relocates: dependencies first, the
// program last, whose COPY relocations read what is relocated already. glibc
// walks the sorted list backwards and leaves itself out, for it is relocated
// already; it is not in the result either (dl_main of elf/rtld.c). musl takes the
// libraries in load order (__dls3).
func (p *Process) RelocationOrder() []*Object {
	var order []*Object
	if p.Libc == Musl {
		order = append(slices.Clone(p.Objects[1:]), p.Objects[0])
	} else {
		order = p.sorted()
		slices.Reverse(order)
		if !p.Version.Before(2, 39) {
			libcFirst(order)
		}
	}
	return slices.DeleteFunc(order, func(o *Object) bool { return o == p.Ld })
}

// libcFirst puts libc.so.6 before all others: since 2.39 it is relocated early, so
// that what resolvers of other libraries call is ready (dl_main).
func libcFirst(order []*Object) {
	if i := slices.IndexFunc(order, func(o *Object) bool { return o.Soname == "libc.so.6" }); i > 0 {
		o := order[i]
		copy(order[1:i+1], order[:i])
		order[0] = o
	}
}

// InitOrder is the order in which constructors run, dependencies first. The
// program is not among them: its own are run by its libc's start code
// (_dl_init of elf/dl-init.c; queue_ctors of musl).
func (p *Process) InitOrder() []*Object {
	program := p.Program()
	var order []*Object
	if p.Libc == Musl {
		order = p.queueCtors()
	} else {
		order = p.sorted()
		slices.Reverse(order)
		// The one with DF_1_INITFIRST that was mapped last comes first; glibc
		// has room for one (_dl_initfirst).
		first := -1
		for i, o := range order {
			if o.Flags1&elf.DF_1_INITFIRST != 0 && o != program && (first < 0 || o.Mapped > order[first].Mapped) {
				first = i
			}
		}
		if first > 0 {
			o := order[first]
			order = slices.Insert(slices.Delete(order, first, first+1), 0, o)
		}
	}
	return slices.DeleteFunc(order, func(o *Object) bool { return o == program })
}

// Program is the object that everything was loaded for: the first, unless it has
// filtees.
func (p *Process) Program() *Object { return p.program }

// sorted is l_initfini of the program: each object before those that it needs,
// the program first (_dl_sort_maps).
func (p *Process) sorted() []*Object {
	if p.Version.Before(2, 35) || p.OldSort {
		return p.sortedOld()
	}
	return p.sortedDFS()
}

// visit is an object on the way down, and the next of its needs.
type visit struct {
	o    *Object
	next int
}

// sortedDFS is _dl_sort_maps_dfs (2.35 and later): depth first, from the end of
// the list, filled from the back. It keeps its own stack, for chains of thousands.
func (p *Process) sortedDFS() []*Object {
	program := p.Program()
	order := make([]*Object, len(p.Objects))
	at := len(order)
	visited := make([]bool, len(order))
	var stack []visit
	for i := len(p.Objects) - 1; i >= 0; i-- {
		if visited[i] {
			continue
		}
		visited[i] = true
		stack = append(stack, visit{o: p.Objects[i]})
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			if to := top.step(program, visited); to != nil {
				stack = append(stack, visit{o: to})
				continue
			}
			at--
			order[at] = top.o
			stack = stack[:len(stack)-1]
		}
	}
	// force_first: a library that needs the program may have come before it.
	if i := slices.Index(order, program); i > 0 {
		copy(order[1:i+1], order[:i])
		order[0] = program
	}
	return order
}

// step is the next object to visit from here; nil if there is none.
func (v *visit) step(program *Object, visited []bool) *Object {
	// The program's own needs are not known yet when glibc sorts.
	if v.o == program {
		return nil
	}
	for v.next < len(v.o.Needs) {
		to := v.o.Needs[v.next].To
		v.next++
		if to != nil && to != program && to.Index >= 0 && !visited[to.Index] {
			visited[to.Index] = true
			return to
		}
	}
	return nil
}
