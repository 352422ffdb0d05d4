package bind

// reference is what a look-up asks for.
type reference struct {
	name    []byte
	gnu     uint32 // its hash for DT_GNU_HASH
	sysv    uint32 // for DT_HASH, once it is wanted
	hasSysv bool
	class   Class
	version int32 // 0: none
	hidden  bool  // a version that is not bound by default may not stand in for it
}

// hit is a definition: an object of the scope and its symbol.
type hit struct {
	object int32
	symbol uint32
}

var none = hit{object: -1}

// scope is where references are looked up: the objects of a process in load order,
// which is the same for all of them (gABI, "Shared Object Dependencies").
type scope struct {
	tables  []*table
	sieve   *sieve // nil: the objects are few
	names   *versionNames
	program int // its index: the first, unless it has filtees
	ld      int // the index of the dynamic linker, -1 where it is not in the scope
	musl    bool
	weak    bool // weak definitions are second best
}

// search looks a reference up. Steps are counted along chains, see [maxSteps].
func (s *scope) search(r *reference, steps *int) hit { return s.searchFrom(0, r, steps) }

// strong is what is bound where weak definitions are second best (do_lookup_x): a
// hit, or, if that is weak, the first from an object on that is not, if there is one.
func (s *scope) strong(first hit, from int, r *reference, steps *int) hit {
	for h := first; ; from = int(h.object) + 1 {
		if sym := s.tables[h.object].sym(h.symbol); sym.bind() != bindWeak {
			return h
		}
		if h = s.searchFrom(from, r, steps); h == none {
			return first
		}
	}
}

// searchFrom goes on with object i.
func (s *scope) searchFrom(i int, r *reference, steps *int) hit {
	for i = s.next(r, i); i < len(s.tables); i = s.next(r, i+1) {
		t := s.tables[i]
		if t.hash == noHash || t.hash == gnuHash && !t.mayHave(r.gnu) {
			continue
		}
		if r.class == Copy && i == s.program { // where the copy goes
			continue
		}
		if sym, ok := s.find(t, r, steps); ok {
			return hit{int32(i), sym}
		}
	}
	return none
}

// next is the first object from i on that may have the name, as far as the sieve
// can tell.
func (s *scope) next(r *reference, i int) int {
	if s.sieve == nil {
		return i
	}
	return s.sieve.next(r.gnu, i)
}

// find looks into one object, after the Bloom filter.
func (s *scope) find(t *table, r *reference, steps *int) (uint32, bool) {
	if s.musl {
		return t.findMusl(r, steps)
	}
	return t.findGlibc(r, steps)
}

// sysvHash is the hash function of DT_HASH.
func (r *reference) sysvHash() uint32 {
	if !r.hasSysv {
		r.hasSysv = true
		var h uint32
		for _, c := range r.name {
			h = h<<4 + uint32(c)
			h ^= h >> 24 & 0xf0
		}
		r.sysv = h & 0x0fffffff
	}
	return r.sysv
}

// maxSteps bounds the symbols that the look-ups of a process may pass: chains of a
// damaged or hostile hash table can be as long as the symbol table is, and every
// look-up may walk one. Honest tables take some two steps.
const maxSteps = 1 << 30

// findGlibc is do_lookup_x (elf/dl-lookup.c) for one object.
func (t *table) findGlibc(r *reference, steps *int) (uint32, bool) {
	m := matcher{t: t, r: r}
	w := t.walk(r)
	for {
		sym, ok := w.next()
		if !ok {
			break
		}
		if m.accept(sym) {
			*steps += w.steps
			return m.visible(sym)
		}
	}
	*steps += w.steps
	// One version that is not the oldest and not hidden is taken for a reference
	// without version; several are ambiguous.
	if m.versioned == 1 {
		return m.visible(m.remembered)
	}
	return 0, false
}

// matcher is glibc's check_match (elf/dl-lookup.c) with what it remembers.
type matcher struct {
	t          *table
	r          *reference
	versioned  int
	remembered uint32
}

// definitions are the types of symbols that are code or data.
const (
	glibcTypes = 1<<0 | 1<<1 | 1<<2 | 1<<5 | 1<<6 | 1<<10 // NOTYPE OBJECT FUNC COMMON TLS GNU_IFUNC
	muslTypes  = 1<<0 | 1<<1 | 1<<2 | 1<<5 | 1<<6
)

// accept says whether symbol i ends the search in its object.
func (m *matcher) accept(i uint32) bool {
	t, r := m.t, m.r
	s := t.sym(i)
	if s.value == 0 && s.shndx != shnAbs && s.typ() != typeTLS || r.class == PLT && s.shndx == shnUndef ||
		1<<s.typ()&glibcTypes == 0 || !t.isNamed(s.name, r.name) {
		return false
	}
	if t.versym == nil { // an object without versions serves every one
		return true
	}
	x, hidden := t.version(i)
	if r.version == 0 {
		if x < 3 { // none, or the oldest
			return true
		}
		if !hidden {
			if m.versioned == 0 {
				m.remembered = i
			}
			m.versioned++
		}
		return false
	}
	var id int32
	if int(x) < len(t.versions) {
		id = t.versions[x].id
	}
	return id == r.version || !r.hidden && id == 0 && !hidden
}

// visible ends the search in the object with symbol i, unless that cannot be seen
// from outside: then it goes on with the next object.
func (m *matcher) visible(i uint32) (uint32, bool) {
	s := m.t.sym(i)
	switch {
	case s.vis() == visHidden || s.vis() == visInternal:
		return 0, false
	case s.bind() == bindGlobal || s.bind() == bindWeak || s.bind() == bindUnique:
		return i, true
	}
	return 0, false
}
