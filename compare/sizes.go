package compare

import (
	"cmp"
	"debug/elf"
	"slices"
	"strings"

	"elfwright/elffile"
)

// sizes says where the size went.
func (c *comparison) sizes() {
	c.Sizes.Total = SizeRow{Name: "total", Memory: SizePair{Size(c.a.memory), Size(c.b.memory)}, File: SizePair{Size(c.a.fileSize()), Size(c.b.fileSize())}}
	c.Sizes.Sections = c.areaSizes()
	c.Sizes.Symbols = c.symbolSizes()
	c.segmentSizes()
}

// A tally adds up rows by a key and keeps those that changed.
type tally[K comparable] struct {
	rows map[K]*SizeRow
	old  map[K]bool
	new  map[K]bool
}

func newTally[K comparable]() *tally[K] {
	return &tally[K]{make(map[K]*SizeRow), make(map[K]bool), make(map[K]bool)}
}

func (t *tally[K]) row(k K, first func() SizeRow) *SizeRow {
	r := t.rows[k]
	if r == nil {
		x := first()
		r = &x
		t.rows[k] = r
	}
	return r
}

// changed returns the rows whose sizes differ, the largest change first.
func (t *tally[K]) changed() []SizeRow {
	var list []SizeRow
	for k, r := range t.rows {
		if r.Memory.Old == r.Memory.New && r.File.Old == r.File.New {
			continue
		}
		switch {
		case !t.old[k]:
			r.Change = Added
		case !t.new[k]:
			r.Change = Removed
		default:
			r.Change = Resized
		}
		list = append(list, *r)
	}
	sortSizes(list)
	return list
}

func sortSizes(list []SizeRow) {
	slices.SortFunc(list, func(x, y SizeRow) int {
		return cmp.Or(
			-cmp.Compare(max(abs(x.Memory.Delta()), abs(x.File.Delta())), max(abs(y.Memory.Delta()), abs(y.File.Delta()))),
			strings.Compare(x.Name, y.Name), strings.Compare(x.Section, y.Section), strings.Compare(x.Source, y.Source),
			cmp.Compare(x.Memory.Old, y.Memory.Old), cmp.Compare(x.File.Old, y.File.Old))
	})
}

// areaKey is what the areas of one row have in common: a section each, a
// segment; of the rest the name.
type areaKey struct {
	area    int32 // by the old one
	segment int32 // likewise
	name    string
}

func (c *comparison) areaKey(m *model, i int) areaKey {
	a := &m.areas[i]
	switch {
	case a.kind == inSegment && m == c.a:
		return areaKey{none, int32(a.index), ""}
	case a.kind == inSegment:
		k := areaKey{none, c.progs.toOld[a.index], ""}
		if k.segment == none {
			k.segment = -2 - int32(a.index)
		}
		return k
	case a.kind != inSection:
		return areaKey{none, none, m.areaName(a)}
	}
	at := int32(i)
	if m == c.b {
		at = c.oldArea(at)
	}
	return areaKey{area: at}
}

func (c *comparison) areaSizes() []SizeRow {
	t := newTally[areaKey]()
	for i := range c.a.areas {
		a := &c.a.areas[i]
		k := c.areaKey(c.a, i)
		r := t.row(k, func() SizeRow { return SizeRow{Name: c.a.areaName(a)} })
		t.old[k] = true
		r.Memory.Old += Size(a.mem)
		r.File.Old += Size(a.file)
	}
	for i := range c.b.areas {
		a := &c.b.areas[i]
		k := c.areaKey(c.b, i)
		r := t.row(k, func() SizeRow { return SizeRow{Name: c.b.areaName(a)} })
		r.Name = c.b.areaName(a)
		t.new[k] = true
		r.Memory.New += Size(a.mem)
		r.File.New += Size(a.file)
	}
	return t.changed()
}

// symbolSizes divides every area among the symbols. What is none's is the
// area's own row, so that the rows add up to the areas.
func (c *comparison) symbolSizes() []SizeRow {
	rest := newTally[areaKey]()
	for i := range c.a.areas {
		k, a := c.areaKey(c.a, i), &c.a.areas[i]
		r := rest.row(k, func() SizeRow { return c.restRow(c.a, a) })
		rest.old[k] = true
		mem, file := a.rest()
		r.Memory.Old += mem
		r.File.Old += file
	}
	for i := range c.b.areas {
		k, a := c.areaKey(c.b, i), &c.b.areas[i]
		r := rest.row(k, func() SizeRow { return c.restRow(c.b, a) })
		rest.new[k] = true
		mem, file := a.rest()
		r.Memory.New += mem
		r.File.New += file
	}
	list := rest.changed()
	for i, j := range c.syms.toNew {
		r := SizeRow{Change: Removed}
		r.Memory.Old, r.File.Old = c.a.share(int32(i))
		if j != none {
			r.Change = Resized
			r.Memory.New, r.File.New = c.b.share(j)
		}
		if r.Memory.Delta() != 0 || r.File.Delta() != 0 {
			list = append(list, c.symbolRow(r, c.a, int32(i)))
		}
	}
	for j, i := range c.syms.toOld {
		if i != none {
			continue
		}
		r := SizeRow{Change: Added}
		if r.Memory.New, r.File.New = c.b.share(int32(j)); r.Memory.New != 0 || r.File.New != 0 {
			list = append(list, c.symbolRow(r, c.b, int32(j)))
		}
	}
	sortSizes(list)
	return list
}

// share is what counts for a symbol. In an area of which another one has a part
// nothing does.
func (m *model) share(i int32) (mem, file Size) {
	at := m.pieceOf[i]
	if at.area == none {
		return 0, 0
	}
	a := &m.areas[at.area]
	n := Size(a.pieces[at.piece].size())
	if a.mem == a.size {
		mem = n
	}
	if a.file == a.size {
		file = n
	}
	return mem, file
}

// rest is what counts for an area without its symbols.
func (a *area) rest() (mem, file Size) {
	mem, file = Size(a.mem), Size(a.file)
	for i := range a.pieces {
		p := &a.pieces[i]
		if p.gap {
			continue
		}
		if a.mem == a.size {
			mem -= Size(p.size())
		}
		if a.file == a.size {
			file -= Size(p.size())
		}
	}
	return mem, file
}

func (c *comparison) symbolRow(r SizeRow, m *model, i int32) SizeRow {
	s := &m.syms[i]
	r.Name, r.Section, r.Source = s.name, m.symbolSection(s), s.source
	return r
}

func (c *comparison) restRow(m *model, a *area) SizeRow {
	name := m.areaName(a)
	if a.kind == inSection {
		return SizeRow{Name: "[" + strings.Trim(name, "[]") + "]", Section: name}
	}
	return SizeRow{Name: name}
}

// segmentSizes compares the PT_LOADs.
func (c *comparison) segmentSizes() {
	x, y := c.a.f.Progs, c.b.f.Progs
	sum := func(p *elffile.Prog, file, mem, writable *Size) {
		*file += Size(p.Filesz)
		*mem += Size(p.Memsz)
		if p.Flags&elf.PF_W != 0 {
			*writable += Size(p.Memsz)
		}
	}
	z := &c.Sizes
	var rows []SegmentRow
	changed := false
	for j := range y {
		p := &y[j]
		if p.Type != elf.PT_LOAD {
			continue
		}
		sum(p, &z.Flash.New, &z.Memory.New, &z.Writable.New)
		r := SegmentRow{Change: Added, New: ptr(j), Flags: flagLetters(p.Flags), Vaddr: Hex(p.Vaddr), Paddr: Hex(p.Paddr)}
		r.File.New, r.Memory.New = Size(p.Filesz), Size(p.Memsz)
		if i := c.progs.toOld[j]; i != none {
			r.Change, r.Old = "", ptr(int(i))
			r.File.Old, r.Memory.Old = Size(x[i].Filesz), Size(x[i].Memsz)
			if r.File.Old != r.File.New || r.Memory.Old != r.Memory.New {
				r.Change = Resized
			}
		}
		changed = changed || r.Change != ""
		rows = append(rows, r)
	}
	for i := range x {
		p := &x[i]
		if p.Type != elf.PT_LOAD {
			continue
		}
		sum(p, &z.Flash.Old, &z.Memory.Old, &z.Writable.Old)
		if c.progs.toNew[i] == none {
			changed = true
			rows = append(rows, SegmentRow{Change: Removed, Old: ptr(i), Flags: flagLetters(p.Flags), Vaddr: Hex(p.Vaddr), Paddr: Hex(p.Paddr),
				File: SizePair{Old: Size(p.Filesz)}, Memory: SizePair{Old: Size(p.Memsz)}})
		}
	}
	if changed {
		z.Segments = rows
	}
}
