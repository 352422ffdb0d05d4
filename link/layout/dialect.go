package layout

import (
	"debug/elf"
	"math/bits"
	"sort"

	"elfwright/link/model"
)

// dialect names the rules of layout in which ld.lld 14 differs from GNU ld; those
// of expressions are ldscript.Rules. The zero value is GNU ld's meaning.
type dialect struct {
	ownLMA        bool // lma-inherit: AT> goes to no other section
	alignLMA      bool // lma-align: AT> is aligned for what is in the section
	wideFill      bool // fill-width: any number has four bytes
	keepsSymbols  bool // symbols-only-section, moved-dot-section: kept, with flags of the one before
	firstLoad     bool // phdr-before-first: sections before the first :NAME are in the first PT_LOAD
	dropEmptyLoad bool // empty-load
	fileByAddress bool // phdr-one-lma: in a PT_LOAD the file follows addresses, not load addresses
	byFlags       bool // load-by-flags
	byRank        bool // orphan-place, orphan-dot
	pages         bool // arm-page-size
}

func dialectOf(name string) dialect {
	if name != "lld" {
		return dialect{}
	}
	return dialect{true, true, true, true, true, true, true, true, true, true}
}

// lldLoadAddress is the load address as lld has it: what AT says holds for the
// sections that follow in the same region, what AT> says for its own alone. What
// aligned the address, by delta, moves the cursor of AT> as well.
func (s *Script) lldLoadAddress(o *section, delta uint64) uint64 {
	l := &s.lldLMA
	addr := o.out.Addr
	switch {
	case o.at != nil:
		o.out.Why.LMA = "AT(…)"
		l.diff = s.number(o.at) - addr
	case o.lmaRegion != nil:
		o.out.Why.LMA = "AT>" + o.lmaRegion.name
		l.diff = alignUp(o.lmaRegion.current+delta, max(s.alignOf(o.align), o.align1())) - addr
	case l.region != o.cursorRegion(s) || l.lma != nil:
		o.out.Why.LMA = "its address: nothing says otherwise"
		l.diff = 0
	default:
		o.out.Why.LMA = "as far from its address as the section before"
	}
	l.region, l.lma = o.cursorRegion(s), o.lmaRegion
	return addr + l.diff
}

// lldLMA is what lld keeps from section to section.
type lldLMA struct {
	diff        uint64
	region, lma *region
}

// likeBefore gives an output section without inputs the flags of the one before
// it, and bytes.
func (s *Script) likeBefore() {
	last := alloc | readonly
	for _, o := range s.order {
		if o.removed {
			continue
		}
		if !o.hasInput {
			o.traits = o.traits&^(readonly|code) | last&(alloc|readonly|code) | load | contents
		}
		last = o.traits
	}
}

// keepsSymbolsOnly says whether lld keeps a section that nothing is in.
func (o *section) keepsSymbolsOnly() bool {
	for _, st := range o.body {
		switch st := st.(type) {
		case *assign:
			if st.dot() || st.sym.set {
				return true
			}
		case *data:
			return true
		}
	}
	return false
}

// Ranks of output sections in lld: the less, the earlier; the higher the first
// bit in which two differ, the less alike they are.
const (
	rankNotAlloc  = 1 << 26
	rankNotInterp = 1 << 15
	rankNotNote   = 1 << 14
	rankWrite     = 1 << 13
	rankExecWrite = 1 << 12
	rankExec      = 1 << 11
	rankRodata    = 1 << 10
	rankNotRelro  = 1 << 9
	rankNotTLS    = 1 << 8
	rankBss       = 1 << 7
)

func (s *Script) rank(o *section) uint32 {
	t := o.traits
	switch {
	case t&alloc == 0:
		return rankNotAlloc
	case o.name == ".interp":
		return 0
	case s.currentType(o) == elf.SHT_NOTE:
		return rankNotInterp
	}
	r := uint32(rankNotInterp | rankNotNote)
	switch {
	case t&code != 0 && t&readonly == 0:
		r |= rankExecWrite
	case t&code != 0:
		r |= rankExec
	case t&readonly == 0:
		r |= rankWrite
	case s.currentType(o) == elf.SHT_PROGBITS:
		r |= rankRodata
	}
	if !isRelro(o.name, t) {
		r |= rankNotRelro
	}
	if t&tls == 0 {
		r |= rankNotTLS
	}
	if t&contents == 0 {
		r |= rankBss
	}
	return r
}

// isRelro says what lld would protect after relocation.
func isRelro(name string, t traits) bool {
	if t&readonly != 0 {
		return false
	}
	if t&tls != 0 {
		return true
	}
	switch name {
	case ".data.rel.ro", ".bss.rel.ro", ".ctors", ".dtors", ".jcr", ".eh_frame", ".fini_array", ".init_array", ".preinit_array", ".dynamic", ".got":
		return true
	}
	return false
}

// rankedOrphans places orphans as lld does: beside the section of the most alike
// rank.
func (s *Script) rankedOrphans(list []*model.Section) {
	p := newOrphans(s)
	var made []*section
	for _, sec := range list {
		switch {
		case !sec.Live || sec.Out != nil:
			continue
		case s.opt.Orphans == "discard":
			s.drop(sec)
			continue
		case sec.Name == "COMMON":
			p.common(sec)
			continue
		}
		p.handling(sec, sec.Name)
		o := s.find(sec.Name)
		if o == nil {
			o = &section{name: sec.Name, region: s.regions.list[0], orphan: true}
			if sec.Flags&elf.SHF_ALLOC == 0 {
				o.addr = zero
			}
			s.enter(o)
			made = append(made, o)
		}
		p.join(o, sec, "no pattern matches; by its rank")
	}
	sort.SliceStable(made, func(i, j int) bool { return s.rank(made[i]) < s.rank(made[j]) })
	for _, o := range made {
		at := s.rankedPlace(o)
		s.body = append(s.body, nil)
		copy(s.body[at+1:], s.body[at:])
		s.body[at] = o
		s.relist()
		if prev := s.before(o); prev != nil && o.traits&alloc != 0 && o.region == s.regions.list[0] {
			o.region = prev.region
		}
	}
	s.orderByStatements()
}

// orderByStatements makes the order of section headers that of the statements.
func (s *Script) orderByStatements() {
	s.order = s.order[:0]
	for _, o := range s.outs {
		if o.out != nil {
			s.order = append(s.order, o)
		}
	}
}

// rankedPlace is the position in the list for an orphan.
func (s *Script) rankedPlace(o *section) int {
	start := s.firstPlace()
	filled := func(i int) *section {
		if x, ok := s.body[i].(*section); ok && x.hasInput {
			return x
		}
		return nil
	}
	rank := s.rank(o)
	best, at := -1, len(s.body)
	for i := start; i < len(s.body); i++ {
		if x := filled(i); x != nil {
			if n := bits.LeadingZeros32(rank ^ s.rank(x)); n > best {
				best, at = n, i
			}
		}
	}
	if best < 0 {
		return len(s.body)
	}
	limit := rank
	if len(s.phdrs) > 0 || s.regions.declared() {
		limit = max(limit, s.rank(filled(at)))
	}
	for ; at < len(s.body); at++ {
		if x := filled(at); x != nil && (bits.LeadingZeros32(rank^s.rank(x)) != best || limit < s.rank(x)) {
			break
		}
	}
	for at > start && filled(at-1) == nil {
		at--
	}
	next := at
	for next < len(s.body) && filled(next) == nil {
		next++
	}
	if next == len(s.body) {
		return next
	}
	for at < len(s.body) {
		if a, ok := s.body[at].(*assign); !ok || a.dot() {
			break
		}
		at++
	}
	return at
}

// firstPlace is behind the first assignment of the location counter, if that
// comes before all sections.
func (s *Script) firstPlace() int {
	for i, st := range s.body {
		switch st := st.(type) {
		case *section:
			return i
		case *assign:
			if st.dot() {
				return i + 1
			}
		}
	}
	return len(s.body)
}
