package input

import (
	"debug/elf"
	"fmt"
	"strings"

	"elfwright/link/model"
)

// Roots are what the collection starts from besides the sections themselves.
type Roots struct {
	Symbols []*model.Symbol // the entry, -u, EXTERN, names in the script
}

// Collect leaves out sections that nothing needs (--gc-sections). It returns a
// line for each, for --print-gc-sections.
func Collect(e *model.Env, roots Roots) (removed []string) {
	c := &collector{env: e, live: map[*model.Section]bool{}}
	c.index()
	for _, s := range roots.Symbols {
		c.symbol(s)
	}
	c.ownRoots()
	c.run()
	for again := true; again; { // what follows its target, or its group
		again = c.follow()
		c.run()
	}
	return c.sweep()
}

// collector marks sections.
type collector struct {
	env   *model.Env
	live  map[*model.Section]bool
	work  []*model.Section
	named map[string][]*model.Section // by names that C can say, for __start_NAME
	later []*model.Section            // SHF_LINK_ORDER: live with their target
	all   []*model.Section
}

// index lists the sections that may be collected.
func (c *collector) index() {
	c.named = map[string][]*model.Section{}
	for _, o := range c.env.Objects {
		if o.Linker {
			continue
		}
		for _, s := range o.Sections {
			if s == nil || !s.Live {
				continue
			}
			c.all = append(c.all, s)
			if s.LinkTo != nil && s.Flags&elf.SHF_LINK_ORDER != 0 {
				c.later = append(c.later, s)
			}
			if cName(s.Name) {
				c.named[s.Name] = append(c.named[s.Name], s)
			}
		}
	}
}

func cName(name string) bool {
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		return false
	}
	for _, r := range name {
		if r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return true
}

const shfRetain = elf.SectionFlag(0x200000) // SHF_GNU_RETAIN

// rootNames begin the names of sections that start-up code finds without a symbol.
var rootNames = []string{".init", ".fini", ".ctors", ".dtors", ".jcr", ".preinit_array", ".init_array", ".fini_array"}

func isRootName(name string) bool {
	for _, p := range rootNames {
		if rest, ok := strings.CutPrefix(name, p); ok && (rest == "" || rest[0] == '.') {
			return true
		}
	}
	return false
}

// isRoot says whether a section is kept by itself.
func isRoot(s *model.Section) bool {
	switch {
	case s.Keep, s.Flags&shfRetain != 0, s.Common && s.Keep:
		return true
	case s.Flags&elf.SHF_ALLOC == 0:
		return false
	}
	switch s.Type {
	case elf.SHT_INIT_ARRAY, elf.SHT_FINI_ARRAY, elf.SHT_PREINIT_ARRAY:
		return true
	case elf.SHT_NOTE:
		return s.Group == nil
	}
	return isRootName(s.Name)
}

func (c *collector) ownRoots() {
	for _, s := range c.all {
		if isRoot(s) && s.Flags&elf.SHF_LINK_ORDER == 0 {
			c.mark(s)
		}
	}
	e := c.env
	for _, s := range e.Table.Some(func(s *model.Symbol) bool { return s.Exported }) {
		if e.Opt.Shared || e.Opt.ExportDynamic || e.Opt.KeepExported || s.Preempt {
			c.symbol(s)
		}
	}
	if e.Opt.KeepExported {
		for _, s := range e.Table.Some(func(s *model.Symbol) bool { return s.Vis == elf.STV_DEFAULT || s.Vis == elf.STV_PROTECTED }) {
			c.symbol(s)
		}
	}
}

func (c *collector) mark(s *model.Section) {
	if s == nil || !s.Live || c.live[s] {
		return
	}
	c.live[s] = true
	c.work = append(c.work, s)
}

// symbol marks what a symbol needs: its section, or for __start_NAME and
// __stop_NAME the sections NAME.
func (c *collector) symbol(s *model.Symbol) {
	if s == nil {
		return
	}
	if s.Sec != nil {
		c.mark(s.Sec)
		return
	}
	if c.env.Opt.StartStopGC || s.Local {
		return
	}
	for _, p := range []string{"__start_", "__stop_"} {
		if name, ok := strings.CutPrefix(s.Name, p); ok {
			for _, sec := range c.named[name] {
				c.mark(sec)
			}
		}
	}
}

// run follows references from what is marked.
func (c *collector) run() {
	for len(c.work) > 0 {
		s := c.work[len(c.work)-1]
		c.work = c.work[:len(c.work)-1]
		if s.Group != nil {
			for _, m := range s.Group.Members {
				c.mark(m)
			}
		}
		if isUnwind(s) {
			continue // see unwind
		}
		if s.Flags&elf.SHF_LINK_ORDER != 0 {
			c.mark(s.LinkTo)
		}
		for i := range s.Relocs {
			c.symbol(s.Symbol(&s.Relocs[i]))
		}
	}
}

func isUnwind(s *model.Section) bool {
	return s.Name == ".eh_frame" || s.Name == ".sframe"
}

// follow marks what lives with what is marked: tables ordered by a section, and
// what the unwind tables of live functions name.
func (c *collector) follow() (more bool) {
	n := len(c.live)
	for _, s := range c.later {
		if c.live[s.LinkTo] {
			c.mark(s)
		}
	}
	for _, s := range c.all {
		if isUnwind(s) {
			c.unwind(s)
		}
	}
	return len(c.live) != n
}

// unwind marks what the records of live functions name besides: a table of
// exceptions, a personality routine. The function itself is the first relocation
// of a record (LSB, "Exception Frames"), and a record never keeps it.
func (c *collector) unwind(s *model.Section) {
	b := s.Data
	order := s.Obj.Order
	k := 0
	for off := uint64(0); off+8 <= uint64(len(b)); {
		size := uint64(order.Uint32(b[off:]))
		head := uint64(4)
		if size == 0 {
			break
		}
		if size == 0xffffffff || size > uint64(len(b))-off-head {
			return // the pass that splits the records tells what is wrong
		}
		end := off + head + size
		cie := order.Uint32(b[off+head:]) == 0
		first := true
		alive := cie
		for ; k < len(s.Relocs) && s.Relocs[k].Off < end; k++ {
			sym := s.Symbol(&s.Relocs[k])
			if !cie && first {
				first = false
				alive = sym != nil && sym.Sec != nil && c.live[sym.Sec]
				continue
			}
			if alive && sym != nil {
				c.symbol(sym)
			}
		}
		off = end
	}
	c.live[s] = true
}

// sweep drops what is not marked. Sections that are not loaded stay, unless their
// group, or the section that they describe, is gone.
func (c *collector) sweep() (removed []string) {
	for _, s := range c.all {
		if c.live[s] {
			continue
		}
		if s.Flags&elf.SHF_ALLOC == 0 && c.staysUnloaded(s) {
			continue
		}
		s.Live, s.Dropped = false, model.Collected
		if s.Size > 0 {
			removed = append(removed, fmt.Sprintf("removing unused section '%s' in file '%s'", s.Name, s.Obj.File))
		}
	}
	return removed
}

func (c *collector) staysUnloaded(s *model.Section) bool {
	if s.Flags&elf.SHF_LINK_ORDER != 0 {
		return c.live[s.LinkTo]
	}
	if s.Group == nil {
		return true
	}
	loaded := false
	for _, m := range s.Group.Members {
		if m.Flags&elf.SHF_ALLOC != 0 {
			loaded = true
			if c.live[m] {
				return true
			}
		}
	}
	return !loaded
}
