package model

import "slices"

// The order of common symbols, and of dynamic ones, in GNU ld is that of its hash
// table of symbols (bfd/hash.c), since it walks over that to place them. Images of
// both linkers have the same addresses only if ours is the same.

// bucketSizes are the sizes of that table from the first to which it grows: the
// largest primes below powers of two.
var bucketSizes = []int{4051, 4093, 8191, 16381, 32749, 65521, 131071, 262139, 524287, 1048573, 2097143, 4194301, 8388593, 16777213}

// bfdHash is the hash of a symbol's name.
func bfdHash(name string) uint64 {
	var h uint64
	for i := range len(name) {
		c := uint64(name[i])
		h += c + c<<17
		h ^= h >> 2
	}
	n := uint64(len(name))
	h += n + n<<17
	h ^= h >> 2
	return h
}

// hashed is a symbol in the table, in the order of a walk.
type hashed struct {
	sym  *Symbol
	hash uint64
}

// HashOrder sorts symbols as GNU ld's table with total symbols has them. When
// three quarters are full the table grows, and what is in it is entered anew in
// the order of the walk.
func HashOrder(list []*Symbol, total int) []*Symbol {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b *Symbol) int { return int(a.Order - b.Order) })
	var table []hashed
	at := 0
	for k, size := range bucketSizes {
		full := size*3/4 + 1 // with this entry it grows
		last := k == len(bucketSizes)-1 || total < full
		for at < len(list) && (last || int(list[at].Order) <= full) {
			table = append(table, hashed{list[at], bfdHash(list[at].Name)})
			at++
		}
		table = enter(table, size)
		if last {
			break
		}
	}
	for i, e := range table {
		list[i] = e.sym
	}
	return list
}

// enter returns entries in the order of a walk over a table of a size, into which
// they were put one after the other: each to the front of its bucket.
func enter(entries []hashed, size int) []hashed {
	slices.Reverse(entries)
	slices.SortStableFunc(entries, func(a, b hashed) int {
		return int(a.hash%uint64(size)) - int(b.hash%uint64(size))
	})
	return entries
}
