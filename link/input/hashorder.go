package input

import (
	"sort"

	"elfwright/link/model"
)

// The order of common symbols in GNU ld is that of its hash table of symbols
// (bfd/hash.c), since it walks over that to place them. Images of both linkers
// have the same addresses only if ours is the same.

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

// hashOrder sorts symbols as GNU ld's table with total symbols has them. A new
// entry goes in front of its bucket; when three quarters are full the table
// grows, and what is in a bucket is put into the new ones from its front on.
func hashOrder(list []*model.Symbol, total int) []*model.Symbol {
	if len(list) < 2 {
		return list
	}
	list = append([]*model.Symbol(nil), list...)
	sort.SliceStable(list, func(i, j int) bool { return list[i].Order < list[j].Order })
	type entry struct {
		sym  *model.Symbol
		hash uint64
	}
	var table []entry // in the order of the walk
	place := func(entries []entry, size int) []entry {
		buckets := map[int][]entry{}
		for _, e := range entries {
			b := int(e.hash % uint64(size))
			buckets[b] = append(buckets[b], e)
		}
		var keys []int
		for b := range buckets {
			keys = append(keys, b)
		}
		sort.Ints(keys)
		out := make([]entry, 0, len(entries))
		for _, b := range keys {
			for i := len(buckets[b]) - 1; i >= 0; i-- {
				out = append(out, buckets[b][i])
			}
		}
		return out
	}
	at := 0
	for k, size := range bucketSizes {
		full := size*3/4 + 1 // with this entry it grows
		if k == len(bucketSizes)-1 || total < full {
			full = total
		}
		fresh := at
		for at < len(list) && int(list[at].Order) <= full {
			at++
		}
		if full == total {
			at = len(list)
		}
		// What is new came after what moved here from the smaller table.
		moved := table
		for _, s := range list[fresh:at] {
			moved = append(moved, entry{s, bfdHash(s.Name)})
		}
		table = place(moved, size)
		if at == len(list) && full == total {
			break
		}
	}
	out := make([]*model.Symbol, len(table))
	for i, e := range table {
		out[i] = e.sym
	}
	return out
}
