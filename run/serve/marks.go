package serve

// marks are addresses in some functions.
type marks struct {
	low, high uint64
	bits      []bool // one for each byte between
}

// newMarks has room for what lies in functions, of which the file has all bytes and
// which are in order within a segment.
func newMarks(fns []function) marks {
	if len(fns) == 0 {
		return marks{}
	}
	m := marks{low: fns[0].at, high: fns[0].at}
	for _, fn := range fns {
		m.low, m.high = min(m.low, fn.at), max(m.high, fn.at+uint64(len(fn.code)))
	}
	if m.high-m.low > maxCode {
		m.high = m.low + maxCode
	}
	m.bits = make([]bool, m.high-m.low)
	return m
}

// maxCode is how much code is looked at; the largest C libraries have two megabytes.
const maxCode = 64 << 20

// set marks an address, if it is in the code.
func (m *marks) set(at uint64) {
	if off := at - m.low; off < uint64(len(m.bits)) {
		m.bits[off] = true
	}
}

// has is true as well for what is outside: nothing is known of it.
func (m *marks) has(at uint64) bool {
	off := at - m.low
	return off >= uint64(len(m.bits)) || m.bits[off]
}
