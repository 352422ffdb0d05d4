package ldscript

import (
	"hash/maphash"
	"slices"
)

// A PatternSet says which of many patterns match a name, as MatchName does, at a
// cost that hardly depends on how many there are. Once all are added it is not
// changed by matching, and may be asked from many goroutines. The zero value is
// empty.
type PatternSet struct {
	n     int32
	exact map[string][]int32
	// Other patterns by the literal bytes they begin with. lengths are those
	// of the prefixes, ascending.
	prefixes map[string]*prefixed
	lengths  []int
}

// prefixed are the patterns that begin with the same literal bytes.
type prefixed struct {
	all   []int32 // PREFIX*: they match whatever follows
	globs []globAt
}

// A globAt is what follows the prefix. Few names end as it does, and only for
// these it is worth a closer look.
type globAt struct {
	pattern string
	suffix  string
	index   int32
}

// Add adds a pattern, and returns its index: they count from 0.
func (s *PatternSet) Add(pattern string) int {
	i := s.n
	s.n++
	head, tail, glob := splitGlob(pattern)
	if !glob {
		if s.exact == nil {
			s.exact = make(map[string][]int32)
		}
		s.exact[pattern] = append(s.exact[pattern], i)
		return int(i)
	}
	p := s.prefix(head)
	if pattern[len(head):] == "*" {
		p.all = append(p.all, i)
	} else {
		p.globs = append(p.globs, globAt{pattern[len(head):], tail, i})
	}
	return int(i)
}

func (s *PatternSet) prefix(text string) *prefixed {
	if s.prefixes == nil {
		s.prefixes = make(map[string]*prefixed)
	}
	p := s.prefixes[text]
	if p == nil {
		p = new(prefixed)
		s.prefixes[text] = p
		if at, ok := slices.BinarySearch(s.lengths, len(text)); !ok {
			s.lengths = slices.Insert(s.lengths, at, len(text))
		}
	}
	return p
}

// Len is how many patterns there are.
func (s *PatternSet) Len() int { return int(s.n) }

// Match appends the indices of the patterns that match to dst, in ascending
// order.
func (s *PatternSet) Match(dst []int32, name string) []int32 {
	from := len(dst)
	dst = append(dst, s.exact[name]...)
	for _, n := range s.lengths {
		if n > len(name) {
			break
		}
		p := s.prefixes[name[:n]]
		if p == nil {
			continue
		}
		dst = append(dst, p.all...)
		for _, g := range p.globs {
			if matchRest(g.pattern, g.suffix, name[n:]) {
				dst = append(dst, g.index)
			}
		}
	}
	slices.Sort(dst[from:])
	return dst
}

// A PatternCache remembers what a PatternSet said of the names asked for last: where
// sections are named alike few names are met, and where each has a name of its own
// a table of all would cost more than asking anew. It is for one goroutine.
type PatternCache struct {
	set   *PatternSet
	seed  maphash.Seed
	known [cached]struct {
		name string
		list []int32 // nil: nothing is known here
	}
	slab []int32 // what is left for lists
}

// cached is how many names are remembered, each in the place that its hash tells.
const cached = 512

// Cache makes a cache before s.
func (s *PatternSet) Cache() *PatternCache {
	return &PatternCache{set: s, seed: maphash.MakeSeed()}
}

// Match returns the indices of the patterns that match, in ascending order. It
// is not to be changed.
func (c *PatternCache) Match(name string) []int32 {
	at := &c.known[maphash.String(c.seed, name)%cached]
	if at.list == nil || at.name != name {
		at.name, at.list = name, c.match(name)
	}
	return at.list
}

// match is a list that is never nil.
func (c *PatternCache) match(name string) []int32 {
	if len(c.slab) < c.set.Len()+1 {
		c.slab = make([]int32, max(1024, c.set.Len()+1))
	}
	list := c.set.Match(c.slab[:0], name)
	n := len(list)
	c.slab = c.slab[n:]
	return list[:n:n]
}
