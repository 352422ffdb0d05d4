package machine

import (
	"fmt"
	"iter"
	"sort"
	"sync"
)

// Table holds the relocation types of a machine, found by number or by name.
// It is made of its rows when it is first asked, since most runs ask one machine
// or none, and is not changed after that.
type Table struct {
	bits   uint8
	groups []func() []Reloc
	once   sync.Once

	rows  []Reloc // ascending by type
	dense []int16 // type → index in rows + 1, for small numbers
	far   map[uint32]int16
	names map[string]int16
}

// denseLimit covers the types of every machine but AArch64's second half, which
// begins at 1024 and ends at 1044.
const denseLimit = 1 << 11

// NewTable makes a machine's table from its rows, in any order. Values are
// computed modulo 2^bits: 64, or 32 where addresses wrap around; but a field of 64
// bits always gets a value of 64. The first use panics on a row that cannot be
// right: the rows are part of the program.
func NewTable(bits uint8, groups ...func() []Reloc) *Table {
	return &Table{bits: bits, groups: groups}
}

// ready makes the table at the first call. A nil table stays nil.
func (t *Table) ready() *Table {
	if t != nil {
		t.once.Do(t.build)
	}
	return t
}

func (t *Table) build() {
	t.far, t.names = map[uint32]int16{}, map[string]int16{}
	for _, g := range t.groups {
		t.rows = append(t.rows, g()...)
	}
	sort.SliceStable(t.rows, func(i, j int) bool { return t.rows[i].Type < t.rows[j].Type })
	for i := range t.rows {
		r := &t.rows[i]
		r.prepare(t.bits)
		if err := r.valid(); err != nil {
			panic(err)
		}
		if i > 0 && t.rows[i-1].Type == r.Type {
			panic(fmt.Sprintf("machine: %s and %s both have type %d", t.rows[i-1].Name, r.Name, r.Type))
		}
		t.add(r, int16(i))
	}
}

func (t *Table) add(r *Reloc, i int16) {
	if r.Type < denseLimit {
		for len(t.dense) <= int(r.Type) {
			t.dense = append(t.dense, 0)
		}
		t.dense[r.Type] = i + 1
	} else {
		t.far[r.Type] = i
	}
	for _, n := range []string{r.Name, r.Alias} {
		if n == "" {
			continue
		}
		if _, ok := t.names[n]; ok {
			panic("machine: two rows are called " + n)
		}
		t.names[n] = i
	}
}

func (r *Reloc) valid() error {
	switch {
	case r.Name == "":
		return fmt.Errorf("machine: relocation type %d has no name", r.Type)
	case !r.Formula.valid():
		return fmt.Errorf("machine: %s: formula %q", r.Name, string(r.Formula))
	case r.Kind <= Pair && !r.Static():
		return fmt.Errorf("machine: %s: a %s row needs a formula and a field", r.Name, r.Kind)
	}
	return nil
}

// Lookup finds a type by number. It is nil for a number that the psABI does not
// allocate, and for a nil table.
func (t *Table) Lookup(typ uint32) *Reloc {
	if t.ready() == nil {
		return nil
	}
	if int64(typ) < int64(len(t.dense)) {
		if i := t.dense[typ]; i != 0 {
			return &t.rows[i-1]
		}
		return nil
	}
	if i, ok := t.far[typ]; ok {
		return &t.rows[i]
	}
	return nil
}

// ByName finds a type by its name or alias, or is nil.
func (t *Table) ByName(name string) *Reloc {
	if t.ready() == nil {
		return nil
	}
	if i, ok := t.names[name]; ok {
		return &t.rows[i]
	}
	return nil
}

// Name names a type, or is empty.
func (t *Table) Name(typ uint32) string {
	if r := t.Lookup(typ); r != nil {
		return r.Name
	}
	return ""
}

// Len is the number of types.
func (t *Table) Len() int {
	if t.ready() == nil {
		return 0
	}
	return len(t.rows)
}

// All gives the types in the order of their numbers. The rows are not to be
// changed.
func (t *Table) All() iter.Seq[*Reloc] {
	return func(yield func(*Reloc) bool) {
		if t.ready() == nil {
			return
		}
		for i := range t.rows {
			if !yield(&t.rows[i]) {
				return
			}
		}
	}
}
