package elftest

import (
	"debug/elf"
	"slices"
)

// SysVHashOf is the gABI's symbol hash function.
func SysVHashOf(name string) uint32 {
	var h uint32
	for i := 0; i < len(name); i++ {
		h = h<<4 + uint32(name[i])
		g := h & 0xf0000000
		h = (h ^ g>>24) &^ g
	}
	return h
}

// GNUHashOf is the hash function of DT_GNU_HASH: h*33 + c from 5381.
func GNUHashOf(name string) uint32 {
	var h uint32 = 5381
	for i := 0; i < len(name); i++ {
		h = h*33 + uint32(name[i])
	}
	return h
}

// SysVHash is the DT_HASH table of the linked symbol table (gABI, Hash Table).
// Its words have four bytes, as on every machine but Alpha and 64-bit S/390.
type SysVHash struct {
	Buckets int // 0 means 1
}

// Encode returns the table.
func (c SysVHash) Encode(e *Env) []byte {
	syms := e.symbols(e.Link)
	buckets := make([]uint32, max(c.Buckets, 1))
	chain := make([]uint32, len(syms))
	for i := len(syms) - 1; i > 0; i-- {
		b := &buckets[SysVHashOf(syms[i].Name)%uint32(len(buckets))]
		chain[i], *b = *b, uint32(i)
	}
	w := e.Writer()
	w.U32(uint32(len(buckets)))
	w.U32(uint32(len(chain)))
	for _, v := range append(buckets, chain...) {
		w.U32(v)
	}
	return w.B
}

func (c SysVHash) wants(*Env) wants {
	return wants{typ: elf.SHT_HASH, link: ".dynsym", align: 4, entsize: 4}
}

// GNUHash is the DT_GNU_HASH table of the linked symbol table, whose defined
// symbols must be in the order of [SortGNU] with the same number of buckets.
type GNUHash struct {
	Buckets int // 0 means 1
	Bloom   int // words of the Bloom filter, a power of two; 0 means 1
	Shift   uint32
}

// SortGNU returns the symbols as a GNU hash table needs them: the undefined ones
// first, then the defined ones by bucket.
func SortGNU(buckets int, syms Symbols) Symbols {
	n := uint32(max(buckets, 1))
	out := slices.Clone(syms)
	slices.SortStableFunc(out, func(a, b Symbol) int { return bucketOf(a, n) - bucketOf(b, n) })
	return out
}

// bucketOf is -1 for a symbol that is not in the hash table.
func bucketOf(s Symbol, n uint32) int {
	if !s.defined() {
		return -1
	}
	return int(GNUHashOf(s.Name) % n)
}

func (s Symbol) defined() bool { return s.Section != "" || s.Index != elf.SHN_UNDEF }

// Encode returns the table.
func (c GNUHash) Encode(e *Env) []byte {
	syms := e.symbols(e.Link)
	first := slices.IndexFunc(syms, Symbol.defined)
	if first < 0 {
		first = len(syms)
	}
	hashed := syms[first:]
	nb := uint32(max(c.Buckets, 1))
	if !slices.IsSortedFunc(hashed, func(a, b Symbol) int { return bucketOf(a, nb) - bucketOf(b, nb) }) {
		panic("elftest: symbols are not in the order of SortGNU")
	}
	bloom := make([]uint64, max(c.Bloom, 1))
	buckets := make([]uint32, nb)
	chain := make([]uint32, len(hashed))
	bits := uint32(e.Word() * 8)
	for i, s := range hashed {
		h := GNUHashOf(s.Name)
		bloom[h/bits%uint32(len(bloom))] |= 1<<(h%bits) | 1<<(h>>c.Shift%bits)
		b := &buckets[h%nb]
		if *b == 0 {
			*b = uint32(first + i)
		}
		chain[i] = h &^ 1
		if i+1 == len(hashed) || bucketOf(hashed[i+1], nb) != bucketOf(s, nb) {
			chain[i] |= 1
		}
	}
	w := e.Writer()
	for _, v := range []uint32{nb, uint32(first), uint32(len(bloom)), c.Shift} {
		w.U32(v)
	}
	for _, v := range bloom {
		w.Addr(v)
	}
	for _, v := range append(buckets, chain...) {
		w.U32(v)
	}
	return w.B
}

func (c GNUHash) wants(e *Env) wants {
	return wants{typ: elf.SHT_GNU_HASH, link: ".dynsym", align: e.Word()}
}
