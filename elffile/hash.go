package elffile

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"iter"
	"math/bits"
)

// SysvHash is the hash table of DT_HASH (gABI, "Hash Table"): for each name a
// bucket, which begins a chain of symbol indices that ends with 0.
type SysvHash struct {
	Offset  int64 // in the file
	Buckets HashWords
	Chains  HashWords // one for each symbol

	symbols *SymbolTable
}

// HashWords is a table of words in a hash table: a window.
type HashWords struct {
	format Format
	b      []byte
	size   int // of a word, in bytes
}

// Len is the number of words.
func (w HashWords) Len() int {
	if w.size == 0 {
		return 0
	}
	return len(w.b) / w.size
}

// At returns word i.
func (w HashWords) At(i int) uint64 {
	if w.size == 8 {
		return w.format.U64(w.b[8*i:])
	}
	return uint64(w.format.U32(w.b[4*i:]))
}

// Raw returns the words as they are stored, and the size of one: for look-ups by
// the million.
func (w HashWords) Raw() (b []byte, size int) { return w.b, w.size }

// sysvWord is the size of a word of DT_HASH: the psABIs of Alpha and of 64-bit
// s390 make it eight bytes, all others follow the gABI.
func (f *File) sysvWord() int {
	const alpha = elf.Machine(0x9026)
	if m := f.Header.Machine; f.Is64() && (m == elf.EM_S390 || m == alpha) {
		return 8
	}
	return 4
}

// SysvHash returns the table that DT_HASH names, or else the first SHT_HASH
// section; nil if there is neither.
func (f *File) SysvHash() (*SysvHash, error) {
	d, err := f.Dynamic()
	h, herr := f.sysvHash(d)
	if h != nil || herr != nil {
		if h != nil {
			h.symbols, _ = f.dynamicSymbols(d)
		}
		return h, errors.Join(err, herr)
	}
	i := f.SectionByType(elf.SHT_HASH)
	if i < 0 {
		return nil, err
	}
	s := &f.sections[i]
	h, herr = f.parseSysvHash(f.spanOf(s.Off, s.Size), f.SectionError(i, "sh_offset", "no hash table"))
	if h != nil {
		h.symbols, _ = f.SymbolTable(int(s.Link))
	}
	return h, errors.Join(err, herr)
}

func (f *File) sysvHash(d *Dynamic) (*SysvHash, error) {
	e, ok := d.Entry(elf.DT_HASH)
	if !ok || d.Prog < 0 {
		return nil, nil
	}
	s, ok := f.spanAt(e.Val)
	if !ok {
		return nil, f.dynError(e, "address 0x%x is in the file bytes of no PT_LOAD", e.Val)
	}
	return f.parseSysvHash(s, f.dynError(e, "no hash table"))
}

// parseSysvHash reads nbucket, nchain and the two tables. place is a fault at
// whatever named the table.
func (f *File) parseSysvHash(s span, place *Error) (*SysvHash, error) {
	w := uint64(f.sysvWord())
	head, ok := s.at(0, 2*w)
	if !ok {
		return nil, place.says("the hash table's header of 0x%x bytes at 0x%x is not in the file", 2*w, s.off)
	}
	words := HashWords{f.Format, head, int(w)}
	nbucket, nchain := words.At(0), words.At(1)
	room := s.n/w - 2
	if nbucket > room || nchain > room-nbucket {
		return nil, place.says("%d buckets and %d chains of the hash table at 0x%x are more than the 0x%x bytes there hold", nbucket, nchain, s.off, s.n)
	}
	b, ok := s.at(2*w, (nbucket+nchain)*w)
	if !ok {
		return nil, place.says("the hash table at 0x%x can not be read", s.off)
	}
	return &SysvHash{
		Offset:  int64(s.off),
		Buckets: HashWords{f.Format, b[:nbucket*w], int(w)},
		Chains:  HashWords{f.Format, b[nbucket*w:], int(w)},
	}, nil
}

// Count is the number of symbols in the table that the hash table is for.
func (h *SysvHash) Count() uint64 { return uint64(h.Chains.Len()) }

// Chain calls yield with the symbol indices of a bucket's chain. A chain that
// runs in a circle ends after as many steps as there are symbols; ok tells
// whether it ended by itself.
func (h *SysvHash) Chain(bucket int) (symbols iter.Seq[uint64], ok func() bool) {
	good := true
	return func(yield func(uint64) bool) {
		n := uint64(h.Chains.Len())
		steps := uint64(0)
		for i := h.Buckets.At(bucket); i != 0; i = h.Chains.At(int(i)) {
			if steps++; i >= n || steps > n {
				good = false
				return
			}
			if !yield(i) {
				return
			}
		}
	}, func() bool { return good }
}

// Lookup returns the first symbol of that name in its chain that is defined, as
// an index in [File.DynamicSymbolTable].
func (h *SysvHash) Lookup(name string) (int, bool) {
	if h.Buckets.Len() == 0 {
		return 0, false
	}
	chain, _ := h.Chain(int(uint64(SysvHashOf(name)) % uint64(h.Buckets.Len())))
	for i := range chain {
		if h.symbols.isNamed(i, name) {
			return int(i), true
		}
	}
	return 0, false
}

// isNamed says whether symbol i is defined and has that name.
func (t *SymbolTable) isNamed(i uint64, name string) bool {
	if t == nil || i >= uint64(t.n) {
		return false
	}
	s := t.At(int(i))
	return s.Shndx != 0 && string(t.Name(s)) == name
}

// SysvHashOf is the hash function of DT_HASH (gABI, "Hash Table").
func SysvHashOf(name string) uint32 {
	var h uint32
	for i := 0; i < len(name); i++ {
		h = h<<4 + uint32(name[i])
		h ^= h >> 24 & 0xf0
	}
	return h & 0x0fffffff
}

// GnuHash is the hash table of DT_GNU_HASH: a Bloom filter, then for each bucket
// the first symbol of its chain, and for each symbol from SymOffset on its hash,
// whose lowest bit says that the chain ends here (glibc, do_lookup_x in
// elf/dl-lookup.c; binutils, struct collect_gnu_hash_codes in bfd/elflink.c).
type GnuHash struct {
	Offset     int64  // in the file
	SymOffset  uint32 // the first symbol that is hashed
	BloomShift uint32
	Bloom      HashWords // as wide as an address
	Buckets    HashWords
	Chains     HashWords // as many as the buckets reach, from SymOffset on

	count   uint64
	symbols *SymbolTable
}

// GnuHash returns the table that DT_GNU_HASH names, or else the first
// SHT_GNU_HASH section; nil if there is neither.
func (f *File) GnuHash() (*GnuHash, error) {
	d, err := f.Dynamic()
	h, herr := f.gnuHash(d)
	if h != nil || herr != nil {
		if h != nil {
			h.symbols, _ = f.dynamicSymbols(d)
		}
		return h, errors.Join(err, herr)
	}
	i := f.SectionByType(elf.SHT_GNU_HASH)
	if i < 0 {
		return nil, err
	}
	s := &f.sections[i]
	h, herr = f.parseGnuHash(f.spanOf(s.Off, s.Size), f.SectionError(i, "sh_offset", "no hash table"))
	if h != nil {
		h.symbols, _ = f.SymbolTable(int(s.Link))
	}
	return h, errors.Join(err, herr)
}

func (f *File) gnuHash(d *Dynamic) (*GnuHash, error) {
	e, ok := d.Entry(elf.DT_GNU_HASH)
	if !ok || d.Prog < 0 {
		return nil, nil
	}
	s, ok := f.spanAt(e.Val)
	if !ok {
		return nil, f.dynError(e, "address 0x%x is in the file bytes of no PT_LOAD", e.Val)
	}
	return f.parseGnuHash(s, f.dynError(e, "no hash table"))
}

func (f *File) parseGnuHash(s span, place *Error) (*GnuHash, error) {
	head, ok := s.at(0, 16)
	if !ok {
		return nil, place.says("the hash table's header of 0x10 bytes at 0x%x is not in the file", s.off)
	}
	nbucket, bloom := uint64(f.U32(head)), uint64(f.U32(head[8:]))
	h := &GnuHash{Offset: int64(s.off), SymOffset: f.U32(head[4:]), BloomShift: f.U32(head[12:])}
	word := uint64(f.AddrSize())
	size := bloom*word + nbucket*4
	b, ok := s.at(16, size)
	if !ok {
		return nil, place.says("%d words of Bloom filter and %d buckets of the hash table at 0x%x are more than the 0x%x bytes there hold", bloom, nbucket, s.off, s.n)
	}
	h.Bloom = HashWords{f.Format, b[:bloom*word], int(word)}
	h.Buckets = HashWords{f.Format, b[bloom*word:], 4}
	return h, h.readChains(s, 16+size, place)
}

// readChains finds where the last chain ends, which nothing else tells.
func (h *GnuHash) readChains(s span, pos uint64, place *Error) error {
	last := uint64(0)
	var c Faults
	first, big := h.SymOffset, h.Buckets.format.Big()
	for b, i := h.Buckets.b, 0; len(b) >= 4; b, i = b[4:], i+1 { // there may be many
		v := binary.LittleEndian.Uint32(b)
		if big {
			v = bits.ReverseBytes32(v)
		}
		switch {
		case v == 0 || v >= first:
			last = max(last, uint64(v))
		case !c.Full():
			c.Add(place.says("bucket %d of the hash table at 0x%x begins with symbol %d, before the first hashed one (%d)", i, s.off, v, h.SymOffset))
		}
	}
	if last == 0 {
		return c.Err()
	}
	from := last - uint64(h.SymOffset)
	for n := from + 1024; ; n *= 2 {
		h.Chains = HashWords{h.Buckets.format, s.upTo(pos, 4*n), 4}
		have := uint64(h.Chains.Len())
		for ; from < have; from++ {
			if h.Chains.At(int(from))&1 != 0 {
				h.count = uint64(h.SymOffset) + from + 1
				h.Chains.b = h.Chains.b[:4*(from+1)]
				return c.Err()
			}
		}
		if have < n {
			h.count = uint64(h.SymOffset) + have
			c.Add(place.says("the chain of symbol %d in the hash table at 0x%x does not end in the 0x%x bytes there", last, s.off, s.n))
			return c.Err()
		}
	}
}

// Count is the number of symbols in the table that the hash table is for, or 0
// if it has no symbol and therefore does not tell.
func (h *GnuHash) Count() uint64 { return h.count }

// Chain calls yield with the symbol indices of a bucket's chain.
func (h *GnuHash) Chain(bucket int) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		i := h.Buckets.At(bucket)
		if i == 0 || i < uint64(h.SymOffset) {
			return
		}
		for x := i - uint64(h.SymOffset); x < uint64(h.Chains.Len()); x++ {
			if !yield(x+uint64(h.SymOffset)) || h.Chains.At(int(x))&1 != 0 {
				return
			}
		}
	}
}

// Lookup returns the first symbol of that name in its chain, as an index in
// [File.DynamicSymbolTable], the way the dynamic linker finds it: Bloom filter,
// bucket, the hashes of the chain, the name.
func (h *GnuHash) Lookup(name string) (int, bool) {
	hash := GnuHashOf(name)
	if h.Buckets.Len() == 0 || !h.mayHave(hash) {
		return 0, false
	}
	for i := range h.Chain(int(hash % uint32(h.Buckets.Len()))) {
		v := uint32(h.Chains.At(int(i - uint64(h.SymOffset))))
		if (v^hash)>>1 == 0 && h.symbols.isNamed(i, name) {
			return int(i), true
		}
	}
	return 0, false
}

// mayHave asks the Bloom filter.
func (h *GnuHash) mayHave(hash uint32) bool {
	n := uint32(h.Bloom.Len())
	if n == 0 {
		return false
	}
	bits := uint32(8 * h.Bloom.size)
	w := h.Bloom.At(int(hash / bits % n))
	return w>>(hash%bits)&1 != 0 && w>>(hash>>(h.BloomShift&31)%bits)&1 != 0
}

// GnuHashOf is the hash function of DT_GNU_HASH (glibc, dl_new_hash).
func GnuHashOf(name string) uint32 {
	h := uint32(5381)
	for i := 0; i < len(name); i++ {
		h = h*33 + uint32(name[i])
	}
	return h
}
