package own

import (
	"debug/elf"

	"elfwright/dyn/load"
)

// order is the sequence in which objects are initialised: each behind those that it
// needs, as glibc has it since 2.35 (elf/dl-sort-maps.c, _dl_sort_maps_dfs): depth
// first, begun at the end of the load list; in a cycle the one that is come to
// first waits. An object with DF_1_INITFIRST goes before all. The program is the
// last.
func order(p *load.Process) []int {
	done := make([]bool, len(p.Objects))
	list := make([]int, 0, len(p.Objects))
	done[0] = true
	for i := len(p.Objects) - 1; i > 0; i-- {
		list = visit(p, i, done, list)
	}
	for i := len(p.Objects) - 1; i > 0; i-- {
		if p.Objects[i].Flags1&elf.DF_1_INITFIRST != 0 {
			list = first(list, i)
			break
		}
	}
	return append(list, 0)
}

// visit appends what an object needs, then itself. The depth is not bounded by the
// stack of Go: a chain of needs may be as long as there are objects.
func visit(p *load.Process, start int, done []bool, list []int) []int {
	if done[start] {
		return list
	}
	done[start] = true
	type frame struct{ object, need int }
	stack := []frame{{start, 0}}
	for len(stack) > 0 {
		f := &stack[len(stack)-1]
		needs := p.Objects[f.object].Needs
		if f.need == len(needs) {
			list = append(list, f.object)
			stack = stack[:len(stack)-1]
			continue
		}
		to := needs[f.need].To
		f.need++
		if to == nil || to.Index < 0 || to.Index >= len(done) || p.Objects[to.Index] != to || done[to.Index] {
			continue
		}
		done[to.Index] = true
		stack = append(stack, frame{to.Index, 0})
	}
	return list
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
