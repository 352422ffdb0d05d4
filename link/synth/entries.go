package synth

import (
	"math/bits"
	"unsafe"
)

// hashed is an entry by its number from 1, and its hash, beside it so that a look
// at another's costs no trip to memory.
type hashed struct {
	hash uint32
	made uint32
}

// entries is a table of entries by their hash.
type entries struct {
	slot []hashed // a power of two of them, at most half full
	n    uint32   // what the hashes of all its entries leave the same rest by
	made []*entry
	slab []entry
}

func newEntries(n uint32, guess int) *entries {
	return &entries{slot: newSlots(16 << bits.Len(uint(min(guess, 1<<20)/8))), n: n}
}

// newSlots writes to each page before anything reads it: a page that is read first
// is one of zeros that all share, and the store that follows costs a second fault
// and a message to the other processors.
func newSlots(n int) []hashed {
	slot := make([]hashed, n)
	for i := 0; i < n; i += 4096 / int(unsafe.Sizeof(hashed{})) {
		slot[i].made = 0
	}
	return slot
}

// add returns the entry of piece k, a new one if there is none, or none that is
// aligned as strictly: then the older one goes.
func (t *entries) add(m *merged, k int, hash uint32) *entry {
	if 2*len(t.made) >= len(t.slot) {
		t.grow()
	}
	mask := uint32(len(t.slot) - 1)
	rest := m.sec.Data[m.starts[k]:]
	var old *entry
	at := hash / t.n & mask
	for ; t.slot[at].made != 0; at = (at + 1) & mask {
		if t.slot[at].hash != hash {
			continue
		}
		// A string has its zero at its end alone: where one begins that is as long
		// as another, and equal to it, it ends too.
		if e := t.made[t.slot[at].made-1]; len(e.data) <= len(rest) && string(e.data) == string(rest[:len(e.data)]) {
			old = e
			break
		}
	}
	align := m.alignOf(k)
	if old != nil && old.align >= align {
		return old
	}
	if len(t.slab) == 0 {
		t.slab = make([]entry, 256)
	}
	e := &t.slab[0]
	t.slab = t.slab[1:]
	*e = entry{data: m.piece(k), align: align, home: m, off: noPlace}
	t.made = append(t.made, e)
	t.slot[at] = hashed{hash, uint32(len(t.made))}
	if old != nil {
		old.to = e
	}
	return e
}

func (t *entries) grow() {
	old := t.slot
	t.slot = newSlots(2 * len(old))
	mask := uint32(len(t.slot) - 1)
	for _, x := range old {
		if x.made == 0 {
			continue
		}
		at := x.hash / t.n & mask
		for t.slot[at].made != 0 {
			at = (at + 1) & mask
		}
		t.slot[at] = x
	}
}
