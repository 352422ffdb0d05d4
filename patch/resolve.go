package patch

import (
	"debug/elf"
	"fmt"
	"strings"

	"elfwright/elffile"
)

// A target is where a value goes.
type target struct {
	label  string // as the user wrote it
	addr   uint64
	room   uint64 // bytes there; 0: not known
	t      *typ   // nil: not known
	bits   uint64 // of a bit-field, from bitOff on, counted from addr
	bitOff uint64
	all    bool // "[]" stands at the end

	sym     *symbol
	section string // the section it was found by
	file    string // where the symbol or section was found
	thread  bool   // in the template of thread-local variables
	bare    int    // index of a section that is not loaded; -1: it has an address
}

// name is what was found, for reports.
func (g *target) name() string {
	if g.sym != nil {
		return g.sym.name
	}
	return g.section
}

// resolver finds places.
type resolver struct {
	*finder
	opt   Options
	debug map[*elffile.File]*debug
}

// resolve finds the place of a set, and what type of value it takes.
func (x *resolver) resolve(text, typeName string) (*target, error) {
	p, err := parsePlace(text)
	if err != nil {
		return nil, err
	}
	var explicit *typ
	if typeName != "" {
		if explicit, err = parseType(typeName, x.img.AddrSize()); err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
	}
	g, steps, err := x.base(&p)
	if err != nil {
		return nil, err
	}
	g.label = text
	start, end := g.addr, g.addr+g.room
	if err := x.typeFor(g, steps, explicit); err != nil {
		return nil, err
	}
	for i, s := range steps {
		if err := x.walk(g, s, i == len(steps)-1, explicit, end); err != nil {
			return nil, err
		}
	}
	if p.off != 0 {
		if err := x.shift(g, p.off, start, end); err != nil {
			return nil, err
		}
	}
	return g, x.override(g, explicit, end)
}

// shift adds an offset, after which the type is not known any more.
func (x *resolver) shift(g *target, off int64, start, end uint64) error {
	if g.bits > 0 {
		return refusef(x.img, g.label, "a bit-field has no bytes behind it")
	}
	at := g.addr + uint64(off)
	switch {
	case g.room == 0:
	case at >= start && at < end:
		g.room = end - at
	case x.opt.Force:
		g.room = 0
	default:
		return refusef(x.img, g.label, "0x%x is not within [0x%x, 0x%x) of %s; --force goes on", at, start, end, g.name())
	}
	g.t, g.addr = nil, at
	return nil
}

// base finds what a place begins with, and returns the members and indexes that
// follow.
func (x *resolver) base(p *place) (*target, []step, error) {
	if p.kind == atAddr {
		steps, err := parsePath(p.path)
		return &target{addr: p.addr, bare: -1}, steps, err
	}
	names, paths := p.splits()
	found, err := x.find(names, p.src)
	if err != nil {
		return nil, nil, err
	}
	i := firstHit(found)
	if i < 0 && p.src == "" {
		if g, err := x.sectionNamed(p); g != nil || err != nil {
			return g, nil, err
		}
		if found, err = x.mangled(names); err != nil {
			return nil, nil, err
		}
		i = firstHit(found)
	}
	switch {
	case i < 0:
		return nil, nil, x.unknown(p, names)
	case len(found[i]) > 1:
		r := refusef(x.img, p.text, "%d symbols have this name; say FILE:%s, or an address", len(found[i]), names[i])
		for k := range found[i] {
			r.List = append(r.List, found[i][k].String())
		}
		return nil, nil, r
	}
	g, err := x.symbol(p, &found[i][0])
	if err != nil {
		return nil, nil, err
	}
	steps, err := parsePath(paths[i])
	return g, steps, err
}

func firstHit(found [][]symbol) int {
	for i := range found {
		if len(found[i]) > 0 {
			return i
		}
	}
	return -1
}

// unknown is the answer for a name that nothing has.
func (x *resolver) unknown(p *place, names []string) error {
	what := "no symbol"
	if p.src != "" {
		what = "no local symbol of " + p.src
	}
	where := "there is no symbol table"
	var files []string
	for _, step := range x.sources() {
		for _, f := range step {
			if len(x.tables(f)) > 0 {
				files = append(files, f.Name)
			}
		}
	}
	if len(files) > 0 {
		where = what + " or section has this name in " + strings.Join(files, ", ")
	}
	r := refusef(x.img, p.text, "%s", where)
	short := names[len(names)-1]
	if hits := x.nearest(short); len(hits) > 0 {
		r.Reason += " (did you mean " + strings.Join(hits, ", ") + "?)"
	}
	return r
}

// symbol makes a symbol a target.
func (x *resolver) symbol(p *place, s *symbol) (*target, error) {
	g := &target{addr: s.value, room: s.size, sym: s, file: s.from.f.Name, bare: -1}
	switch {
	case s.typ == elf.STT_GNU_IFUNC:
		return nil, refusef(x.img, p.text, "it is an indirect function: its address is known at run time")
	case s.typ != elf.STT_TLS:
		return g, nil
	}
	g.thread = true
	for i := range x.img.Progs {
		if t := &x.img.Progs[i]; t.Type == elf.PT_TLS {
			if s.value > t.Memsz || s.size > t.Memsz-s.value {
				return nil, refusef(x.img, p.text, "the thread-local variable at 0x%x, 0x%x bytes, is not within PT_TLS (0x%x)", s.value, s.size, t.Memsz)
			}
			g.addr = t.Vaddr + s.value
			return g, nil
		}
	}
	return nil, refusef(x.img, p.text, "it is thread-local, and there is no PT_TLS")
}

// sectionNamed finds a section: its address is that of the place.
func (x *resolver) sectionNamed(p *place) (*target, error) {
	if p.kind == exact {
		return nil, nil
	}
	g, err := x.section(p.name)
	if g == nil || err != nil {
		return nil, err
	}
	if g.bare >= 0 {
		return nil, refusef(x.img, p.text, "the section is not loaded and has no address; --section replaces it")
	}
	return g, nil
}

// section finds a section, in the image if that has section headers, else in the
// symbol files; nil if there is none.
func (x *resolver) section(name string) (*target, error) {
	for _, f := range append([]*elffile.File{x.img}, x.files...) {
		i := f.SectionByName(name)
		if i < 0 {
			continue
		}
		s := &f.Sections()[i]
		g := &target{label: name, addr: s.Addr, room: s.Size, section: name, file: f.Name, bare: -1}
		switch {
		case s.Has(elf.SHF_ALLOC) && s.Has(elf.SHF_TLS) && s.Type == elf.SHT_NOBITS:
			return nil, refusef(x.img, name, "the section has no bytes and no memory: thread-local variables in it start as zeros")
		case s.Has(elf.SHF_ALLOC):
			g.thread = s.Has(elf.SHF_TLS)
			return g, nil
		case f == x.img:
			g.bare = i
			return g, nil
		}
		return nil, refusef(x.img, name, "the section is in %s alone, and is not loaded: the image does not have it", f.Name)
	}
	return nil, nil
}

// typeFor asks DWARF for the type of a variable where it is needed: for members,
// and where the user has not said one. Without, only what needs no type goes on.
func (x *resolver) typeFor(g *target, steps []step, explicit *typ) error {
	member := false
	for _, s := range steps {
		member = member || s.member != ""
	}
	if g.sym == nil || explicit != nil && !member {
		return nil
	}
	var any bool
	for _, f := range x.debugFiles(g.sym.from.f) {
		d, err := x.debugOf(f)
		if err != nil {
			if member {
				return err
			}
			continue
		}
		if d == nil {
			continue
		}
		any = true
		t, err := d.variable(g.sym.value, g.thread)
		if err == nil && t != nil {
			g.t = t
			return nil
		}
		if err != nil && (member || len(steps) > 0) {
			return err
		}
	}
	switch {
	case member && any:
		return refusef(x.img, g.label, "no entry of the debugging information is a variable at 0x%x, so its members are not known", g.sym.value)
	case member:
		return refusef(x.img, g.label, "its members are not known: no file has debugging information (DWARF)")
	}
	return nil
}

// debugFiles are the files to ask for a type: the symbol's own first.
func (x *resolver) debugFiles(own *elffile.File) []*elffile.File {
	list := []*elffile.File{own}
	for _, step := range x.sources() {
		for _, f := range step {
			if f != own {
				list = append(list, f)
			}
		}
	}
	return list
}

func (x *resolver) debugOf(f *elffile.File) (*debug, error) {
	if d, ok := x.debug[f]; ok {
		return d, nil
	}
	d, err := openDebug(f)
	if err == nil {
		x.debug[f] = d
	}
	return d, err
}

// override gives the place the type that the user said.
func (x *resolver) override(g *target, explicit *typ, end uint64) error {
	if explicit == nil || g.t == explicit {
		return x.within(g, end)
	}
	if g.bits > 0 {
		return refusef(x.img, g.label, "a bit-field of %d bits cannot be of another type", g.bits)
	}
	if g.all {
		return x.within(g, end)
	}
	g.t = explicit
	if explicit.size == 0 {
		return x.within(g, end)
	}
	if g.room > 0 && explicit.size > g.room && !x.opt.Force {
		return refusef(x.img, g.label, "%s has %d bytes, and there are 0x%x; --force goes on", explicit.name, explicit.size, g.room)
	}
	g.room = explicit.size
	return nil
}

// within refuses to leave the symbol.
func (x *resolver) within(g *target, end uint64) error {
	if g.sym != nil && g.sym.size > 0 && g.addr+g.room > end && !x.opt.Force {
		return refusef(x.img, g.label, "[0x%x, 0x%x) crosses the end of %s at 0x%x; --force goes on", g.addr, g.addr+g.room, g.sym.name, end)
	}
	return nil
}
