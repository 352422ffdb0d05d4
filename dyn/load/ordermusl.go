package load

// queueCtors is queue_ctors of musl 1.2: depth first from the program, whose
// first dependencies are what was preloaded.
func (p *Process) queueCtors() []*Object {
	marked := make([]bool, len(p.Objects))
	program := p.Program()
	marked[program.Index] = true
	stack := []visit{{o: program}}
	var queue []*Object
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if to := top.direct(marked); to != nil {
			stack = append(stack, visit{o: to})
			continue
		}
		queue = append(queue, top.o)
		stack = stack[:len(stack)-1]
	}
	return queue
}

// direct is the next dependency that is not marked; it marks it.
func (v *visit) direct(marked []bool) *Object {
	for v.next < len(v.o.Needs) {
		to := v.o.Needs[v.next].To
		v.next++
		if to != nil && to.Index >= 0 && !marked[to.Index] {
			marked[to.Index] = true
			return to
		}
	}
	return nil
}
