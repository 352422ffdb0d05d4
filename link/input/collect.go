package input

import (
	"debug/elf"
	"fmt"
	"slices"
	"strings"

	"elfwright/link/model"
)

// shfRetain is SHF_GNU_RETAIN.
const shfRetain = elf.SectionFlag(0x200000)

// Roots are what the collection starts from besides the sections themselves.
type Roots struct {
	Symbols []*model.Symbol // the entry, -u, EXTERN
	// Names are the symbols in the expression that defines a symbol of the script:
	// who needs that one needs them.
	Names map[*model.Symbol][]*model.Symbol
}

// Collect drops the sections that nothing needs (--gc-sections), and returns for
// --print-gc-sections a line for each that had bytes, in order. Needed are the
// roots' sections, those of KEEP (Section.Keep), SHF_GNU_RETAIN and notes, what
// they refer to, and so on. Which object's debugging data stays is as in GNU ld:
// that of objects of which anything stays.
//
// Sections for start-up code, .init_array and the like, are kept by KEEP alone, as
// in GNU ld; in the dialect of lld always. The same with .eh_frame.
func Collect(env *model.Env, roots Roots) (removed []string) {
	for _, s := range collect(env, roots) {
		if env.Opt.PrintGC {
			removed = append(removed, fmt.Sprintf("removing unused section '%s' in file '%s'", s.Name, s.Obj.File))
		}
	}
	return removed
}

func collect(env *model.Env, roots Roots) []*model.Section {
	c := newCollector(env)
	c.expressions(roots.Names)
	c.roots(roots.Symbols)
	c.spread()
	for c.linked() {
		c.spread()
	}
	model.Each(c.workers, len(c.objs), func(i int) { c.special(c.objs[i]) })
	c.attributes()
	for c.debugging() {
		c.spread()
	}
	return c.sweep()
}

// collector marks sections, from many goroutines.
type collector struct {
	env     *model.Env
	workers int
	objs    []*model.Object
	others  map[*model.Object]int32            // positions of objects that are not at their Rank
	frames  []frames                           // by position in objs
	edges   map[*model.Symbol][]*model.Section // what a symbol without a section stands for
	next    []*model.Section                   // marked, and not yet looked at
	debug   bool                               // only references to debugging data count
	links   []*model.Section                   // that live with another one
}

func newCollector(env *model.Env) *collector {
	c := &collector{env: env, workers: env.Opt.Workers(), objs: env.Objects}
	c.others = map[*model.Object]int32{}
	c.edges = map[*model.Symbol][]*model.Section{}
	for i, o := range c.objs {
		if int(o.Rank) != i+1 {
			c.others[o] = int32(i)
		}
	}
	c.frames = make([]frames, len(c.objs))
	model.Each(c.workers, len(c.objs), func(i int) { c.frames[i] = framesOf(c.objs[i]) })
	c.startStop()
	return c
}

// at is an object's position.
func (c *collector) at(o *model.Object) int32 {
	if i := int(o.Rank) - 1; i >= 0 && i < len(c.objs) && c.objs[i] == o {
		return int32(i)
	}
	return c.others[o]
}

// add marks a section; true if it was not marked.
func (c *collector) add(s *model.Section) bool {
	if s == nil || !s.Live || s.Needed.Load() || s.Obj.JustSymbols {
		return false
	}
	if c.debug && !isDebugging(s) {
		return false
	}
	return !s.Needed.Swap(true)
}

func (c *collector) root(s *model.Section) {
	if c.add(s) {
		c.next = append(c.next, s)
	}
}

func (c *collector) roots(roots []*model.Symbol) {
	for _, sym := range roots {
		if sym != nil {
			c.root(sym.Sec)
			for _, s := range c.edges[sym] {
				c.root(s)
			}
		}
	}
	some := exports(c.env.Opt) || c.env.Opt.KeepExported
	for _, o := range c.objs {
		if some {
			c.exports(o)
		}
		for _, s := range o.Sections {
			if s == nil {
				continue
			}
			if o.Linker || c.isRoot(s) {
				c.root(s)
			}
			if s.LinkTo != nil {
				c.links = append(c.links, s)
			}
		}
	}
}

// exports takes what others may refer to of an object.
func (c *collector) exports(o *model.Object) {
	for _, sym := range o.Symbols[min(o.Locals, len(o.Symbols)):] {
		if sym != nil && sym.Obj == o && c.exported(sym) {
			c.root(sym.Sec)
		}
	}
}

// exported says whether others may refer to a symbol once the link is done.
func (c *collector) exported(sym *model.Symbol) bool {
	if sym.State != model.Defined {
		return false
	}
	return sym.Exported || c.env.Opt.KeepExported && (sym.Vis == elf.STV_DEFAULT || sym.Vis == elf.STV_PROTECTED)
}

// isRoot says whether a section is needed by itself.
func (c *collector) isRoot(s *model.Section) bool {
	switch {
	case isAttributes(s):
		return false
	case s.Keep, s.Flags&shfRetain != 0:
		return true
	case s.Type == elf.SHT_NOTE:
		return s.Group == nil && s.LinkTo == nil
	case s.Type == elf.SHT_INIT_ARRAY, s.Type == elf.SHT_FINI_ARRAY, s.Type == elf.SHT_PREINIT_ARRAY:
		return c.env.Opt.Relocatable || c.env.Opt.Dialect == "lld"
	}
	if c.env.Opt.Dialect != "lld" || s.Flags&elf.SHF_ALLOC == 0 {
		return false
	}
	for _, p := range []string{".ctors", ".dtors", ".init", ".fini", ".jcr", ".eh_frame"} {
		if strings.HasPrefix(s.Name, p) {
			return true
		}
	}
	return false
}

// startStop finds the sections that __start_NAME and __stop_NAME speak of.
func (c *collector) startStop() {
	if c.env.Opt.StartStopGC {
		return
	}
	names := map[string][]*model.Symbol{}
	for _, sym := range c.env.Table.Some(func(s *model.Symbol) bool { return s.State == model.Undefined && edgeOf(s.Name) != "" }) {
		names[edgeOf(sym.Name)] = append(names[edgeOf(sym.Name)], sym)
	}
	if len(names) == 0 {
		return
	}
	for _, o := range c.objs {
		for _, s := range o.Sections {
			if s != nil && s.Live {
				for _, sym := range names[s.Name] {
					c.edges[sym] = append(c.edges[sym], s)
				}
			}
		}
	}
}

// expressions finds the sections behind the symbols of the script. GNU ld looks
// at a lone name, as in x = f, and lets the value of f + 4 be about nothing.
func (c *collector) expressions(names map[*model.Symbol][]*model.Symbol) {
	for sym := range names {
		seen := map[*model.Symbol]bool{sym: true}
		for list := names[sym]; len(list) > 0; {
			x := list[len(list)-1]
			list = list[:len(list)-1]
			if seen[x] {
				continue
			}
			seen[x] = true
			if x.Sec != nil {
				c.edges[sym] = append(c.edges[sym], x.Sec)
			}
			list = append(list[:len(list):len(list)], names[x]...)
		}
	}
}

// edgeOf is the section name in __start_NAME or __stop_NAME.
func edgeOf(name string) string {
	if n, ok := strings.CutPrefix(name, "__start_"); ok {
		return n
	}
	n, _ := strings.CutPrefix(name, "__stop_")
	if n == name {
		return ""
	}
	return n
}

// batch is how many sections a goroutine takes at once.
const batch = 64

// spread follows references until no section is new: round by round, so that the
// goroutines need no queue in common.
func (c *collector) spread() {
	for len(c.next) > 0 {
		now := c.next
		n := (len(now) + batch - 1) / batch
		found := make([][]*model.Section, n)
		model.Each(c.workers, n, func(i int) {
			var list []*model.Section
			for _, s := range now[i*batch : min(i*batch+batch, len(now))] {
				list = c.follow(s, list)
			}
			found[i] = list
		})
		c.next = slices.Concat(found...)
	}
}

// follow marks what a section refers to.
func (c *collector) follow(s *model.Section, list []*model.Section) []*model.Section {
	take := func(t *model.Section) {
		if c.add(t) {
			list = append(list, t)
		}
	}
	if s.Group != nil && !c.debug {
		for _, t := range s.Group.Members {
			take(t)
		}
	}
	if s.Name == ".eh_frame" {
		return list // a function needs its frame, not the frame the function
	}
	list = c.refers(s, s.Relocs, list)
	f := &c.frames[c.at(s.Obj)]
	for _, x := range f.of(s) {
		list = c.refers(f.sec, f.sec.Relocs[x.from:x.to], list)
		list = c.refers(f.sec, f.sec.Relocs[x.cieFrom:x.cieTo], list)
	}
	return list
}

// refers marks what relocations refer to.
func (c *collector) refers(s *model.Section, relocs []model.Reloc, list []*model.Section) []*model.Section {
	for i := range relocs {
		sym := s.Symbol(&relocs[i])
		if sym == nil {
			continue
		}
		if c.add(sym.Sec) {
			list = append(list, sym.Sec)
		} else if sym.Sec == nil && len(c.edges) > 0 {
			for _, t := range c.edges[sym] {
				if c.add(t) {
					list = append(list, t)
				}
			}
		}
	}
	return list
}

// linked marks sections that live with another one (SHF_LINK_ORDER), and says
// whether there was any.
func (c *collector) linked() bool {
	for _, s := range c.links {
		if s.Needed.Load() {
			continue
		}
		// A chain is not longer than there are sections.
		for t, n := s.LinkTo, 0; t != nil && n < len(s.Obj.Sections); t, n = t.LinkTo, n+1 {
			if t.Needed.Load() {
				c.root(s)
				break
			}
		}
	}
	return len(c.next) > 0
}

// special keeps debugging data and what else is not loaded of an object, if
// anything loaded of it stays. What is in a group or linked to a section lives
// with that.
func (c *collector) special(o *model.Object) {
	if !c.someKept(o) {
		return
	}
	for _, s := range o.Sections {
		if s == nil || !s.Live || s.LinkTo != nil {
			continue
		}
		if s.Group == nil && isSpecial(s) || s.Group != nil && pure(s.Group) {
			s.Needed.Store(true)
		}
	}
	c.fragments(o)
}

func (c *collector) someKept(o *model.Object) bool {
	for _, s := range o.Sections {
		if s != nil && s.Flags&elf.SHF_ALLOC != 0 && s.Type != elf.SHT_NOTE && s.Needed.Load() {
			return true
		}
	}
	return false
}

// isSpecial says whether a section is debugging data, or not loaded and without
// relocations, as .comment is.
func isSpecial(s *model.Section) bool {
	return isDebugging(s) || s.Flags&elf.SHF_ALLOC == 0 && s.RelocSection == 0
}

// pure says whether a group has debugging data alone, or nothing that is loaded or
// relocated.
func pure(g *model.Group) bool {
	debug, special := true, true
	for _, s := range g.Members {
		debug = debug && isDebugging(s)
		special = special && s.Flags&elf.SHF_ALLOC == 0 && s.RelocSection == 0
	}
	return debug || special
}

// fragments drops debugging data of single sections (.debug_line.text.f) whose
// code is dropped.
func (c *collector) fragments(o *model.Object) {
	seen := false
	for _, s := range o.Sections {
		seen = seen || s != nil && strings.HasPrefix(s.Name, ".debug_line.")
	}
	if !seen {
		return
	}
	gone := map[string]bool{}
	for _, s := range o.Sections {
		if s != nil && s.Flags&elf.SHF_EXECINSTR != 0 && !s.Needed.Load() {
			gone[s.Name] = true
		}
	}
	for _, s := range o.Sections {
		if s == nil || !isDebugging(s) {
			continue
		}
		for i := 1; i < len(s.Name); i++ {
			if s.Name[i] == '.' && gone[s.Name[i:]] {
				s.Needed.Store(false)
			}
		}
	}
}

// debugging marks debugging data that other debugging data refers to, as types in
// groups of their own. It says whether there was any.
func (c *collector) debugging() bool {
	first := !c.debug
	c.debug = true
	if !first {
		return false
	}
	for _, o := range c.objs {
		for _, s := range o.Sections {
			if s != nil && s.Live && s.RelocSection != 0 && isDebugging(s) && s.Needed.Load() {
				c.next = append(c.next, s)
			}
		}
	}
	return true
}

// sweep drops what is not marked.
func (c *collector) sweep() (dropped []*model.Section) {
	for _, o := range c.objs {
		if o.JustSymbols {
			continue
		}
		for _, s := range o.Sections {
			if s == nil || !s.Live || s.Needed.Load() {
				continue
			}
			s.Live, s.Dropped = false, model.Collected
			if s.Size != 0 {
				dropped = append(dropped, s)
			}
		}
	}
	return dropped
}
