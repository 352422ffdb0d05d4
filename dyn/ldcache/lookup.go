package ldcache

// Query is who asks.
type Query struct {
	Kind

	Caps     []string // sub-directories of glibc-hwcaps, best first
	Level    uint     // of the instruction set: x86-64-v2 is 1
	Legacy   uint64   // bits of the old hardware capabilities that the CPU has
	Platform uint64   // the bit of its platform, or 0
}

const (
	extension    = 1 << 62 // DL_CACHE_HWCAP_EXTENSION
	levelMask    = 0x3ff << 32
	extensionAll = ^uint64(0xffffffff) &^ levelMask
	tlsBit       = 1 << 63
	platformBits = 0xf << 48 // _DL_HWCAP_PLATFORM of x86: the only ones that glibc 2.26 and later have
)

// Lookup finds a library's path (search_cache of elf/dl-cache.c). The table is
// in descending order.
func (c *Cache) Lookup(name string, q *Query) (path []byte, entry int, ok bool) {
	lo, hi := 0, c.Len()-1
	for lo <= hi {
		mid := (lo + hi) / 2
		key := c.At(mid).Name
		if key == nil { // glibc gives up as well
			return nil, 0, false
		}
		switch r := compare(name, key); {
		case r == 0:
			return c.best(name, mid, q)
		case r < 0:
			lo = mid + 1
		default:
			hi = mid - 1
		}
	}
	return nil, 0, false
}

// same says whether entry i has the name.
func (c *Cache) same(name string, i int) bool {
	if i < 0 || i >= c.Len() {
		return false
	}
	key := c.At(i).Name
	return key != nil && compare(name, key) == 0
}

// best chooses among the entries around mid that have the name. Those of named
// sub-directories come first, in no order of quality.
func (c *Cache) best(name string, mid int, q *Query) (path []byte, entry int, ok bool) {
	for c.same(name, mid-1) {
		mid--
	}
	priority := 0
	for i := mid; c.same(name, i); i++ {
		e := c.At(i)
		if e.Path == nil || e.Flags != q.Flags && (q.Other == 0 || e.Flags != q.Other) {
			continue
		}
		if e.HWCap&extensionAll == extension {
			if p := c.priority(&e, q); p > 0 && (!ok || p < priority) {
				path, entry, ok, priority = e.Path, i, true, p
			}
			continue
		}
		if priority > 0 { // the named ones are over
			break
		}
		if !q.suits(e.HWCap) {
			continue
		}
		path, entry, ok = e.Path, i, true
		if e.Flags == q.Flags {
			break
		}
	}
	return path, entry, ok
}

// priority is the place of an entry's sub-directory among those of the query,
// from 1; 0 if it is not among them or needs another CPU.
func (c *Cache) priority(e *Entry, q *Query) int {
	if uint(e.HWCap>>32&0x3ff) > q.Level {
		return 0
	}
	index := uint32(e.HWCap)
	if uint64(index) >= uint64(len(c.Caps)) {
		return 0
	}
	for i, cap := range q.Caps {
		if cap == c.Caps[index] {
			return i + 1
		}
	}
	return 0
}

// suits says whether a CPU has what an entry of the old kind asks for.
func (q *Query) suits(hwcap uint64) bool {
	if hwcap&^(q.Legacy|platformBits|tlsBit) != 0 {
		return false
	}
	p := hwcap & platformBits
	return p == 0 || p == q.Platform
}

// compare is _dl_cache_libcmp: runs of digits compare as numbers, and a digit is
// more than what is none.
func compare(a string, b []byte) int {
	i, j := 0, 0
	for i < len(a) {
		if !isDigit(a[i]) {
			switch {
			case j < len(b) && isDigit(b[j]):
				return -1
			case j >= len(b) || a[i] != b[j]:
				return int(a[i]) - at(b, j)
			}
			i, j = i+1, j+1
			continue
		}
		if j >= len(b) || !isDigit(b[j]) {
			return 1
		}
		var x, y int32 // int of C, which runs over
		for ; i < len(a) && isDigit(a[i]); i++ {
			x = x*10 + int32(a[i]-'0')
		}
		for ; j < len(b) && isDigit(b[j]); j++ {
			y = y*10 + int32(b[j]-'0')
		}
		if x != y {
			if x < y {
				return -1
			}
			return 1
		}
	}
	return -at(b, j)
}

func at(b []byte, i int) int {
	if i < len(b) {
		return int(b[i])
	}
	return 0
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
