package layout

import "sort"

// dialectRules are the rules of ld.lld that can be had one by one, or be taken
// back (model.Options.Flip), by the names of docs/ldscript-support.md; means is
// what lld does.
var dialectRules = []struct {
	name, means string
	flip        func(*Script)
}{
	{"relative-number", "a number in an output section is absolute", func(s *Script) {
		s.rules.NumberInSection, s.rules.AlignInSection = !s.rules.NumberInSection, !s.rules.AlignInSection
	}},
	{"dot-offset", "in an output section . is assigned an address", func(s *Script) { s.rules.AbsoluteDot = !s.rules.AbsoluteDot }},
	{"lma-inherit", "AT> holds for no other section", func(s *Script) { s.lldRules.ownLMA = !s.lldRules.ownLMA }},
	{"lma-align", "AT> is aligned for what is in the section", func(s *Script) { s.lldRules.alignLMA = !s.lldRules.alignLMA }},
	{"symbols-only-section", "a section of nothing but assignments is kept", func(s *Script) { s.lldRules.keepsSymbols = !s.lldRules.keepsSymbols }},
	{"fill-width", "a fill has four bytes", func(s *Script) { s.lldRules.wideFill = !s.lldRules.wideFill }},
	{"data-segment", "DATA_SEGMENT_ALIGN is the next page", func(s *Script) { s.rules.PlainDataSegment = !s.rules.PlainDataSegment }},
	{"arm-page-size", "the largest page is that of lld", func(s *Script) { s.lldRules.pages = !s.lldRules.pages }},
	{"phdr-before-first", "sections before the first :NAME are in the first PT_LOAD", func(s *Script) { s.lldRules.firstLoad = !s.lldRules.firstLoad }},
	{"empty-load", "a PT_LOAD without sections is dropped", func(s *Script) { s.lldRules.dropEmptyLoad = !s.lldRules.dropEmptyLoad }},
	{"phdr-one-lma", "in a PT_LOAD the file follows addresses, not load addresses", func(s *Script) { s.lldRules.fileByAddress = !s.lldRules.fileByAddress }},
	{"load-by-flags", "a new PT_LOAD wherever flags or region change", func(s *Script) { s.lldRules.byFlags = !s.lldRules.byFlags }},
	{"orphan-place", "orphans are placed by rank", func(s *Script) { s.lldRules.byRank = !s.lldRules.byRank }},
}

// DialectRules are the names of all rules of dialects.
func DialectRules() []string {
	var names []string
	for _, r := range dialectRules {
		names = append(names, r.name)
	}
	sort.Strings(names)
	return names
}

// RuleMeans says what lld does by a rule.
func RuleMeans(name string) string {
	for _, r := range dialectRules {
		if r.name == name {
			return r.means
		}
	}
	return ""
}

// flip takes rules of the other dialect.
func (s *Script) flip(names []string) {
	for _, n := range names {
		for _, r := range dialectRules {
			if r.name == n {
				r.flip(s)
			}
		}
	}
}
