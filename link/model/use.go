package model

import (
	"debug/elf"
	"fmt"
	"slices"
	"strings"

	"elfwright/internal/near"
)

// Use finds the symbol of a relocation and says whether the relocation can be
// carried out. A weak symbol that nobody defines is fine: its address is 0. The
// symbol is nil where the relocation names none.
//
// If ok is false there is nothing to carry out: what is wrong has been reported;
// or the symbol is in a section that is not in the output, and the place, which
// is of debugging data, .eh_frame or the like, takes Env.Tombstone.
func (e *Env) Use(s *Section, r *Reloc) (sym *Symbol, ok bool) {
	sym = s.Symbol(r)
	switch {
	case sym == nil, sym.State == Common:
		return sym, true
	case sym.State == Defined:
		if sym.Sec == nil || sym.Sec.Live {
			return sym, true
		}
		if e.Opt.Relocatable {
			return sym, true
		}
		if s.Flags&elf.SHF_ALLOC != 0 && !toleratesGone(s.Name) {
			e.Report.ErrorAt(s, r.Off, goneError(sym))
		}
		return sym, false
	case sym.Weak(), e.Opt.Relocatable:
		return sym, true
	}
	return sym, e.undefined(s, r, sym)
}

// toleratesGone says whether a section may refer to what is not there: its reader
// skips records of code without an address.
func toleratesGone(name string) bool {
	return name == ".eh_frame" || strings.HasPrefix(name, ".eh_frame.") || strings.HasPrefix(name, ".gcc_except_table")
}

// goneError says that a symbol is in a section that is not in the output.
func goneError(sym *Symbol) error {
	t := sym.Sec
	name := sym.Name
	if sym.Type == elf.STT_SECTION {
		name = t.Name
	}
	return fmt.Errorf("refers to %s, which is in %s(%s), a section that is not in the output: %s", name, t.Obj.File, t.Name, t.Dropped)
}

// String says the reason as a clause.
func (r Reason) String() string {
	switch r {
	case NotDropped:
		return "it was not placed"
	case Duplicate:
		return "a COMDAT group of the same signature came first"
	case Collected:
		return "--gc-sections found nothing that needs it"
	case Discarded:
		return "the script discards it"
	case Stripped:
		return "it was stripped"
	case Excluded:
		return "it is excluded (SHF_EXCLUDE), or only meant for the linker"
	case Empty:
		return "the linker made it, and nothing needed it"
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

// Tombstone is what a relocation in section s against code that is not in the
// output leaves in its place: what -z dead-reloc-in-nonalloc says, else 1 where 0
// would end a list (DWARF 2 to 4, .debug_ranges and .debug_loc), else 0.
func (e *Env) Tombstone(s *Section) uint64 {
	if v, ok := e.Opt.DeadReloc[s.Name]; ok {
		return v
	}
	if s.Name == ".debug_ranges" || s.Name == ".debug_loc" {
		return 1
	}
	return 0
}

// undefined deals with a relocation against a symbol that nobody defines.
func (e *Env) undefined(s *Section, r *Reloc, sym *Symbol) (ok bool) {
	opt := e.Opt
	switch opt.Unresolved {
	case "ignore-all", "ignore-in-object-files":
		return true
	case "":
		// A shared object may leave symbols to others.
		if opt.Shared && !opt.NoUndefined && sym.Vis == elf.STV_DEFAULT {
			return true
		}
	}
	e.Report.undefinedAt(e, s, r.Off, sym, opt.WarnUnresolved)
	return opt.WarnUnresolved
}

// UndefinedError tells of a symbol that nobody defines, and of the first places
// that refer to it.
type UndefinedError struct {
	Symbol *Symbol
	Places []Spot // at most three, in the order of the inputs
	More   int    // how many there are besides
	Near   string // a symbol that was perhaps meant, or empty
}

// Spot is a place in an input section.
type Spot struct {
	Section *Section
	Off     uint64
}

func (p Spot) String() string {
	return fmt.Sprintf("%s(%s+%#x)", p.Section.Obj.File, p.Section.Name, p.Off)
}

func (p Spot) before(q Spot) bool {
	a, b := p.Section, q.Section
	switch {
	case a.Obj.Rank != b.Obj.Rank:
		return a.Obj.Rank < b.Obj.Rank
	case a.Index != b.Index:
		return a.Index < b.Index
	}
	return p.Off < q.Off
}

func (u *UndefinedError) Error() string {
	var b strings.Builder
	for i, p := range u.Places {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(p.String())
	}
	if u.More > 0 {
		fmt.Fprintf(&b, " and %d more", u.More)
	}
	fmt.Fprintf(&b, ": undefined symbol %s", u.Symbol.Name)
	if u.Symbol.Version != "" {
		b.WriteString("@" + u.Symbol.Version)
	}
	if u.Near != "" {
		fmt.Fprintf(&b, "; %s is defined", u.Near)
	}
	return b.String()
}

// maxSpots is how many places are named for an undefined symbol.
const maxSpots = 3

// undefinedAt takes a place that refers to an undefined symbol. The same place
// counts once however often it is told.
func (r *Report) undefinedAt(e *Env, s *Section, off uint64, sym *Symbol, warn bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.undefined == nil {
		r.undefined = map[*Symbol]*undefined{}
	}
	u := r.undefined[sym]
	if u == nil {
		u = &undefined{err: UndefinedError{Symbol: sym}, table: e.Table, warn: warn, seen: map[Spot]bool{}}
		r.undefined[sym] = u
	}
	p := Spot{s, off}
	if u.seen[p] {
		return
	}
	u.seen[p] = true
	list := &u.err.Places
	at, _ := slices.BinarySearchFunc(*list, p, func(a, b Spot) int {
		if a.before(b) {
			return -1
		}
		return 1
	})
	*list = slices.Insert(*list, at, p)
	if len(*list) > maxSpots {
		*list = (*list)[:maxSpots]
		u.err.More++
	}
}

// undefined is what a Report keeps of an undefined symbol.
type undefined struct {
	err   UndefinedError
	table *Table
	warn  bool
	seen  map[Spot]bool
}

// maxNear is for how many symbols a name that was perhaps meant is looked for:
// each has to be compared with all.
const maxNear = 5

// undefinedFindings are the undefined symbols as errors, or as warnings, in the
// order of the places that refer to them.
func (r *Report) undefinedFindings(warn bool) []Finding {
	var list []*undefined
	for _, u := range r.undefined {
		if u.warn == warn {
			list = append(list, u)
		}
	}
	slices.SortFunc(list, func(a, b *undefined) int {
		p, q := a.err.Places[0], b.err.Places[0]
		switch {
		case p.before(q):
			return -1
		case q.before(p):
			return 1
		}
		return strings.Compare(a.err.Symbol.Name, b.err.Symbol.Name)
	})
	var found []Finding
	for i, u := range list {
		if i < maxNear && u.err.Near == "" && u.table != nil {
			u.err.Near = u.table.Near(u.err.Symbol.Name)
		}
		p := u.err.Places[0]
		found = append(found, Finding{p.Section.Obj.Rank, p.Section.Index, p.Off, &u.err})
	}
	return found
}

// Near is the defined symbol whose name is nearest to one that is not, or empty.
func (t *Table) Near(name string) string {
	limit := near.Limit(name)
	some := t.Some(func(s *Symbol) bool {
		d := len(s.Name) - len(name)
		return s.State == Defined && d < limit && -d < limit
	})
	var names []string
	for _, s := range some {
		names = append(names, s.Name)
	}
	n, _ := near.Name(name, names)
	return n
}
