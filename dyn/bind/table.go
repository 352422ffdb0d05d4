package bind

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"elfwright/dyn/load"
	"elfwright/elffile"
)

// table is what look-ups need of an object, taken out of its tables once: windows
// of the mapped file, and the numbers of the hash tables' headers. Every index is
// checked against the window before it is used, for the file may be damaged.
type table struct {
	obj  *load.Object
	hash hashKind
	big  bool // byte order
	wide bool // ELFCLASS64

	bloom  []byte
	mask   uint32 // number of words of the Bloom filter - 1
	shift  uint32 // for its second bit
	first  uint32 // the first symbol that DT_GNU_HASH has
	nbkt   uint32
	bkt    []byte
	chain  []byte
	nchain uint32 // words in chain
	word   int    // of DT_HASH

	syms    []byte
	stride  int
	nsyms   uint32
	strings []byte

	versym   []byte // nil where nothing defines or needs versions, as l_versyms
	versions []version
	symbolic bool
}

type hashKind uint8

const (
	noHash hashKind = iota
	gnuHash
	sysvHash
)

// symbol is an entry of the symbol table, decoded as far as look-ups go.
type symbol struct {
	name  uint32
	info  uint8
	other uint8
	shndx uint16
	value uint64
}

const (
	bindLocal  = 0
	bindGlobal = 1
	bindWeak   = 2
	bindUnique = 10

	typeTLS = 6

	visInternal  = 1
	visHidden    = 2
	visProtected = 3

	shnUndef = 0
	shnAbs   = 0xfff1
)

func (s *symbol) bind() uint8 { return s.info >> 4 }
func (s *symbol) typ() uint8  { return s.info & 15 }
func (s *symbol) vis() uint8  { return s.other & 3 }

// newTable takes an object apart. What is wrong with its hash tables is an error,
// and the object is then searched as if it had no symbols.
func newTable(o *load.Object) (*table, error) {
	t := &table{obj: o, big: o.Big(), wide: o.Is64(), symbolic: o.Symbolic}
	if o.Symbols == nil {
		return t, nil
	}
	t.syms, t.stride = o.Symbols.Raw()
	t.nsyms, t.strings = uint32(min(o.Symbols.Len(), 1<<32-1)), o.Symbols.Strings
	if o.Versions != nil {
		t.versym = o.Versions.Raw()
	}
	switch {
	case o.Gnu != nil: // it wins where there are both: _dl_setup_hash, find_sym2
		return t, t.setGnu(o.Gnu)
	case o.Sysv != nil:
		t.setSysv(o.Sysv)
	}
	return t, nil
}

func (t *table) setGnu(h *elffile.GnuHash) error {
	n := h.Bloom.Len()
	if n == 0 || n&(n-1) != 0 {
		return &elffile.Error{File: t.obj.Name, Struct: "GNU hash table", Field: "maskwords", Off: h.Offset + 8,
			Msg: fmt.Sprintf("%d words of Bloom filter are not a power of two", n)}
	}
	t.bloom, _ = h.Bloom.Raw()
	t.bkt, _ = h.Buckets.Raw()
	t.chain, _ = h.Chains.Raw()
	t.mask, t.shift, t.first = uint32(n-1), h.BloomShift, h.SymOffset
	t.nbkt, t.nchain = uint32(h.Buckets.Len()), uint32(h.Chains.Len())
	if t.nbkt > 0 {
		t.hash = gnuHash
	}
	return nil
}

func (t *table) setSysv(h *elffile.SysvHash) {
	t.bkt, t.word = h.Buckets.Raw()
	t.chain, _ = h.Chains.Raw()
	t.nbkt, t.nchain = uint32(h.Buckets.Len()), uint32(h.Chains.Len())
	if t.nbkt > 0 {
		t.hash = sysvHash
	}
}

// u32 reads word i of a table that has it.
func (t *table) u32(b []byte, i uint32) uint32 {
	v := binary.LittleEndian.Uint32(b[4*uint64(i):])
	if t.big {
		return bits.ReverseBytes32(v)
	}
	return v
}

func (t *table) u16(b []byte) uint16 {
	v := binary.LittleEndian.Uint16(b)
	if t.big {
		return bits.ReverseBytes16(v)
	}
	return v
}

func (t *table) u64(b []byte) uint64 {
	v := binary.LittleEndian.Uint64(b)
	if t.big {
		return bits.ReverseBytes64(v)
	}
	return v
}

// sym decodes symbol i, which must be below nsyms.
func (t *table) sym(i uint32) symbol {
	b := t.syms[uint64(i)*uint64(t.stride):]
	if t.wide {
		b = b[:24]
		return symbol{t.u32(b, 0), b[4], b[5], t.u16(b[6:]), t.u64(b[8:])}
	}
	b = b[:16]
	return symbol{t.u32(b, 0), b[12], b[13], t.u16(b[14:]), uint64(t.u32(b, 1))}
}

// isNamed says whether the string at off is the name.
func (t *table) isNamed(off uint32, name []byte) bool {
	end := uint64(off) + uint64(len(name))
	return end < uint64(len(t.strings)) && t.strings[end] == 0 && string(t.strings[off:end]) == string(name)
}

// mayHave asks the Bloom filter for both bits.
func (t *table) mayHave(h uint32) bool {
	if t.wide {
		w := t.u64(t.bloom[8*uint64(h/64&t.mask):])
		return w>>(h&63)&(w>>(h>>(t.shift&31)&63))&1 != 0
	}
	w := t.u32(t.bloom, h/32&t.mask)
	return w>>(h&31)&(w>>(h>>(t.shift&31)&31))&1 != 0
}

// head is the first symbol of the chain for a hash, 0 for none, and its place in
// the chain words. A bucket that points out of them, which elffile has told
// about, is as an empty one.
func (t *table) head(h uint32) (sym, at uint32, ok bool) {
	sym = t.u32(t.bkt, h%t.nbkt)
	at = sym - t.first
	return sym, at, sym != 0 && sym >= t.first && at < t.nchain
}

// sysvAt is word i of the buckets or chains of DT_HASH.
func (t *table) sysvAt(b []byte, i uint32) uint32 {
	if t.word == 8 {
		return uint32(min(t.u64(b[8*uint64(i):]), 1<<32-1))
	}
	return t.u32(b, i)
}

// hidden says whether symbol i has bit 15 of its version set, and its index.
func (t *table) version(i uint32) (index uint16, hidden bool) {
	if uint64(i) >= uint64(len(t.versym)/2) {
		return 1, false
	}
	v := t.u16(t.versym[2*uint64(i):])
	return v & 0x7fff, v&0x8000 != 0
}
