package synth

import (
	"debug/elf"
	"sort"

	"elfwright/link/model"
)

// table is a section of dynamic relocations. As with GNU ld there is one for each
// name of a section that has some, .rela.data for .data, and .rela.got: scripts
// collect them by these names.
type table struct {
	sec   *model.Section
	count int
	first int // in Env.Dynamic
}

func (s *Set) relSize() uint64 {
	switch m := s.env.Target.Machine(); {
	case m.REL:
		return 2 * s.word
	default:
		return 3 * s.word
	}
}

func (s *Set) relName() string {
	if s.env.Target.Machine().REL {
		return ".rel"
	}
	return ".rela"
}

func (s *Set) relSection(name string, w model.Synth) *model.Section {
	t := elf.SHT_RELA
	if s.env.Target.Machine().REL {
		t = elf.SHT_REL
	}
	return s.add(s.relName()+name, t, allocRead, s.word, s.relSize(), w)
}

// createRelocs makes the tables: of what is loaded anywhere, one for each name of
// a section with relocations.
func (s *Set) createRelocs() {
	e := s.env
	s.relaplt = s.relSection(".plt", writer(s.writeRelaPLT))
	s.relaiplt = s.relSection(".iplt", writer(s.writeRelaIPLT))
	s.igotplt = s.words(".igot.plt", s.writeIGOTPLT)
	e.SecIGOTPLT = s.igotplt
	for _, r := range []*model.Section{s.relaplt, s.relaiplt} {
		r.Flags |= elf.SHF_INFO_LINK
		r.Align = 1 // without entries they align nothing
	}
	s.relaplt.InfoTo, s.relaiplt.InfoTo = s.gotplt, s.igotplt
	e.SecRelaPLT, e.SecRelaIPLT = s.relaplt, s.relaiplt
	if !e.PIC() {
		return
	}
	for _, o := range e.Objects {
		for _, sec := range o.Sections {
			if sec != nil && len(sec.Relocs) != 0 && sec.Flags&elf.SHF_ALLOC != 0 && sec.Live {
				s.table(sec.Name)
			}
		}
	}
	e.SecDyn = s.byName[".got"].sec
	if e.Opt.PackRelative {
		s.relr = s.add(".relr.dyn", shtRelr, allocRead, s.word, s.word, writer(s.writeRelr))
	}
}

// table returns the table of a section's name, made if it is not there.
func (s *Set) table(name string) *table {
	t := s.byName[name]
	if t == nil {
		t = &table{}
		t.sec = s.relSection(name, late{func(b []byte) { s.writeTable(t, b) }})
		s.byName[name] = t
		s.tables = append(s.tables, t)
	}
	return t
}

// sizeRelocs hands out the slots of Env.Dynamic: a run for each section, the runs
// of a table together.
func (s *Set) sizeRelocs() {
	e := s.env
	n := 0
	for i := range s.slots {
		n += s.dynamicOf(&s.slots[i])
	}
	s.got.DynRelocs = int32(n)
	type use struct {
		sec *model.Section
		t   *table
	}
	uses := []use{{s.got, s.byName[".got"]}}
	for _, o := range e.Objects {
		for _, sec := range o.Sections {
			if sec != nil && sec != s.got && sec.DynRelocs != 0 && sec.Live {
				uses = append(uses, use{sec, s.table(sec.Name)})
			}
		}
	}
	for _, u := range uses {
		u.t.count += int(u.sec.DynRelocs)
	}
	total := 0
	for _, t := range s.tables {
		t.first = total
		total += t.count
		t.sec.Size = uint64(t.count) * s.relSize()
	}
	next := map[*table]int{}
	for _, u := range uses {
		u.sec.DynFirst = int32(u.t.first + next[u.t])
		next[u.t] += int(u.sec.DynRelocs)
	}
	e.Dynamic = make([]model.DynReloc, total)
}

// writeTable writes its part of the relocations of the output section, which are
// sorted as a whole.
func (s *Set) writeTable(t *table, b []byte) {
	list, ok := s.sorted[t.sec.Out]
	if !ok {
		list = s.sortOutput(t.sec.Out)
	}
	n := len(b) / int(s.relSize())
	s.putRelocs(b, list[:n])
	s.sorted[t.sec.Out] = list[n:]
}

// sortOutput collects the relocations of all tables in an output section.
func (s *Set) sortOutput(out *model.Output) []model.DynReloc {
	var all []model.DynReloc
	size := uint64(0)
	for _, t := range s.tables {
		if t.sec.Out != out || !t.sec.Live {
			continue
		}
		size += t.sec.Size
		for _, r := range s.env.Dynamic[t.first : t.first+t.count] {
			if r.Type != s.dyn.relative || !s.packed.has(r.Off) {
				all = append(all, r)
			}
		}
	}
	if c := s.env.Opt.CombReloc; c == nil || *c {
		s.sort(all)
	}
	// What was counted and not needed is left as R_*_NONE, at the end.
	for uint64(len(all)) < size/s.relSize() {
		all = append(all, model.DynReloc{})
	}
	return all
}

// sort puts relocations into the order in which the dynamic linker is quick:
// relative ones by address, those of one symbol together, resolvers last, since
// they may run code.
func (s *Set) sort(list []model.DynReloc) {
	class := func(r *model.DynReloc) int {
		switch r.Type {
		case s.dyn.relative:
			return 0
		case s.dyn.irelative:
			return 2
		case 0:
			return 3
		}
		return 1
	}
	sort.SliceStable(list, func(i, j int) bool {
		a, b := &list[i], &list[j]
		if ca, cb := class(a), class(b); ca != cb {
			return ca < cb
		}
		if ia, ib := symIndex(a.Sym), symIndex(b.Sym); ia != ib {
			return ia < ib
		}
		return a.Off < b.Off
	})
}

func symIndex(sym *model.Symbol) uint32 {
	if sym == nil {
		return 0
	}
	return uint32(sym.DynIndex)
}

// relatives is how many relative relocations .rela.dyn has, for DT_RELACOUNT.
func (s *Set) relatives() (n int) {
	for i := range s.env.Dynamic {
		if r := &s.env.Dynamic[i]; r.Type == s.dyn.relative && !s.packed.has(r.Off) {
			n++
		}
	}
	return n
}

// putRelocs encodes relocations (gABI, "Relocation").
func (s *Set) putRelocs(b []byte, list []model.DynReloc) {
	rel := s.env.Target.Machine().REL
	for i := range list {
		r := &list[i]
		s.putWord(b, r.Off)
		if s.word == 4 {
			s.putWord(b[4:], uint64(symIndex(r.Sym)<<8|r.Type&0xff))
		} else {
			s.putWord(b[8:], uint64(symIndex(r.Sym))<<32|uint64(r.Type))
		}
		if !rel {
			s.putWord(b[2*s.word:], uint64(r.Addend))
		}
		b = b[s.relSize():]
	}
}

func (s *Set) writeRelaPLT(b []byte) {
	list := make([]model.DynReloc, len(s.plts))
	for i, sym := range s.plts {
		list[i] = model.DynReloc{Off: s.gotplt.Addr(uint64(sym.Aux.GOTPLT)), Sym: sym, Type: s.dyn.jumpSlot}
	}
	s.putRelocs(b, list)
}

func (s *Set) writeRelaIPLT(b []byte) {
	list := make([]model.DynReloc, len(s.iplts))
	for i, sym := range s.iplts {
		list[i] = model.DynReloc{Off: s.igotplt.Addr(uint64(sym.Aux.GOTPLT)), Addend: int64(value(sym)), Type: s.dyn.irelative}
	}
	s.putRelocs(b, list)
}
