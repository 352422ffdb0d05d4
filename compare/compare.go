package compare

import (
	"slices"

	"elfwright/elffile"
)

// maxFaults bounds how many faults of a file are kept.
const maxFaults = 20

// A comparison is one run of Images.
type comparison struct {
	*Report
	a, b *model // old and new

	progs *pairing
	areas *pairing
	syms  *pairing
	lent  bool // one file has the other one's symbols

	oldDyn, newDyn *elffile.SymbolTable // nil: none

	equal map[int32]bool // new areas whose bytes are those of their partner
}

// Images says what changed between two files. It fails only where one of them
// could no longer be read; what is wrong with them is in the report's Faults.
func Images(old, new *elffile.File) (*Report, error) {
	var r *Report
	err := old.Guard(func() error {
		return new.Guard(func() (err error) {
			r, err = images(old, new)
			return err
		})
	})
	return r, err
}

func images(old, new *elffile.File) (*Report, error) {
	r := &Report{Version: Version, Old: describe(old), New: describe(new)}
	same, err := identical(old.Body, new.Body)
	if err != nil || same {
		r.Same = same
		return r, err
	}
	c := &comparison{Report: r, a: newModel(old), b: newModel(new), equal: make(map[int32]bool)}
	c.faults()
	c.header()
	c.matchProgs()
	c.matchAreas()
	c.matchSymbols()
	c.segments()
	c.sections()
	c.dynamic()
	c.notes()
	c.versions()
	c.relocations()
	c.symbolChanges()
	c.exports()
	c.content()
	c.sizes()
	c.rest()
	return r, nil
}

func identical(x, y *elffile.Body) (bool, error) {
	if x.Size() != y.Size() {
		return false, nil
	}
	same := true
	err := elffile.Diff(x, y, func(int64, int64) bool { same = false; return false })
	return same, err
}

func describe(f *elffile.File) File {
	bits, order := "32-bit ", "little-endian "
	if f.Is64() {
		bits = "64-bit "
	}
	if f.Big() {
		order = "big-endian "
	}
	h := &f.Header
	return File{f.Name, Size(f.Body.Size()), bits + order + elffile.TypeName(h.Type) + ", " + elffile.MachineName(h.Machine)}
}

// faults collects what is wrong with the tables that everything stands on.
func (c *comparison) faults() {
	for _, f := range []*elffile.File{c.a.f, c.b.f} {
		c.warn(f, f.HeaderErr)
		c.warn(f, f.ProgErr)
		c.warn(f, f.CheckProgs())
		c.warn(f, f.SectionErr())
	}
}

// warn notes a fault of a file, or each of several that are joined.
func (c *comparison) warn(f *elffile.File, err error) {
	for _, e := range elffile.Leaves(err) {
		known := slices.ContainsFunc(c.Faults, func(k error) bool { return k.Error() == e.Error() })
		if len(c.Faults) < 2*maxFaults && !known {
			c.Faults = append(c.Faults, e)
		}
	}
}

// afford is model.spend, and says so when it is refused.
func (c *comparison) afford(m *model, n uint64) bool {
	ok := m.spend(min(n, m.fileSize()))
	if !ok {
		c.warn(m.f, &elffile.Error{File: m.f.Name, Off: -1, Msg: "its headers name the same bytes again and again; not all of it is compared"})
	}
	return ok
}

// rest keeps the promise that files that differ have a difference: bytes that
// no header names and no piece has, such as those between the entries of a
// table, are shown by their offset.
func (c *comparison) rest() {
	if !c.Empty() {
		return
	}
	x, y := c.a.bytes(0, c.a.fileSize()), c.b.bytes(0, c.b.fileSize())
	b := differing(x, y, nil)
	if b != nil {
		c.Content = append(c.Content, Unit{Area: "[file]", Bytes: *b})
	}
}
