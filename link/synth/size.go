package synth

import "elfwright/link/model"

// Size gives the linker's sections their sizes, once all relocations have been
// scanned, and drops those that nothing needs.
func (s *Set) Size() {
	e := s.env
	if e.Opt.Relocatable {
		s.settle()
		return
	}
	if e.PIC() {
		s.chooseDynsyms()
	}
	s.needs()
	used := e.NeedGOTBase.Get() || s.referred("_GLOBAL_OFFSET_TABLE_") || len(s.slots)+len(s.plts)+len(s.iplts) != 0
	s.reserve(used)
	s.placeSlots()
	s.sizePLT()
	s.sizeRelocs()
	s.sizeRelr()
	if e.PIC() {
		s.sizeTables()
	}
	s.sizeEhHdr()
	s.settle()
	s.warn()
}

// sizeTables sizes what the dynamic linker reads.
func (s *Set) sizeTables() {
	if s.interp != nil {
		s.interp.Size = uint64(len(s.interpreter()))
	}
	s.sizeVersions()
	s.sizeDynamic()
	s.dynsyms.close() // beyond this point no string is added
	s.dynsym.Size = uint64(len(s.dynsyms.syms)) * s.dynsym.Entsize
	s.dynstr.Size = uint64(len(s.dynsyms.bytes))
	if s.hash != nil {
		s.hash.Size = s.sysvSize()
	}
	if s.gnuhash != nil {
		s.gnuhash.Size = s.gnuSize()
	}
}

// settle drops empty sections. .relr.dyn gets its size with the addresses.
func (s *Set) settle() {
	for _, sec := range s.Object.Sections {
		if sec != nil && (sec != s.relr || len(s.packed.sites) == 0) {
			drop(sec)
		}
	}
}

// Resize adapts what depends on addresses to those just assigned, and says
// whether a size changed.
func (s *Set) Resize() (changed bool) {
	s.placeTLSBase()
	s.env.GOT = addr(s.base())
	edited := s.editExidx()
	if !edited { // else addresses are assigned anew, and that undoes it
		s.sortLinked()
	}
	return s.resizeRelr() || edited
}

// Finish is told the segments.
func (s *Set) Finish(segs []*model.Segment) {
	s.env.GOT = addr(s.base())
	s.sortLinked()
	s.placeHeaders(segs)
}

// referred says whether a live place refers to a symbol; that an object names it,
// as assemblers do with _GLOBAL_OFFSET_TABLE_, is not enough.
func (s *Set) referred(name string) bool {
	sym := s.env.Table.Get(name)
	if sym == nil || sym.Obj != s.Object && sym.State == model.Defined {
		return false
	}
	_, _, ok := s.user(sym, nil)
	return ok
}
