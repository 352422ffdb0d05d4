package synth

import (
	"bytes"
	"encoding/binary"
	"slices"

	"elfwright/link/model"
)

// tailKey orders strings by their ends: last holds the last eight bytes before
// the terminating zero, the very last one on top.
type tailKey struct {
	last uint64
	mod  uint64 // of the length, by the alignment: see uniform
	e    *entry
}

// shareTails lets a string that is the end of another be a part of it: "bar" of
// "foobar". GNU ld does that at every level of -O.
func shareTails(workers int, entries []*entry) {
	keys := make([]tailKey, len(entries))
	align := uniform(entries)
	const chunk = 4096
	model.Each(workers, (len(keys)+chunk-1)/chunk, func(c int) {
		for i := c * chunk; i < min((c+1)*chunk, len(keys)); i++ {
			e := entries[i]
			keys[i] = tailKey{lastBytes(e.data), uint64(len(e.data)) & (align - 1), e}
		}
	})
	keys = sortTails(workers, keys)
	// Now a string stands right before those that it is the end of.
	if len(keys) == 0 {
		return
	}
	e := keys[len(keys)-1].e
	for i := len(keys) - 2; i >= 0; i-- {
		x := keys[i].e
		n := uint64(len(e.data) - len(x.data))
		if e.align >= x.align && len(e.data) > len(x.data) && n&(x.align-1) == 0 && bytes.HasSuffix(e.data, x.data) {
			x.to = e
		} else {
			e = x
		}
	}
}

// uniform is the alignment that all strings have, 1 if they differ. With one for
// all, a string can only be in one whose length is as far from a multiple of it:
// those are sorted together, so that no other stands between.
func uniform(entries []*entry) uint64 {
	for _, e := range entries {
		if e.align != entries[0].align {
			return 1
		}
	}
	if len(entries) == 0 {
		return 1
	}
	return entries[0].align
}

func lastBytes(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.LittleEndian.Uint64(b[len(b)-8:])
	}
	var x [8]byte
	copy(x[8-len(b):], b)
	return binary.LittleEndian.Uint64(x[:])
}

// compareTails compares from the last byte on; a string comes before those that it
// ends.
func compareTails(x, y tailKey) int {
	if x.mod != y.mod {
		return int(x.mod) - int(y.mod)
	}
	if x.last != y.last {
		if x.last < y.last {
			return -1
		}
		return 1
	}
	a, b := x.e.data, y.e.data
	for i := 9; ; i++ {
		switch {
		case i > len(a) || i > len(b):
			return len(a) - len(b)
		case a[len(a)-i] != b[len(b)-i]:
			return int(a[len(a)-i]) - int(b[len(b)-i])
		}
	}
}

// sortTails sorts in parts, by the byte before the zero.
func sortTails(workers int, keys []tailKey) []tailKey {
	if len(keys) < 1<<14 {
		slices.SortFunc(keys, compareTails)
		return keys
	}
	bucket := func(k tailKey) int { return int((k.last>>48 + k.mod<<5) & 0xff) } // below the zero on top
	var ends [257]int
	for _, k := range keys {
		ends[bucket(k)+1]++
	}
	for i := range 256 {
		ends[i+1] += ends[i]
	}
	next := ends
	sorted := make([]tailKey, len(keys))
	for _, k := range keys {
		sorted[next[bucket(k)]] = k
		next[bucket(k)]++
	}
	model.Each(workers, 256, func(i int) { slices.SortFunc(sorted[ends[i]:ends[i+1]], compareTails) })
	return sorted
}
