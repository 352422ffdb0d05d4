package layout

import (
	"debug/elf"
	"fmt"
	"strings"

	"elfwright/ldscript"
)

// addExtras adds the program headers of --add-phdr.
func (s *Script) addExtras(segs []*segment) ([]*segment, error) {
	for _, x := range s.extraList {
		g := &segment{typ: x.typ, extra: x, flags: x.flags, flagsSet: x.hasFlags, align: x.align, why: "--add-phdr " + x.text}
		var err error
		switch {
		case len(x.sections) > 0:
			err = s.overSections(g, x, segs)
		case x.size > 0:
			segs, err = s.overRange(g, x, segs)
		}
		if err != nil {
			return nil, fmt.Errorf("--add-phdr %q: %w", x.text, err)
		}
		segs = insertSegment(segs, g)
	}
	return segs, nil
}

// overSections puts the output sections of some names into a segment. A PT_LOAD
// takes them out of the one where they are: see apart.
func (s *Script) overSections(g *segment, x *extra, segs []*segment) error {
	g.sections = s.named(x.sections)
	if len(g.sections) == 0 {
		return fmt.Errorf("there is no output section %s", strings.Join(x.sections, ", "))
	}
	for _, o := range g.sections {
		if o.traits&alloc == 0 && x.typ == elf.PT_LOAD {
			return fmt.Errorf("section %s is not allocated", o.name)
		}
	}
	if x.typ == elf.PT_LOAD && s.userPhdrs() {
		for _, h := range segs {
			for _, o := range h.sections {
				if h.typ == elf.PT_LOAD && holds(g.sections, o) {
					return fmt.Errorf("section %s is in PT_LOAD %q of PHDRS already", o.name, h.name)
				}
			}
		}
	}
	sortByLoad(g.sections)
	if x.typ == elf.PT_LOAD {
		return s.ownPages(g.sections)
	}
	return nil
}

// ownPages refuses a PT_LOAD that shares a page with other sections: what maps one
// of the two would map, or clear, a part of the other.
func (s *Script) ownPages(list []*section) error {
	if !s.paged() {
		return nil
	}
	for _, a := range list {
		for _, b := range s.order {
			if b.removed || b.traits&alloc == 0 || sizeInMemory(b) == 0 || holds(list, b) {
				continue
			}
			if a.out.Addr&-s.maxPage < alignUp(b.out.Addr+b.out.Size, s.maxPage) && b.out.Addr&-s.maxPage < alignUp(a.out.Addr+a.out.Size, s.maxPage) {
				return fmt.Errorf("section %s is on the page of section %s, at %#x; align it to %#x, and what follows it", a.name, b.name, a.out.Addr&-s.maxPage, s.maxPage)
			}
		}
	}
	return nil
}

func holds(list []*section, o *section) bool {
	for _, x := range list {
		if x == o {
			return true
		}
	}
	return false
}

func (s *Script) named(patterns []string) []*section {
	var list []*section
	for _, o := range s.order {
		if o.removed {
			continue
		}
		for _, p := range patterns {
			if ldscript.MatchGlob(p, o.name) {
				list = append(list, o)
				break
			}
		}
	}
	return list
}

// apart are the sections that have a PT_LOAD of their own by --add-phdr or by a
// PT_LOAD of PHDRS { DEFAULT; … }: the default map leaves them out.
func (s *Script) apart() map[*section]bool {
	is := map[*section]bool{}
	for _, x := range s.extraList {
		if x.typ == elf.PT_LOAD && len(x.sections) > 0 {
			for _, o := range s.named(x.sections) {
				is[o] = true
			}
		}
	}
	if s.layered {
		for _, h := range s.phdrs {
			if t, err := s.phdrType(h.Type); err == nil && t == elf.PT_LOAD {
				for _, o := range s.layeredSections(h.Name) {
					is[o] = true
				}
			}
		}
	}
	return is
}

// overRange is for size=: over a range of a PT_LOAD that holds it, else over an
// arena with a PT_LOAD of its own.
func (s *Script) overRange(g *segment, x *extra, segs []*segment) ([]*segment, error) {
	g.memsz = x.size
	if x.vaddr != nil {
		g.vaddr = x.vaddr
		for _, l := range segs {
			if l.typ != elf.PT_LOAD {
				continue
			}
			from, to := l.span()
			if *x.vaddr >= from && *x.vaddr+x.size <= to && x.typ != elf.PT_LOAD {
				return segs, nil
			}
			if *x.vaddr < to && from < *x.vaddr+x.size {
				return nil, fmt.Errorf("[%#x, %#x) overlaps a PT_LOAD at [%#x, %#x)", *x.vaddr, *x.vaddr+x.size, from, to)
			}
		}
	} else {
		at := s.above(segs, max(x.align, 1))
		g.vaddr = &at
	}
	if *g.vaddr+x.size < *g.vaddr || *g.vaddr+x.size-1 > s.addrMask() {
		return nil, fmt.Errorf("%#x bytes at %#x go beyond the end of the address space", x.size, *g.vaddr)
	}
	if !g.flagsSet {
		g.flags, g.flagsSet = elf.PF_R|elf.PF_W, true
	}
	if x.typ == elf.PT_LOAD {
		return segs, nil
	}
	own := &segment{typ: elf.PT_LOAD, extra: x, flags: g.flags, flagsSet: true, vaddr: g.vaddr, memsz: x.size, align: max(x.align, s.loadAlign()), why: g.why}
	return insertSegment(segs, own), nil
}

func (s *Script) loadAlign() uint64 {
	if s.paged() {
		return s.maxPage
	}
	return uint64(s.class) / 8
}

// above is the first page behind all that is loaded.
func (s *Script) above(segs []*segment, al uint64) uint64 {
	var end uint64
	for _, g := range segs {
		if g.typ == elf.PT_LOAD {
			_, to := g.span()
			end = max(end, to)
		}
	}
	return alignUp(end, max(al, s.maxPage))
}

// span is the range of addresses of a PT_LOAD, its headers aside.
func (g *segment) span() (from, to uint64) {
	if len(g.sections) == 0 {
		if g.vaddr != nil {
			return *g.vaddr, *g.vaddr + g.memsz
		}
		return 0, 0
	}
	from = g.sections[0].out.Addr
	for _, o := range g.sections {
		from = min(from, o.out.Addr)
		if !o.traits.tbss() {
			to = max(to, o.out.Addr+o.out.Size)
		}
	}
	return from, to
}

// insertSegment puts a program header where loaders want it: PT_PHDR and
// PT_INTERP before the first PT_LOAD, PT_LOADs ascending by address; others go to
// the end.
func insertSegment(segs []*segment, g *segment) []*segment {
	at := len(segs)
	switch g.typ {
	case elf.PT_PHDR, elf.PT_INTERP:
		at = 0
		for at < len(segs) && segs[at].typ == elf.PT_PHDR {
			at++
		}
	case elf.PT_LOAD:
		start, _ := g.span()
		last := -1
		for i, l := range segs {
			if l.typ != elf.PT_LOAD {
				continue
			}
			if from, _ := l.span(); from <= start || l.filehdr {
				last = i
			} else {
				if last < 0 {
					last = i - 1
				}
				break
			}
		}
		if last >= 0 || at > 0 && segs[0].typ == elf.PT_LOAD {
			at = last + 1
		}
	}
	return append(segs[:at:at], append([]*segment{g}, segs[at:]...)...)
}

// addLayered adds the headers of PHDRS { DEFAULT; … }: with the sections that
// name them.
func (s *Script) addLayered(segs []*segment) ([]*segment, error) {
	known := map[string]bool{"NONE": true}
	for _, h := range s.phdrs {
		known[h.Name] = true
		g, err := s.scriptSegment(h)
		if err != nil {
			return nil, err
		}
		g.extra = &extra{text: h.Name}
		g.why = "PHDRS { DEFAULT; … }"
		g.sections = s.layeredSections(h.Name)
		sortByLoad(g.sections)
		if g.typ == elf.PT_LOAD {
			if err := s.ownPages(g.sections); err != nil {
				return nil, fault(h.Pos, "PHDRS", "%v", err)
			}
		}
		segs = insertSegment(segs, g)
	}
	for _, o := range s.outs {
		for _, name := range o.phdrs {
			if o.out != nil && !known[name] {
				return nil, fault(o.pos(), "PHDRS", "%q is not declared", name)
			}
		}
	}
	return segs, nil
}

// layeredSections are the output sections that name a header.
func (s *Script) layeredSections(name string) []*section {
	var list []*section
	for _, o := range s.order {
		if o.removed || o.orphan {
			continue
		}
		for _, n := range o.phdrs {
			if n == name {
				list = append(list, o)
				break
			}
		}
	}
	return list
}

// extra gives a header besides its fields.
func (f *filer) extra(g *segment, p *modelSegment) {
	if len(g.sections) > 0 || g.vaddr == nil {
		f.other(g, p)
		if len(g.sections) > 1 { // from the first to the last, with what is between
			last := g.sections[len(g.sections)-1].out
			p.Memsz = max(p.Memsz, last.Addr+last.Size-p.Vaddr)
		}
		return
	}
	p.Vaddr, p.Paddr, p.Memsz = *g.vaddr, *g.vaddr, g.memsz
	if p.Align == 0 {
		p.Align = 1
	}
	for _, l := range f.s.segments {
		q := f.result[l]
		if l.typ != elf.PT_LOAD || p.Vaddr < q.Vaddr || p.Vaddr+p.Memsz > q.Vaddr+q.Memsz {
			continue
		}
		back := p.Vaddr - q.Vaddr
		p.Off, p.Paddr = q.Off+back, q.Paddr+back
		if !g.flagsSet {
			p.Flags = q.Flags
		}
		if back < q.Filesz {
			p.Filesz = min(p.Memsz, q.Filesz-back)
		}
		return
	}
}
