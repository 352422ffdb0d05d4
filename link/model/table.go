package model

import (
	"elfwright/internal/near"
	"hash/maphash"
	"sort"
	"sync"
	"sync/atomic"
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
// looks at no name. Most names are known already: to find one takes no lock. Whoever
// does not find one looks again under the lock, with which slots are filled and a
// larger table put in place.
type shard struct {
	slots atomic.Pointer[[]slot] // a power of two of them, at most three of four taken
	sync.Mutex
	n    int
	slab []Symbol
}

// slot is a name and its symbol, nil if it is free; it is set last. The name of a
// symbol may lose its version later; the one here does not.
type slot struct {
	sym  atomic.Pointer[Symbol]
	hash uint64
	name string
}

// NewTable makes an empty table.
func NewTable() *Table {
	t := &Table{seed: maphash.MakeSeed()}
	for i := range t.shard {
		t.shard[i].slots.Store(newSlots(64))
	}
	return t
}

// newSlots writes to each page before anything reads it: a page that is read first
// is one of zeros that all share, and the store that follows costs a second fault.
func newSlots(n int) *[]slot {
	s := make([]slot, n)
	for i := 0; i < n; i += 4096 / int(unsafe.Sizeof(slot{})) {
		s[i].hash = 0
	}
	return &s
}

// find returns the slot of a name and its symbol, or the free one where it belongs
// and nil.
func (p *shard) find(hash uint64, name string) (*slot, *Symbol) {
	slots := *p.slots.Load()
	mask := uint64(len(slots) - 1)
	for i := hash / shards & mask; ; i = (i + 1) & mask {
		x := &slots[i]
		sym := x.sym.Load()
		if sym == nil || x.hash == hash && x.name == name {
			return x, sym
		}
	}
}

func (p *shard) grow() {
	old := *p.slots.Load()
	grown := newSlots(4 * len(old))
	slots, mask := *grown, uint64(4*len(old)-1)
	for i := range old {
		x := &old[i]
		if sym := x.sym.Load(); sym != nil {
			k := x.hash / shards & mask
			for slots[k].sym.Load() != nil {
				k = (k + 1) & mask
			}
			slots[k].set(x.hash, x.name, sym)
		}
	}
	p.slots.Store(grown)
}

func (x *slot) set(hash uint64, name string, sym *Symbol) {
	x.hash, x.name = hash, name
	x.sym.Store(sym)
}

// Get returns the symbol of a name ("foo", or "foo@V" for one that is not the
// default version), or nil.
func (t *Table) Get(name string) *Symbol {
	hash := maphash.String(t.seed, name)
	p := &t.shard[hash%shards]
	if _, sym := p.find(hash, name); sym != nil {
		return sym
	}
	p.Lock()
	defer p.Unlock()
	_, sym := p.find(hash, name)
	return sym
}

// Intern returns the symbol of a name, made undefined if it is new.
func (t *Table) Intern(name string) *Symbol {
	hash := maphash.String(t.seed, name)
	p := &t.shard[hash%shards]
	if _, sym := p.find(hash, name); sym != nil {
		return sym
	}
	return p.intern(hash, name)
}

func (p *shard) intern(hash uint64, name string) *Symbol {
	p.Lock()
	defer p.Unlock()
	x, sym := p.find(hash, name)
	if sym != nil {
		return sym
	}
	if 4*(p.n+1) > 3*len(*p.slots.Load()) {
		p.grow()
		x, _ = p.find(hash, name)
	}
	if len(p.slab) == 0 {
		p.slab = make([]Symbol, 32)
	}
	s := &p.slab[0]
	p.slab = p.slab[1:]
	s.Name = name
	x.set(hash, name, s)
	p.n++
	return s
}

// Some returns the symbols that a test holds for, in the order of their names.
func (t *Table) Some(is func(*Symbol) bool) []*Symbol {
	var some []*Symbol
	for i := range t.shard {
		slots := *t.shard[i].slots.Load()
		for k := range slots {
			if sym := slots[k].sym.Load(); sym != nil && is(sym) {
				some = append(some, sym)
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
