package write

// strtab is a string table in which equal strings are one.
type strtab struct {
	b   []byte
	pos map[string]uint32
}

func newStrtab() *strtab { return &strtab{[]byte{0}, map[string]uint32{"": 0}} }

func (t *strtab) add(s string) {
	if _, ok := t.pos[s]; !ok {
		t.pos[s] = uint32(len(t.b))
		t.b = append(append(t.b, s...), 0)
	}
}

func (t *strtab) at(s string) uint32 { return t.pos[s] }
