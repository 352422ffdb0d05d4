package bind

import "elfwright/dyn/load"

// Order is the order in which objects are relocated. It decides which of several
// unique definitions all references are bound to.
type Order int

const (
	// Start is that of a start of the program; see [load.Process.RelocationOrder].
	// At its end the dynamic linker relocates itself once more, now that others may
	// have definitions that come first (glibc, dl_main in elf/rtld.c; musl,
	// reloc_all).
	Start Order = iota
	// Trace is that of ldd -r: the load order backwards, without the dynamic
	// linker.
	Trace
)

// relocationOrder gives the indices of the objects in the order in which they are
// relocated.
func relocationOrder(p *load.Process, o Order) []int {
	var list []int
	switch {
	case p.Libc == load.Musl:
		program := programOf(p)
		for i, obj := range p.Objects {
			if obj != program {
				list = append(list, i)
			}
		}
		return append(list, program.Index)
	case o == Trace:
		for i := len(p.Objects) - 1; i >= 0; i-- {
			if p.Objects[i] != p.Ld {
				list = append(list, i)
			}
		}
		return list
	}
	for _, obj := range p.RelocationOrder() {
		list = append(list, obj.Index)
	}
	for i, obj := range p.Objects {
		if obj == p.Ld { // something needs it
			list = append(list, i)
		}
	}
	return list
}

// programOf is the program of a process, which may have been put together by hand.
func programOf(p *load.Process) *load.Object {
	if o := p.Program(); o != nil {
		return o
	}
	return p.Objects[0]
}
