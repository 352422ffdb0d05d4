package link

import (
	"fmt"
	"slices"

	"elfwright/link/layout"
	"elfwright/link/model"
)

// crossRefs reports what NOCROSSREFS and NOCROSSREFS_TO forbid: relocations from
// one output section to a symbol in another (ld manual, "Miscellaneous Commands").
func (l *linkage) crossRefs() {
	rules := l.script.Commands().NoCrossRefs
	if len(rules) == 0 || l.opt.Relocatable {
		return
	}
	for _, o := range l.env.Objects {
		for _, s := range o.Sections {
			if s == nil || !s.Live || s.Out == nil || len(s.Relocs) == 0 {
				continue
			}
			for i := range rules {
				if slices.Contains(rules[i].Sections, s.Out.Name) {
					l.crossRefsOf(&rules[i], s)
				}
			}
		}
	}
}

func (l *linkage) crossRefsOf(rule *layout.NoCrossRefs, s *model.Section) {
	for i := range s.Relocs {
		r := &s.Relocs[i]
		if int64(r.Sym) >= int64(len(s.Obj.Symbols)) {
			continue // reported when relocations are scanned
		}
		sym := s.Obj.Symbols[r.Sym]
		if sym == nil || sym.Sec == nil || sym.Sec.Out == nil || !sym.Sec.Live {
			continue
		}
		if from, to := s.Out.Name, sym.Sec.Out.Name; forbids(rule, from, to) {
			name := sym.Name
			if name == "" {
				name = sym.Sec.Name
			}
			l.env.Report.ErrorAt(s, r.Off, fmt.Errorf("prohibited cross reference from %s to %s in %s; %v forbids it", from, name, to, rule.Pos))
		}
	}
}

// forbids: among all of the list, or only to the first of it.
func forbids(rule *layout.NoCrossRefs, from, to string) bool {
	return from != to && slices.Contains(rule.Sections, to) && (!rule.To || to == rule.Sections[0])
}
