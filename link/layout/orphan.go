package layout

import (
	"debug/elf"
	"fmt"
	"slices"

	"elfwright/ldscript"
	"elfwright/link/model"
)

// home is where orphans of one kind go.
type home struct {
	name   string // the section behind which they go, if the script has it
	kind   string // in words
	traits traits

	anchor  *section // found by name, or by flags if those are equal
	last    *section // the orphan put there last
	headers *section // behind which in the section header table, if begun
	begun   bool

	// Where last was in the list, and headers in the order of section headers:
	// what is put in elsewhere only moves them back.
	lastAt, headersAt int
}

// orphans places sections that no pattern took, as GNU ld does.
type orphans struct {
	s     *Script
	homes map[string]*home
	note  *section // the first note that was there when the last one was placed
	made  int      // where in the order of section headers the last one was put
	obj   *model.Object
	names map[string]int // how many sections of a name obj has, from the one at hand on
}

const (
	data_   = contents | alloc | load
	rodata_ = data_ | readonly
)

func newOrphans(s *Script) *orphans {
	o := &orphans{s: s, homes: map[string]*home{}}
	for _, h := range []*home{
		{name: ".text", kind: "code", traits: rodata_ | code},
		{name: ".rodata", kind: "read-only data", traits: rodata_},
		{name: ".tdata", kind: "thread-local data", traits: data_ | tls},
		{name: ".data", kind: "data", traits: data_},
		{name: ".bss", kind: "data without bytes", traits: alloc},
		{name: "", kind: "relocations", traits: rodata_},
		{name: ".interp", kind: "a note", traits: rodata_},
		{name: ".comment", kind: "not loaded", traits: contents},
	} {
		o.homes[h.kind] = h
		if h.name == "" {
			continue
		}
		// Sections that the script has but nothing is in count as of their kind.
		if at := s.find(h.name); at != nil && at.guess == 0 {
			at.guess = h.traits
		}
	}
	return o
}

// zero is the address of sections that are not loaded.
var zero = &ldscript.Number{}

// placeOrphans places sections in the order of the input.
func (s *Script) placeOrphans(list []*model.Section) {
	if s.lldRules.byRank {
		s.rankedOrphans(list)
		return
	}
	p := newOrphans(s)
	for i, sec := range list {
		if !sec.Live || sec.Out != nil {
			continue
		}
		p.place(sec, list[i+1:])
	}
	s.listed()
}

func (p *orphans) place(sec *model.Section, rest []*model.Section) {
	s := p.s
	if sec.Name == "COMMON" {
		p.common(sec)
		return
	}
	if s.opt.Orphans == "discard" {
		s.drop(sec)
		return
	}
	o := p.home(sec, rest)
	p.handling(sec, o.name)
}

// handling says what --orphan-handling wants to be said of an orphan.
func (p *orphans) handling(sec *model.Section, to string) {
	s := p.s
	if s.opt.Orphans == "error" && !sec.Obj.Linker {
		s.rep.Error(fmt.Errorf("orphan section %[2]s of %[1]s: no pattern of the script takes it (--orphan-handling=error)", sec.Obj.File, sec.Name))
	}
	if s.opt.Orphans == "warn" && !sec.Obj.Linker {
		s.rep.Warn(fmt.Errorf("orphan section %[2]s of %[1]s: no pattern of the script takes it; it goes into %s", sec.Obj.File, sec.Name, to))
	}
}

// common puts common symbols where the script's first COMMON pattern is, else
// into .bss.
func (p *orphans) common(sec *model.Section) {
	s := p.s
	o := s.commons
	if o == nil {
		o = s.find(".bss")
	}
	if o == nil {
		o = &section{name: ".bss", region: s.regions.list[0], orphan: true}
		s.body = append(s.body, o)
		s.addSection(o)
	}
	p.join(o, sec, "common symbols go into "+o.name)
}

func (p *orphans) join(o *section, sec *model.Section, why string) {
	var list *placed
	if n := len(o.body); n > 0 {
		list, _ = o.body[n-1].(*placed)
	}
	if list == nil {
		list = &placed{}
		o.body = append(o.body, list)
	}
	list.sections = append(list.sections, sec)
	p.s.put(o, sec, &model.Place{Pattern: -1})
	if o.out.Why.Orphan == "" {
		o.out.Why.Orphan = why
	}
}

// home finds or makes the output section for an orphan.
func (p *orphans) home(sec *model.Section, rest []*model.Section) *section {
	s := p.s
	name := p.outName(sec)
	dup := s.isUnique(sec) || s.uniqueOrphans()
	if !dup {
		if o := p.existing(name, sec); o != nil {
			p.join(o, sec, "no pattern matches; there is an output section of its name")
			return o
		}
	}
	h, t := p.kindOf(sec, rest)
	o := &section{name: name, region: s.regions.list[0], orphan: true, dup: dup || s.find(name) != nil}
	if t&(load|alloc) == 0 || s.opt.Relocatable {
		o.addr = zero
	}
	if h == nil { // debugging information
		s.body = append(s.body, o)
		s.addSection(o)
		p.join(o, sec, "no pattern matches; debugging data go to the end")
		return o
	}
	after := p.after(h, sec, t)
	if after != nil && t&(load|alloc) != 0 {
		o.region, o.lmaRegion, o.phdrs = after.region, after.lmaRegion, after.phdrs
		if o.region == nil {
			o.region = s.regions.list[0]
		}
		if o.lmaRegion != nil {
			o.inherited = after.origin()
		}
		if o.lmaRegion != nil && o.region == s.regions.list[0] {
			o.region = o.lmaRegion
		}
	}
	s.enter(o)
	p.join(o, sec, whyOrphan(after, h))
	p.insert(o, sec, h, after)
	return o
}

func whyOrphan(after *section, h *home) string {
	if after == nil {
		return "no pattern matches; first, as " + h.kind
	}
	return "no pattern matches; after " + after.name + ", as " + h.kind
}

// outName is the name of an orphan's output section: its own; allocated
// relocations are gathered.
func (p *orphans) outName(sec *model.Section) string {
	if sec.Flags&elf.SHF_ALLOC != 0 && (p.s.opt.CombReloc == nil || *p.s.opt.CombReloc) {
		switch sec.Type {
		case elf.SHT_RELA:
			return ".rela.dyn"
		case elf.SHT_REL:
			return ".rel.dyn"
		}
	}
	return sec.Name
}

// existing finds an output section of the orphan's name that it can join: one
// that is loaded alike and of the same type, or one that nothing is in yet.
func (p *orphans) existing(name string, sec *model.Section) *section {
	var unused *section
	for _, o := range p.s.byName[name] {
		switch {
		case o.off:
		case o.out == nil:
			unused = o
		case o.traits == 0,
			(traitsOf(sec)^o.traits)&(load|alloc) == 0 && sec.Info == 0 && p.s.currentType(o) == sec.Type:
			return o
		}
	}
	return unused
}

// currentType is the type of an output section as far as it is known. A name that
// stands for a special type counts for more than what is in the section, any
// other for less.
func (s *Script) currentType(o *section) elf.SectionType {
	t, _ := s.nameType(o.name)
	if !o.hasInput {
		return t
	}
	switch t {
	case elf.SHT_NULL, elf.SHT_PROGBITS, elf.SHT_NOBITS, elf.SHT_NOTE:
		return o.firstType
	}
	return t
}

// hasTwin says whether the rest of a section's file may have another of its name.
func (p *orphans) hasTwin(sec *model.Section, rest []*model.Section) bool {
	if p.obj != sec.Obj {
		p.obj, p.names = sec.Obj, map[string]int{sec.Name: 1}
		for _, other := range rest {
			if other.Obj != sec.Obj {
				break
			}
			p.names[other.Name]++
		}
	}
	return p.names[sec.Name] > 1
}

// kindOf says of which kind an orphan is. Others of its name in the same file,
// which will join it, count: the output is read-only only if all are.
func (p *orphans) kindOf(sec *model.Section, rest []*model.Section) (*home, traits) {
	t := traitsOf(sec)
	if sec == p.s.env.SecBuildID {
		t &^= contents // in GNU ld it gets them later, and so is like no other section
	}
	if !p.hasTwin(sec, rest) {
		rest = nil
	}
	for _, other := range rest {
		if other.Obj != sec.Obj {
			break
		}
		if u := traitsOf(other); other.Name == sec.Name && other.Type == sec.Type && (t^u)&(load|alloc) == 0 {
			t &= u | ^readonly
		}
	}
	kind := "code"
	switch {
	case t&(alloc|debugging) == 0:
		kind = "not loaded"
	case t&alloc == 0:
		return nil, t
	case t&load != 0 && sec.Type == elf.SHT_NOTE:
		kind = "a note"
	case t&(load|contents|tls) == 0:
		kind = "data without bytes"
	case t&tls != 0:
		kind = "thread-local data"
	case t&readonly == 0:
		kind = "data"
	case t&load != 0 && (sec.Type == elf.SHT_REL || sec.Type == elf.SHT_RELA):
		kind = "relocations"
	case t&code == 0:
		kind = "read-only data"
	}
	return p.homes[kind], t
}

// after is the output section behind which an orphan goes; nil: the first.
func (p *orphans) after(h *home, sec *model.Section, t traits) *section {
	if h.anchor == nil {
		if h.name == "" {
			h.anchor = p.lastRelocations(sec)
		} else {
			h.anchor = p.s.find(h.name)
		}
	}
	if h.anchor != nil {
		return h.anchor
	}
	found, exact := p.byFlags(sec, t, true)
	if exact {
		h.anchor = found
	}
	return found
}

// insert puts the statement of a new output section into its place.
func (p *orphans) insert(o *section, sec *model.Section, h *home, after *section) {
	s := p.s
	p.headers(o, h, after)
	behindLast := h.last
	if prev, ok := p.noteOrder(o, sec); ok {
		behindLast, after = nil, prev
	}
	var at int
	switch {
	case behindLast != nil:
		at = s.index(behindLast, h.lastAt) + 1
	case after != nil:
		at = behind(s.body, s.index(after, 0))
	default:
		at = behind(s.body, -1)
	}
	s.body = append(s.body, nil)
	copy(s.body[at+1:], s.body[at:])
	s.body[at] = o
	h.last, h.lastAt = o, at
	s.stale = true
}

// index is where in the list a statement is. It is looked for from a place on
// where it has been, and then everywhere.
func (s *Script) index(o *section, from int) int {
	for i := from; i < len(s.body); i++ {
		if s.body[i] == stmt(o) {
			return i
		}
	}
	if from > 0 {
		return s.index(o, 0)
	}
	return -1
}

// headers puts a new output section, which is the last of them, into its place
// in the section header table.
func (p *orphans) headers(o *section, h *home, after *section) {
	s := p.s
	if !h.begun && after != nil {
		h.headers = s.lastMade(after)
	}
	h.begun = true
	order := s.order[:len(s.order)-1]
	at := 0
	if h.headers != nil {
		from := min(h.headersAt, len(order))
		if i := slices.Index(order[from:], h.headers); i >= 0 {
			at = from + i + 1
		} else {
			at = slices.Index(order, h.headers) + 1
		}
	}
	s.order = append(order, nil)
	copy(s.order[at+1:], s.order[at:])
	s.order[at] = o
	h.headers, h.headersAt, p.made = o, at, at
}

// lastRelocations is the output section behind which allocated relocations go.
func (p *orphans) lastRelocations(sec *model.Section) *section {
	var lastRO, lastAlloc, last *section
	for _, o := range p.s.listed() {
		if len(o.name) > 4 && o.name[:4] == ".rel" && !o.off {
			break // .rel.dyn comes before all other relocations
		}
		last = o
		if o.out != nil && o.traits&alloc != 0 {
			lastAlloc = o
			if o.traits&readonly != 0 {
				lastRO = o
			}
		}
	}
	for _, o := range []*section{lastRO, lastAlloc, last} {
		if o != nil {
			return o
		}
	}
	return nil
}

// uniqueOrphans says whether --unique was given without a pattern.
func (s *Script) uniqueOrphans() bool {
	for _, u := range s.opt.Unique {
		if u == "" {
			return true
		}
	}
	return false
}

// drop throws an input section away.
func (s *Script) drop(sec *model.Section) {
	sec.Live = false
	sec.Out = nil
	sec.Dropped = model.Discarded
}
