package compare

import "sort"

// none is the partner of what has none.
const none = -1

// A pairing says which entry of an old list is which of a new one.
type pairing struct {
	toNew, toOld []int32 // none: no partner
	left         int     // old ones without a partner
}

func newPairing(old, new int) *pairing {
	p := &pairing{make([]int32, old), make([]int32, new), old}
	for i := range p.toNew {
		p.toNew[i] = none
	}
	for i := range p.toOld {
		p.toOld[i] = none
	}
	return p
}

func (p *pairing) join(old, new int) {
	p.toNew[old], p.toOld[new] = int32(new), int32(old)
	p.left--
}

// queue is the entries of one key that are still free, in order.
type queue struct{ first, last int32 }

// pass pairs the entries without a partner that have the same key: the n-th
// old one of a key with the n-th new one. An entry for which key returns false
// takes no part.
func pass[K comparable](p *pairing, oldKey, newKey func(i int) (K, bool)) {
	if p.left == 0 {
		return
	}
	free := make(map[K]queue)
	next := make([]int32, len(p.toNew))
	for i, partner := range p.toNew {
		if partner != none {
			continue
		}
		k, ok := oldKey(i)
		if !ok {
			continue
		}
		next[i] = none
		q, some := free[k]
		if some {
			next[q.last] = int32(i)
			q.last = int32(i)
		} else {
			q = queue{int32(i), int32(i)}
		}
		free[k] = q
	}
	if len(free) == 0 {
		return
	}
	for j, partner := range p.toOld {
		if partner != none {
			continue
		}
		k, ok := newKey(j)
		if !ok {
			continue
		}
		q, some := free[k]
		if !some {
			continue
		}
		p.join(int(q.first), j)
		if q.first = next[q.first]; q.first == none {
			delete(free, k)
		} else {
			free[k] = q
		}
	}
}

// passOf is pass over two slices.
func passOf[T any, K comparable](p *pairing, old, new []T, key func(*T) (K, bool)) {
	pass(p, func(i int) (K, bool) { return key(&old[i]) }, func(i int) (K, bool) { return key(&new[i]) })
}

// disordered returns, for each new entry, whether it left its place in the
// order: the fewest that can be said to have moved, which are those outside of
// a longest increasing subsequence of the partners.
func (p *pairing) disordered() []bool {
	moved := make([]bool, len(p.toOld))
	var tails []int32 // new index that ends the best run of each length
	before := make([]int32, len(p.toOld))
	for j, i := range p.toOld {
		if i == none {
			continue
		}
		moved[j] = true
		n := sort.Search(len(tails), func(k int) bool { return p.toOld[tails[k]] >= i })
		before[j] = none
		if n > 0 {
			before[j] = tails[n-1]
		}
		if n == len(tails) {
			tails = append(tails, int32(j))
		} else {
			tails[n] = int32(j)
		}
	}
	if len(tails) > 0 {
		for j := tails[len(tails)-1]; j != none; j = before[j] {
			moved[j] = false
		}
	}
	return moved
}
