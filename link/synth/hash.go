package synth

import (
	"math/bits"

	"elfwright/elffile"
)

// buckets is the number of buckets for n symbols, by the table that GNU ld has
// used without -O for as long as there is ELF: primes, so that chains stay short.
func buckets(n int) int {
	sizes := [...]int{1, 3, 17, 37, 67, 97, 131, 197, 263, 521, 1031, 2053, 4099, 8209, 16411, 32771}
	best := 1
	for _, x := range sizes {
		if x <= n {
			best = x
		}
	}
	return best
}

// gnuBuckets is the same for .gnu.hash: at least two, unless there is no symbol.
func gnuBuckets(n int) int {
	if n == 0 {
		return 1
	}
	return max(buckets(n), 2)
}

func (s *Set) sysvSize() uint64 {
	n := len(s.dynsyms.syms)
	return 4 * uint64(2+buckets(n-1)+n)
}

// writeHash makes .hash (gABI, "Hash Table"): the newest symbol begins its chain,
// where GNU ld goes over its own table.
func (s *Set) writeHash(b []byte) {
	o, n := s.env.Order, len(s.dynsyms.syms)
	nb := buckets(n - 1)
	o.PutUint32(b, uint32(nb))
	o.PutUint32(b[4:], uint32(n))
	heads, chains := b[8:], b[8+4*nb:]
	for _, sym := range s.dynsyms.walk {
		i := uint32(sym.DynIndex)
		head := heads[4*(elffile.SysvHashOf(sym.Name)%uint32(nb)):]
		o.PutUint32(chains[4*i:], o.Uint32(head))
		o.PutUint32(head, i)
	}
}

// bloom says how many bits the filter has, as a power of two: by the two top bits
// of the number of symbols, between five and twelve for each, and a word at least.
func (s *Set) bloom(n int) (log uint) {
	log = uint(bits.Len(uint(n)))
	switch {
	case log < 3:
		log = 5
	case n>>(log-2)&1 != 0:
		log += 3
	default:
		log += 2
	}
	if s.word == 8 {
		log = max(log, 6)
	}
	return log
}

func (s *Set) gnuSize() uint64 {
	n := len(s.dynsyms.syms) - s.dynsyms.hashed
	if n == 0 {
		return 20 + s.word
	}
	return 16 + 1<<s.bloom(n)/8 + 4*uint64(gnuBuckets(n)+n)
}

// writeGnuHash makes .gnu.hash: header, Bloom filter, buckets, and for each
// symbol its hash, odd at the end of a chain.
func (s *Set) writeGnuHash(b []byte) {
	o, d := s.env.Order, &s.dynsyms
	n := len(d.syms) - d.hashed
	nb, log := gnuBuckets(n), uint(0)
	filter := s.word
	o.PutUint32(b, uint32(nb))
	o.PutUint32(b[4:], uint32(d.hashed))
	if n != 0 {
		log = s.bloom(n)
		filter = 1 << log / 8
	}
	o.PutUint32(b[8:], uint32(filter/s.word))
	o.PutUint32(b[12:], uint32(log))
	words, heads := b[16:16+filter], b[16+filter:]
	chains := heads[4*nb:]
	last := -1
	for i, sym := range d.syms[d.hashed:] {
		h := elffile.GnuHashOf(sym.Name)
		s.setBloom(words, h, log)
		k := int(h % uint32(nb))
		if k != last {
			o.PutUint32(heads[4*k:], uint32(d.hashed+i))
			if i > 0 {
				o.PutUint32(chains[4*(i-1):], o.Uint32(chains[4*(i-1):])|1)
			}
			last = k
		}
		o.PutUint32(chains[4*i:], h&^1)
	}
	if n > 0 {
		o.PutUint32(chains[4*(n-1):], o.Uint32(chains[4*(n-1):])|1)
	}
}

func (s *Set) setBloom(words []byte, h uint32, log uint) {
	width := uint32(8 * s.word)
	at := s.word * uint64(h/width%uint32(uint64(len(words))/s.word))
	mask := uint64(1)<<(h%width) | uint64(1)<<(h>>log%width)
	if s.word == 8 {
		s.env.Order.PutUint64(words[at:], s.env.Order.Uint64(words[at:])|mask)
	} else {
		s.env.Order.PutUint32(words[at:], s.env.Order.Uint32(words[at:])|uint32(mask))
	}
}
