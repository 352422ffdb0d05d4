package bind

import "elfwright/dyn/load"

// Order is the order in which objects are relocated. It decides which of several
// unique definitions all references are bound to.
type Order int

const (
	// Start is that of a start of the program. glibc relocates the objects by
	// their dependencies, the program last, and then the dynamic linker once more;
	// musl relocates them in load order, the program last.
	Start Order = iota
	// Trace is that of ldd -r: the load order backwards, without the dynamic
	// linker.
	Trace
)

// RelocationOrder returns the indices of the objects in the order in which they
// are relocated.
func RelocationOrder(p *load.Process, o Order) []int {
	switch {
	case p.Libc == load.Musl:
		list := make([]int, 0, len(p.Objects))
		for i := 1; i < len(p.Objects); i++ {
			list = append(list, i)
		}
		return append(list, 0)[:len(p.Objects)]
	case o == Trace:
		return backwards(p, loadOrder(p))
	}
	list := backwards(p, InitOrder(p))
	if p.Ld != nil {
		for i, obj := range p.Objects {
			if obj == p.Ld { // where something needs it
				list = append(list, i)
			}
		}
	}
	return list
}

func loadOrder(p *load.Process) []int {
	list := make([]int, len(p.Objects))
	for i := range list {
		list[i] = i
	}
	return list
}

// backwards turns a list around and leaves the dynamic linker out.
func backwards(p *load.Process, list []int) []int {
	back := make([]int, 0, len(list))
	for i := len(list) - 1; i >= 0; i-- {
		if p.Objects[list[i]] != p.Ld || p.Ld == nil {
			back = append(back, list[i])
		}
	}
	return back
}

// InitOrder returns the objects of a process of glibc so that each comes before
// what it needs, as far as there are no circles: main_map->l_initfini. Relocation
// and construction go over it backwards.
//
// It is the order of _dl_sort_maps_dfs (elf/dl-sort-maps.c, since 2.35 the default): from
// the last loaded object to the first, depth first along the needs. The needs of the
// program are not followed, for its list is not made yet when it is sorted.
func InitOrder(p *load.Process) []int {
	d := dfs{p: p, visited: make([]bool, len(p.Objects))}
	for i := len(p.Objects) - 1; i >= 0; i-- {
		d.visit(i)
	}
	for i, j := 0, len(d.list)-1; i < j; i, j = i+1, j-1 {
		d.list[i], d.list[j] = d.list[j], d.list[i]
	}
	return d.list
}

// dfs is a depth-first walk with a stack of its own, since chains of needs may be
// as long as there are objects.
type dfs struct {
	p       *load.Process
	visited []bool
	list    []int // post-order
	stack   []step
}

type step struct{ object, need int }

func (d *dfs) visit(i int) {
	if d.visited[i] {
		return
	}
	d.push(i)
	for len(d.stack) > 0 {
		top := &d.stack[len(d.stack)-1]
		needs := d.p.Objects[top.object].Needs
		if top.object == 0 || top.need >= len(needs) {
			d.list = append(d.list, top.object)
			d.stack = d.stack[:len(d.stack)-1]
			continue
		}
		n := &needs[top.need]
		top.need++
		if n.To != nil && n.Kind <= load.Auxiliary && !d.visited[n.To.Index] {
			d.push(n.To.Index)
		}
	}
}

func (d *dfs) push(i int) {
	d.visited[i] = true
	d.stack = append(d.stack, step{object: i})
}
