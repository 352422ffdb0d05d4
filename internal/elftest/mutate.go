package elftest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
)

// Mutate yields broken neighbours of a good file, each with a name that says
// what was done. The sequence is finite (some thousands for a rich file), its
// order is shuffled by the seed, and equal seeds give equal sequences: take the
// first n for a sample. It makes
//
//   - extreme values (0, 1, largest, sign bit, around the file's size and the old
//     value) in every field that [Fields] finds, of long tables in some entries,
//     and in random pairs of fields;
//   - truncations at every boundary that [Spans] finds, one byte before and
//     after, and in the middle;
//   - bit flips and random bytes in headers and tables;
//   - links and chains that lead to themselves, and tables that overlap;
//   - the file with another class or byte order, doubled, or with junk behind.
//
// An archive (see [Archive]) is mutated in its member headers and index. Every
// yielded slice is fresh.
func Mutate(seed uint64, data []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		m := newMutator(seed, data)
		m.rng.Shuffle(len(m.list), func(i, j int) { m.list[i], m.list[j] = m.list[j], m.list[i] })
		for _, mut := range m.list {
			if !yield(mut.name, mut.apply(slices.Clone(data))) {
				return
			}
		}
	}
}

// mutation changes a copy of the file, which it may cut or extend.
type mutation struct {
	name  string
	apply func([]byte) []byte
}

type mutator struct {
	data   []byte
	order  binary.ByteOrder
	rng    *rand.Rand
	all    []Field
	fields []Field // a sample of all
	spans  []Span
	byName map[string]Field
	list   []mutation
}

func newMutator(seed uint64, data []byte) *mutator {
	m := &mutator{data: data, order: orderOf(data), rng: rand.New(rand.NewPCG(seed, 0x656c66)), byName: map[string]Field{}}
	if bytes.HasPrefix(data, []byte(arMagic)) || bytes.HasPrefix(data, []byte(arThinMagic)) {
		m.all, m.spans = archiveFields(data)
	} else {
		d := decode(data)
		m.all, m.spans = d.fields, d.spans
	}
	for _, f := range m.all {
		m.byName[f.Name] = f
	}
	m.fields = sampleEntries(m.all)
	m.extremes()
	m.pairs(200)
	m.truncations()
	m.flips(256)
	m.noise(128)
	m.whole()
	m.selfLinks()
	m.chains()
	m.hashes()
	m.groups()
	m.overlaps()
	return m
}

func (m *mutator) add(name string, apply func([]byte) []byte) {
	m.list = append(m.list, mutation{name, apply})
}

// set adds a mutation that stores values in fields; values equal to what is
// there are no mutation.
func (m *mutator) set(name string, values ...setting) {
	same := true
	for _, s := range values {
		same = same && s.field.Get(m.data, m.order) == s.value
	}
	if same {
		return
	}
	m.add(name, func(b []byte) []byte {
		for _, s := range values {
			s.field.Put(b, m.order, s.value)
		}
		return b
	})
}

// entriesKept is how many entries at a table's start are mutated field by field.
const entriesKept = 6

// sampleEntries keeps the fields of the first entries of each table and of the
// last one. Program and section headers are kept up to many more, because what
// they say differs from entry to entry.
func sampleEntries(all []Field) []Field {
	last := map[string]int{}
	for _, f := range all {
		table, i, _ := entryOf(f.Name)
		last[table] = max(last[table], i)
	}
	return slices.DeleteFunc(slices.Clone(all), func(f Field) bool {
		table, i, ok := entryOf(f.Name)
		keep := entriesKept
		if table == "phdr" || table == "shdr" {
			keep = 64
		}
		return ok && i >= keep && i != last[table]
	})
}

// entryOf splits "t[3].x" into the table "t" and the index 3.
func entryOf(name string) (string, int, bool) {
	i := strings.IndexByte(name, '[')
	if i < 0 {
		return name, 0, false
	}
	var n int
	if _, err := fmt.Sscanf(name[i:], "[%d]", &n); err != nil {
		return name, 0, false
	}
	return name[:i], n, true
}

// extremeValues are the values tried in a field of a given size.
func extremeValues(size int, old, fileSize uint64) []uint64 {
	all := ^uint64(0) >> (64 - 8*size)
	sign := uint64(1) << (8*size - 1)
	v := []uint64{0, 1, all, all - 1, sign, sign - 1, old + 1, old - 1, old ^ sign,
		fileSize, fileSize - 1, fileSize + 1, all - fileSize + 1, 0xff00, 0xffff}
	for i := range v {
		v[i] &= all
	}
	slices.Sort(v)
	v = slices.Compact(v)
	return slices.DeleteFunc(v, func(x uint64) bool { return x == old })
}

func (m *mutator) extremes() {
	for _, f := range m.fields {
		for _, v := range extremeValues(f.Size, f.Get(m.data, m.order), uint64(len(m.data))) {
			m.set(fmt.Sprintf("%s=%#x", f.Name, v), setting{f, v})
		}
	}
}

// pairs sets two random fields at once.
func (m *mutator) pairs(n int) {
	if len(m.fields) < 2 {
		return
	}
	pick := func() setting {
		f := m.fields[m.rng.IntN(len(m.fields))]
		v := extremeValues(f.Size, f.Get(m.data, m.order), uint64(len(m.data)))
		return setting{f, v[m.rng.IntN(len(v))]}
	}
	for range n {
		a, b := pick(), pick()
		m.set(fmt.Sprintf("%s=%#x,%s=%#x", a.field.Name, a.value, b.field.Name, b.value), a, b)
	}
}

func (m *mutator) truncations() {
	cuts := map[int]bool{0: true, 1: true, 3: true, 4: true, 15: true, 16: true, len(m.data) - 1: true}
	for _, s := range m.spans {
		for _, at := range []int{s.Off - 1, s.Off, s.Off + 1, (s.Off + s.End) / 2, s.End - 1, s.End, s.End + 1} {
			cuts[at] = true
		}
	}
	var sorted []int
	for at := range cuts {
		if at >= 0 && at < len(m.data) {
			sorted = append(sorted, at)
		}
	}
	slices.Sort(sorted)
	for _, at := range sorted {
		m.add(fmt.Sprintf("cut at %#x", at), func(b []byte) []byte { return b[:at] })
	}
}

// spot is a random offset inside a random span: small tables are hit as often
// as large ones.
func (m *mutator) spot() int {
	s := m.spans[m.rng.IntN(len(m.spans))]
	return s.Off + m.rng.IntN(s.End-s.Off)
}

func (m *mutator) flips(n int) {
	if len(m.spans) == 0 {
		return
	}
	for range n {
		at, bit := m.spot(), m.rng.IntN(8)
		m.add(fmt.Sprintf("flip bit %d at %#x", bit, at), func(b []byte) []byte {
			b[at] ^= 1 << bit
			return b
		})
	}
}

func (m *mutator) noise(n int) {
	if len(m.spans) == 0 {
		return
	}
	for range n {
		at := m.spot()
		junk := make([]byte, 1+m.rng.IntN(16))
		for i := range junk {
			junk[i] = byte(m.rng.Uint32())
		}
		m.add(fmt.Sprintf("%x at %#x", junk, at), func(b []byte) []byte {
			copy(b[at:], junk)
			return b
		})
	}
}

// whole changes the file as a whole, and fills each part with one value.
func (m *mutator) whole() {
	m.add("doubled", func(b []byte) []byte { return append(b, b...) })
	m.add("junk behind", func(b []byte) []byte { return append(b, bytes.Repeat([]byte{0xa5}, 4099)...) })
	m.add("one byte in front", func(b []byte) []byte { return append([]byte{0}, b...) })
	if f, ok := m.byName["ei_class"]; ok {
		m.set("other class", setting{f, 3 - f.Get(m.data, m.order)&3})
	}
	if f, ok := m.byName["ei_data"]; ok {
		m.set("other byte order", setting{f, 3 - f.Get(m.data, m.order)&3})
	}
	for _, s := range m.spans {
		for _, v := range []byte{0, 0xff} {
			m.add(fmt.Sprintf("%s filled with %#x", s.Name, v), func(b []byte) []byte {
				for i := s.Off; i < s.End; i++ {
					b[i] = v
				}
				return b
			})
		}
	}
}

// selfLinks lets sh_link and sh_info lead to the section itself, to the next
// one, and all of them in a ring.
func (m *mutator) selfLinks() {
	n := 0
	for ; m.has(fmt.Sprintf("shdr[%d].sh_link", n)); n++ {
	}
	for _, col := range []string{"sh_link", "sh_info"} {
		var ring, self []setting
		for i := range n {
			f := m.byName[fmt.Sprintf("shdr[%d].%s", i, col)]
			m.set(f.Name+" to itself", setting{f, uint64(i)})
			m.set(f.Name+" to the next", setting{f, uint64((i + 1) % n)})
			m.set(f.Name+" past the last", setting{f, uint64(n)})
			self = append(self, setting{f, uint64(i)})
			ring = append(ring, setting{f, uint64((i + 1) % n)})
		}
		if n > 0 {
			m.set("every "+col+" to itself", self...)
			m.set("every "+col+" to the next", ring...)
		}
	}
}

func (m *mutator) has(name string) bool {
	_, ok := m.byName[name]
	return ok
}

// chains lets version records lead back to earlier ones.
func (m *mutator) chains() {
	for _, f := range m.fields {
		_, col, _ := strings.Cut(f.Name, "].")
		switch {
		case strings.HasSuffix(col, "vd_next"), strings.HasSuffix(col, "vn_next"),
			strings.HasSuffix(col, "vda_next"), strings.HasSuffix(col, "vna_next"):
			for _, back := range []int32{-verdefSize, -verneedSize, -verdauxSize, 4} {
				m.set(fmt.Sprintf("%s=%d", f.Name, back), setting{f, uint64(uint32(back))})
			}
		case strings.HasSuffix(col, "vd_aux"), strings.HasSuffix(col, "vn_aux"):
			// vd_cnt or vn_cnt beside it.
			if n, ok := m.byName[strings.Replace(f.Name, "_aux", "_cnt", 1)]; ok {
				m.set(f.Name+" to itself", setting{f, 0}, setting{n, 0xffff})
			}
		}
	}
}

// hashes takes the ends from GNU hash chains and makes rings of SysV ones.
func (m *mutator) hashes() {
	ends, rings, bucketsAt := map[string][]setting{}, map[string][]setting{}, map[string][]setting{}
	for _, f := range m.all {
		table, i, ok := entryOf(f.Name)
		switch {
		case !ok:
		case strings.HasSuffix(table, "chain"):
			ends[table] = append(ends[table], setting{f, f.Get(m.data, m.order) &^ 1})
			rings[table] = append(rings[table], setting{f, uint64(i)})
		case strings.HasSuffix(table, "hash.bucket"), strings.HasSuffix(table, "HASH.bucket"):
			bucketsAt[table] = append(bucketsAt[table], setting{f, uint64(i + 1)})
		}
	}
	for _, table := range sortedKeys(ends) {
		m.set(table+" without ends", ends[table]...)
		m.set(table+" leads to itself", rings[table]...)
	}
	for _, table := range sortedKeys(bucketsAt) {
		m.set(table+" ascending", bucketsAt[table]...)
	}
}

// groups lets a section group contain itself and the group before it.
func (m *mutator) groups() {
	var groups []int
	for i := 0; m.has(fmt.Sprintf("shdr[%d].sh_type", i)); i++ {
		if m.byName[fmt.Sprintf("shdr[%d].sh_type", i)].Get(m.data, m.order) == uint64(elf.SHT_GROUP) {
			groups = append(groups, i)
		}
	}
	member := func(i int) (Field, bool) {
		at := m.byName[fmt.Sprintf("shdr[%d].sh_offset", i)].Get(m.data, m.order)
		k := slices.IndexFunc(m.all, func(f Field) bool { return f.Size == 4 && uint64(f.Off) == at+4 })
		if k < 0 {
			return Field{}, false
		}
		return m.all[k], true
	}
	var ring []setting
	for k, i := range groups {
		f, ok := member(i)
		if !ok {
			continue
		}
		m.set(fmt.Sprintf("group %d contains itself", i), setting{f, uint64(i)})
		ring = append(ring, setting{f, uint64(groups[(k+1)%len(groups)])})
	}
	if len(ring) > 1 {
		m.set("groups contain each other", ring...)
	}
}

// overlaps lays tables and contents over each other.
func (m *mutator) overlaps() {
	m.copyField("e_phoff", "e_shoff")
	m.copyField("e_shoff", "e_phoff")
	for _, name := range []string{"e_phoff", "e_shoff"} {
		if f, ok := m.byName[name]; ok {
			for _, v := range []uint64{4, 16, 40, 63} {
				m.set(fmt.Sprintf("%s=%d", name, v), setting{f, v})
			}
		}
	}
	for _, t := range []struct{ table, cols string }{
		{"phdr", "p_offset p_vaddr p_filesz p_memsz p_type"}, {"shdr", "sh_offset sh_addr sh_size sh_type sh_name"},
	} {
		for _, col := range strings.Fields(t.cols) {
			for i := 0; i < 32 && m.has(fmt.Sprintf("%s[%d].%s", t.table, i+1, col)); i++ {
				a, b := fmt.Sprintf("%s[%d].%s", t.table, i, col), fmt.Sprintf("%s[%d].%s", t.table, i+1, col)
				m.copyField(a, b)
				m.copyField(b, a)
				m.swapFields(a, b)
			}
		}
	}
}

// copyField gives one field the value of another.
func (m *mutator) copyField(to, from string) {
	a, ok := m.byName[to]
	b, ok2 := m.byName[from]
	if ok && ok2 {
		m.set(to+" as "+from, setting{a, b.Get(m.data, m.order)})
	}
}

func (m *mutator) swapFields(x, y string) {
	a, b := m.byName[x], m.byName[y]
	m.set(x+" and "+y+" swapped", setting{a, b.Get(m.data, m.order)}, setting{b, a.Get(m.data, m.order)})
}

func sortedKeys[V any](in map[string]V) []string {
	keys := make([]string, 0, len(in))
	for k := range in {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
