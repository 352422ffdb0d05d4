package compare

import (
	"bytes"
	"debug/elf"
	"fmt"

	"elfwright/elffile"
)

// matchAreas pairs the areas: sections by name, the rest by what it lies in and
// behind.
func (c *comparison) matchAreas() {
	x, y := c.a, c.b
	p := newPairing(len(x.areas), len(y.areas))
	c.areas = p
	type section struct {
		name      string
		typ       elf.SectionType
		flags     uint64
		addr, len uint64
	}
	by := func(of func(name string, s *elffile.Section) section) {
		key := func(m *model) func(i int) (section, bool) {
			return func(i int) (section, bool) {
				a := &m.areas[i]
				if a.kind != inSection {
					return section{}, false
				}
				return of(m.rawName(a.index), &m.f.Sections()[a.index]), true
			}
		}
		pass(p, key(x), key(y))
	}
	by(func(name string, s *elffile.Section) section { return section{name, s.Type, s.Flags, s.Addr, s.Size} })
	by(func(name string, s *elffile.Section) section { return section{name, s.Type, s.Flags, s.Addr, 0} })
	by(func(name string, s *elffile.Section) section { return section{name, s.Type, s.Flags, 0, 0} })
	by(func(name string, s *elffile.Section) section { return section{name: name, typ: s.Type} })
	by(func(name string, s *elffile.Section) section { return section{name: name} })
	c.matchRest()
}

// matchRest pairs the areas without a section: those of a segment by the
// segment and the area before them, or else in order.
func (c *comparison) matchRest() {
	type gap struct {
		kind     areaKind
		index    int32 // of the pair of segments, by the old one
		bytes    bool
		name     string
		off, len uint64
	}
	key := func(m *model, new bool, of func(*gap)) func(i int) (gap, bool) {
		return func(i int) (gap, bool) {
			a := &m.areas[i]
			g := gap{kind: a.kind, index: none, bytes: a.data != nil, off: a.off, len: a.size}
			switch a.kind {
			case inSection:
				return g, false
			case inSegment:
				g.index = int32(a.index)
				if new {
					if g.index = c.progs.toOld[a.index]; g.index == none {
						return g, false
					}
				}
				fallthrough
			case unclaimed:
				if a.after != none {
					g.name = m.areaName(&m.areas[a.after])
				}
			}
			of(&g)
			return g, true
		}
	}
	for _, of := range []func(*gap){
		func(*gap) {},
		func(g *gap) { g.off, g.len = 0, 0 },
		func(g *gap) { g.off, g.len, g.name = 0, 0, "" },
	} {
		pass(c.areas, key(c.a, false, of), key(c.b, true, of))
	}
}

var sectionFieldNames = []string{"sh_type", "sh_flags", "sh_addr", "sh_offset", "sh_size", "sh_link", "sh_info", "sh_addralign", "sh_entsize"}

// sections lists the section headers that changed and how their bytes differ.
func (c *comparison) sections() {
	p := newPairing(len(c.a.bySect), len(c.b.bySect))
	for i, in := range c.a.bySect {
		if in != none {
			if to := c.areas.toNew[in]; to != none {
				p.join(i, c.b.areas[to].index)
			}
		}
	}
	if len(p.toNew) > 0 && len(p.toOld) > 0 {
		pass(p, func(i int) (bool, bool) { return true, i == 0 }, func(i int) (bool, bool) { return true, i == 0 })
	}
	c.Sections = c.entries(p, sectionFieldNames,
		func(i int) (string, []Value) { return c.sectionEntry(c.a, i, nil) },
		func(i int) (string, []Value) { return c.sectionEntry(c.b, i, p) }, true)
	c.sectionBytes()
}

// sectionEntry gives a section's name and fields. What sh_link and sh_info mean
// is another section: a new one stands as the old one that it is, so that a
// section that came or went does not change all others.
func (c *comparison) sectionEntry(m *model, i int, p *pairing) (string, []Value) {
	s := &m.f.Sections()[i]
	name := m.sectionName(i)
	if s.Type == elf.SHT_NULL && i == 0 {
		name = "[null section]"
	}
	info := num(uint64(s.Info))
	if s.Has(elf.SHF_INFO_LINK) || elffile.IsRelocSection(s.Type) {
		info = m.link(s.Info)
	}
	return name, []Value{
		word(elffile.SectionTypeName(m.f.Header.Machine, s.Type)), word(elffile.SectionFlagLetters(m.f.Header.Machine, s.Flags)),
		hex(s.Addr), hex(s.Off), hex(s.Size), m.link(s.Link), info, num(s.Addralign), num(s.Entsize),
	}
}

// link names the section that a header refers to.
func (m *model) link(i uint32) Value {
	switch {
	case i == 0:
		return word("")
	case uint64(i) < uint64(len(m.bySect)) && m.rawName(int(i)) != "":
		return word(m.rawName(int(i)))
	}
	return word(fmt.Sprintf("section %d", i))
}

// sectionBytes says of sections that both files have how their bytes differ;
// and notes which areas do not.
func (c *comparison) sectionBytes() {
	at := make(map[int]int, len(c.Sections)) // new section: entry
	for k := range c.Sections {
		if e := &c.Sections[k]; e.New != nil {
			at[*e.New] = k
		}
	}
	for j := range c.b.areas {
		i := c.areas.toOld[j]
		if i == none {
			continue
		}
		x, y := &c.a.areas[i], &c.b.areas[j]
		if bytes.Equal(x.data, y.data) && x.size == y.size {
			c.equal[int32(j)] = true
			continue
		}
		if y.kind != inSection || x.data == nil || y.data == nil {
			continue
		}
		b := differingCount(x.data, y.data)
		if b == nil {
			continue
		}
		if k, ok := at[y.index]; ok {
			c.Sections[k].Bytes = b
			continue
		}
		c.Sections = append(c.Sections, Entry{Change: Changed, Name: c.b.sectionName(y.index), Old: ptr(x.index), New: ptr(y.index), Bytes: b})
	}
	sortEntries(c.Sections)
}
