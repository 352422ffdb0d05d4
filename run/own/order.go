package own

import "elfwright/dyn/load"

// order is the sequence in which objects are initialised, the program last.
func order(p *load.Process) []int {
	var list []int
	for _, o := range p.InitOrder() {
		if o.Index >= 0 {
			list = append(list, o.Index)
		}
	}
	return append(list, 0)
}

// first moves an object to the front.
func first(list []int, object int) []int {
	for i, x := range list {
		if x == object {
			copy(list[1:i+1], list[:i])
			list[0] = object
		}
	}
	return list
}

// resolvers is the order of initialisation, but with the dynamic linker and the C
// library first.
func (b *builder) resolvers() []int {
	list := append([]int(nil), b.res.Order...)
	for _, i := range list {
		if b.p.Objects[i].Soname == "libc.so.6" {
			list = first(list, i)
			break
		}
	}
	if i := b.linker(); i >= 0 {
		list = first(list, i)
	}
	return list
}
