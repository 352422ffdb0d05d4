package layout

// findEmpty decides which output sections are dropped: those without size that
// neither a kept input section nor an assignment of the location counter
// keeps. A dropped one still moves the counter to its address if it assigns
// symbols.
func (s *Script) findEmpty() {
	for _, o := range s.order {
		o.removed, o.ignored = false, false
		o.traits = o.baseTraits
	}
	s.seg.begin(plainMode)
	s.seg.relro = s.wantsRelro()
	s.walk()
	s.seg.relro = s.seg.relro && s.seg.hasRelro
	for _, o := range s.order {
		if s.lldRules.keepsSymbols && o.keepsSymbolsOnly() {
			continue
		}
		if o.out.Size != 0 || o.keep || s.opt.Relocatable || s.keepsDot(o) || s.emitsRelocs(o) {
			continue
		}
		o.removed = true
		o.ignored = !o.symbols
	}
	if s.lldRules.keepsSymbols {
		s.likeBefore()
	}
	s.startStop()
}

// emitsRelocs: with --emit-relocs an output section with an input section of a file stays.
func (s *Script) emitsRelocs(o *section) bool {
	return s.opt.EmitRelocs && o.hasFile
}

// keepsDot says whether an assignment of the location counter keeps an empty
// section. ". = 0", ". = . + 0" (also with a symbol that is 0) and
// ". = ALIGN(. != 0 ? … : 1)" do not.
func (s *Script) keepsDot(o *section) bool {
	for _, st := range o.body {
		if a, ok := st.(*assign); ok && a.dot() && !s.idle(a.x) {
			return true
		}
	}
	return false
}
