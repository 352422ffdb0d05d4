package synth

import (
	"bytes"
	"debug/elf"
	"hash/maphash"

	"elfwright/link/model"
)

// Sections with SHF_MERGE are cut into pieces, and of equal pieces one stays: in
// the section, and at the place in it, where it came first. That each section
// keeps its own pieces and shrinks, instead of all going into one, is how GNU ld
// 2.40 does it; sizes agree with its.

// mergeKey says which sections may share pieces.
type mergeKey struct {
	out     *model.Output
	strings bool
	entsize uint64
	align   uint64
}

// mergeGroup are the sections of one key, in the order of the input.
type mergeGroup struct {
	mergeKey
	secs []*merged
}

// merged is a section in pieces.
type merged struct {
	sec    *model.Section
	starts []uint32 // of the pieces, ascending
	hashes []uint32
	entry  []*entry
	size   uint64 // of the input

	// first has the piece at every indexStep-th byte of the input, and homes where
	// each piece is in the output: relocations of debugging data ask for millions.
	first []uint32
	homes []home
}

// indexStep is a power of two about as long as the strings of programs.
const indexStep = 32

// home is where a piece is in the output.
type home struct {
	sec *model.Section
	off uint32 // not more than the offset in the input, which has less than 4 GiB
	len uint32 // up to its zero, if it is a string
}

// entry is a piece that pieces are equal to.
type entry struct {
	data  []byte
	align uint64
	home  *merged
	off   uint64 // in home, as it is in the output, or noPlace
	to    *entry // a stricter aligned copy, or the string that ends with it
}

const noPlace = ^uint64(0)

// Merge finds the equal pieces of all sections that may be merged. It comes after
// matching and before addresses.
func (s *Set) Merge() {
	s.placeTLSBase()
	seed := maphash.MakeSeed()
	groups := s.mergeGroups()
	var all []*merged
	for _, g := range groups {
		all = append(all, g.secs...)
	}
	workers := s.env.Opt.Workers()
	model.Each(workers, len(all), func(i int) {
		m := all[i]
		m.cut(seed)
		m.entry = make([]*entry, len(m.starts))
	})
	for _, g := range groups {
		entries := g.unite(workers)
		if g.strings {
			shareTails(workers, entries)
		}
		model.Each(workers, len(g.secs), func(i int) { g.secs[i].place() })
		model.Each(workers, len(g.secs), func(i int) { g.secs[i].index() })
	}
}

// mergeGroups collects what may be merged, under the conditions of GNU ld: no
// relocations, whole records, and an alignment that the records keep.
func (s *Set) mergeGroups() []*mergeGroup {
	byKey := map[mergeKey]*mergeGroup{}
	var groups []*mergeGroup
	for _, o := range s.env.Objects {
		for _, sec := range o.Sections {
			if sec == nil || !mergeable(sec) {
				continue
			}
			k := mergeKey{sec.Out, sec.Flags&elf.SHF_STRINGS != 0, sec.Entsize, sec.Align}
			g := byKey[k]
			if g == nil {
				g = &mergeGroup{mergeKey: k}
				byKey[k] = g
				groups = append(groups, g)
			}
			g.secs = append(g.secs, &merged{sec: sec, size: sec.Size})
		}
	}
	return groups
}

func mergeable(s *model.Section) bool {
	n, e, a := uint64(len(s.Data)), s.Entsize, s.Align
	if s.Flags&elf.SHF_MERGE == 0 || !s.Live || s.Out == nil || s.Synth != nil || s.Map != nil || len(s.Relocs) != 0 ||
		n == 0 || n != s.Size || n >= 1<<32 || e == 0 || n%e != 0 {
		return false
	}
	strings := s.Flags&elf.SHF_STRINGS != 0
	switch {
	case e < a && (e&(e-1) != 0 || !strings):
		return false
	case e > a && e&(a-1) != 0:
		return false
	}
	return !strings || zero(s.Data[n-e:])
}

func zero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}

// cut finds where the pieces begin, and their hashes. Zeros that follow a string
// are padding of the assembler, except that an empty string may be meant where one
// is aligned.
func (m *merged) cut(seed maphash.Seed) {
	b, e := m.sec.Data, int(m.sec.Entsize)
	if m.sec.Flags&elf.SHF_STRINGS == 0 {
		m.expect(len(b) / e)
		for off := 0; off < len(b); off += e {
			m.begin(seed, off, off+e)
		}
		return
	}
	if e == 1 {
		m.expect(bytes.Count(b, []byte{0}))
	}
	for off := 0; off < len(b); {
		end := stringEnd(b, off, e)
		m.begin(seed, off, end)
		empty := false
		for end < len(b) && zero(b[end:end+e]) {
			if !empty && uint64(end)&(m.sec.Align-1) == 0 {
				empty = true
				m.begin(seed, end, end+e)
			}
			end += e
		}
		off = end
	}
}

func (m *merged) expect(n int) { m.starts, m.hashes = make([]uint32, 0, n), make([]uint32, 0, n) }

func (m *merged) begin(seed maphash.Seed, off, end int) {
	m.starts = append(m.starts, uint32(off))
	m.hashes = append(m.hashes, uint32(maphash.Bytes(seed, m.sec.Data[off:end])>>32))
}

// stringEnd is where the string at off ends, behind its zero.
func stringEnd(b []byte, off, e int) int {
	if e == 1 {
		return off + bytes.IndexByte(b[off:], 0) + 1
	}
	for !zero(b[off : off+e]) {
		off += e
	}
	return off + e
}

// piece is the bytes of piece k.
func (m *merged) piece(k int) []byte {
	off, e := int(m.starts[k]), int(m.sec.Entsize)
	if m.sec.Flags&elf.SHF_STRINGS == 0 {
		return m.sec.Data[off : off+e]
	}
	return m.sec.Data[off:stringEnd(m.sec.Data, off, e)]
}

// alignOf is the alignment that piece k has in the input: what the compiler may
// rely on.
func (m *merged) alignOf(k int) uint64 {
	a := m.sec.Align
	if m.sec.Flags&elf.SHF_STRINGS == 0 {
		return a
	}
	if off := uint64(m.starts[k]); off != 0 {
		return min(off&-off, a)
	}
	return a
}

const mergeShards = 16

// unite gives each piece its entry. A worker has the pieces of some hashes and
// goes over them in the order of the input; who is first does not depend on the
// number of workers. It returns the entries that stay.
func (g *mergeGroup) unite(workers int) []*entry {
	total := 0
	for _, m := range g.secs {
		total += len(m.starts)
	}
	n := mergeShards
	if total < 4096 {
		n = 1
	}
	parts := make([][]*entry, n)
	model.Each(workers, n, func(i int) { parts[i] = g.uniteShard(uint32(i), uint32(n), total/n/4) })
	var all []*entry
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func (g *mergeGroup) uniteShard(shard, n uint32, guess int) []*entry {
	t := newEntries(n, guess)
	for _, m := range g.secs {
		for k, h := range m.hashes {
			if h%n == shard {
				m.entry[k] = t.add(m, k, h)
			}
		}
	}
	stay := t.made[:0]
	for _, e := range t.made {
		if e.to == nil {
			stay = append(stay, e)
		}
	}
	return stay
}

// place gives the entries that a section keeps their offsets, and the section its
// size.
func (m *merged) place() {
	size := uint64(0)
	for _, e := range m.entry {
		if e.home != m || e.to != nil || e.off != noPlace {
			continue
		}
		size = (size + e.align - 1) &^ (e.align - 1)
		e.off = size
		size += uint64(len(e.data))
	}
	m.sec.Size, m.sec.Synth, m.sec.Map = size, m, m
	m.hashes = nil
}

// Write puts the pieces that stay into place.
func (m *merged) Write(_ *model.Env, _ *model.Section, b []byte) {
	for _, e := range m.entry {
		if e.home == m && e.to == nil {
			copy(b[e.off:], e.data)
		}
	}
}

// index makes what At looks at, once all entries have their places.
func (m *merged) index() {
	m.homes = make([]home, len(m.entry))
	for k, e := range m.entry {
		// What lies behind a string's end, where the input had padding, is its zero.
		last := uint32(uint64(len(e.data)) - m.sec.Entsize)
		off := uint64(0)
		for e.to != nil {
			off += uint64(len(e.to.data) - len(e.data))
			e = e.to
		}
		m.homes[k] = home{e.home.sec, uint32(e.off + off), last}
	}
	m.first = make([]uint32, (m.size+indexStep-1)/indexStep)
	k := 0
	for i := range m.first {
		for k+1 < len(m.starts) && uint64(m.starts[k+1]) <= uint64(i)*indexStep {
			k++
		}
		m.first[i] = uint32(k)
	}
}

// At finds the byte at an input offset.
func (m *merged) At(off uint64) (*model.Section, uint64, bool) {
	if off >= m.size {
		return m.sec, m.sec.Size, off == m.size
	}
	k := int(m.first[off/indexStep])
	for k+1 < len(m.starts) && uint64(m.starts[k+1]) <= off {
		k++
	}
	h := &m.homes[k]
	in := off - uint64(m.starts[k])
	if n := uint64(h.len) + m.sec.Entsize; in >= n {
		in = uint64(h.len)
	}
	return h.sec, uint64(h.off) + in, true
}
