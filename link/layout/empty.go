package layout

import "elfwright/link/model"

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

// emitsRelocs: with --emit-relocs an output section with an input section stays,
// if that is not one of the linker's own that nothing needs.
func (s *Script) emitsRelocs(o *section) bool {
	if !s.opt.EmitRelocs || !o.hasInput {
		return false
	}
	for _, st := range o.body {
		var list []*model.Section
		switch st := st.(type) {
		case *spec:
			list = st.sections
		case *placed:
			list = st.sections
		}
		for _, sec := range list {
			if sec.Live && !sec.Obj.Linker {
				return true
			}
		}
	}
	return false
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
