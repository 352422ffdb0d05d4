package model

import (
	"elfwright/internal/near"
	"hash/maphash"
	"sort"
	"sync"
	"unsafe"
)

// shards is how many parts the table of global symbols has: enough that
// goroutines seldom meet.
const shards = 64

// Table has the global symbols by name. It may be used by many goroutines.
type Table struct {
	seed  maphash.Seed
	shard [shards]shard
}

// shard is a table by hash with open places. A name is hashed once, and growing
// looks at no name.
type shard struct {
	sync.Mutex
	slot []slot // a power of two of them, at most three of four taken
	n    int
	slab []Symbol
}

// slot is a name and its symbol, nil if it is free. The name of a symbol may lose
// its version later; the one here does not.
type slot struct {
	hash uint64
	name string
	sym  *Symbol
}

// NewTable makes an empty table.
func NewTable() *Table {
	t := &Table{seed: maphash.MakeSeed()}
	for i := range t.shard {
		t.shard[i].slot = newSlots(64)
	}
	return t
}

// newSlots writes to each page before anything reads it: a page that is read first
// is one of zeros that all share, and the store that follows costs a second fault.
func newSlots(n int) []slot {
	s := make([]slot, n)
	for i := 0; i < n; i += 4096 / int(unsafe.Sizeof(slot{})) {
		s[i].hash = 0
	}
	return s
}

// find returns the slot of a name, or the free one where it belongs.
func (p *shard) find(hash uint64, name string) *slot {
	mask := uint64(len(p.slot) - 1)
	for i := hash / shards & mask; ; i = (i + 1) & mask {
		if x := &p.slot[i]; x.sym == nil || x.hash == hash && x.name == name {
			return x
		}
	}
}

func (p *shard) grow() {
	old := p.slot
	p.slot = newSlots(4 * len(old))
	mask := uint64(len(p.slot) - 1)
	for _, x := range old {
		if x.sym == nil {
			continue
		}
		i := x.hash / shards & mask
		for p.slot[i].sym != nil {
			i = (i + 1) & mask
		}
		p.slot[i] = x
	}
}

// Get returns the symbol of a name ("foo", or "foo@V" for one that is not the
// default version), or nil.
func (t *Table) Get(name string) *Symbol {
	hash := maphash.String(t.seed, name)
	p := &t.shard[hash%shards]
	p.Lock()
	defer p.Unlock()
	return p.find(hash, name).sym
}

// Intern returns the symbol of a name, made undefined if it is new.
func (t *Table) Intern(name string) *Symbol {
	hash := maphash.String(t.seed, name)
	p := &t.shard[hash%shards]
	p.Lock()
	defer p.Unlock()
	x := p.find(hash, name)
	if x.sym != nil {
		return x.sym
	}
	if 4*(p.n+1) > 3*len(p.slot) {
		p.grow()
		x = p.find(hash, name)
	}
	if len(p.slab) == 0 {
		p.slab = make([]Symbol, 32)
	}
	s := &p.slab[0]
	p.slab = p.slab[1:]
	s.Name = name
	*x = slot{hash, name, s}
	p.n++
	return s
}

// Some returns the symbols that a test holds for, in the order of their names.
func (t *Table) Some(is func(*Symbol) bool) []*Symbol {
	var some []*Symbol
	for i := range t.shard {
		for _, x := range t.shard[i].slot {
			if x.sym != nil && is(x.sym) {
				some = append(some, x.sym)
			}
		}
	}
	sortByName(some)
	return some
}

// Sorted returns all symbols in the order of their names.
func (t *Table) Sorted() []*Symbol {
	return t.Some(func(*Symbol) bool { return true })
}

func sortByName(s []*Symbol) {
	sort.Slice(s, func(i, j int) bool {
		if s[i].Name != s[j].Name {
			return s[i].Name < s[j].Name
		}
		return s[i].Version < s[j].Version
	})
}

// Near is the defined symbol whose name is nearest to one that is not, or empty.
func (t *Table) Near(name string) string {
	limit := near.Limit(name)
	var names []string
	for _, s := range t.Some(func(s *Symbol) bool {
		d := len(s.Name) - len(name)
		return s.State == Defined && d < limit && -d < limit
	}) {
		names = append(names, s.Name)
	}
	n, _ := near.Name(name, names)
	return n
}
