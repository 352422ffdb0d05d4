package model

import (
	"elfwright/internal/near"
	"hash/maphash"
	"sort"
	"sync"
)

// shards is how many parts the table of global symbols has: enough that
// goroutines seldom meet.
const shards = 64

// Table has the global symbols by name. It may be used by many goroutines.
type Table struct {
	seed  maphash.Seed
	shard [shards]struct {
		sync.Mutex
		syms map[string]*Symbol
	}
}

// NewTable makes an empty table.
func NewTable() *Table {
	t := &Table{seed: maphash.MakeSeed()}
	for i := range t.shard {
		t.shard[i].syms = map[string]*Symbol{}
	}
	return t
}

// Get returns the symbol of a name ("foo", or "foo@V" for one that is not the
// default version), or nil.
func (t *Table) Get(name string) *Symbol {
	p := &t.shard[maphash.String(t.seed, name)%shards]
	p.Lock()
	defer p.Unlock()
	return p.syms[name]
}

// Intern returns the symbol of a name, made undefined if it is new.
func (t *Table) Intern(name string) *Symbol {
	p := &t.shard[maphash.String(t.seed, name)%shards]
	p.Lock()
	defer p.Unlock()
	s := p.syms[name]
	if s == nil {
		s = &Symbol{Name: name}
		p.syms[name] = s
	}
	return s
}

// Some returns the symbols that a test holds for, in the order of their names.
func (t *Table) Some(is func(*Symbol) bool) []*Symbol {
	var some []*Symbol
	for i := range t.shard {
		for _, s := range t.shard[i].syms {
			if is(s) {
				some = append(some, s)
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
