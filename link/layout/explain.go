package layout

import (
	"fmt"

	"elfwright/ldscript"
	"elfwright/link/model"
)

type modelSegment = model.Segment

// Explanation is why an input section is where it is.
type Explanation struct {
	Section *model.Section
	Output  string // or empty: it is not in the output
	Pattern string // as written, or empty
	At      ldscript.Pos
	Script  string
	Rule    string // in words, where no pattern took it
	Dropped string

	Addr, LMA         uint64
	WhyAddr, WhyLMA   string
	Region, LMARegion string
	Segments          []string
	// Later are patterns that fit, too, and came too late.
	Later []PatternRef
}

// PatternRef is a pattern of a script.
type PatternRef struct {
	Output  string
	Pattern string
	At      ldscript.Pos
	Script  string
}

// Explain tells about one input section. It is for after Finish.
func (s *Script) Explain(sec *model.Section) Explanation {
	x := Explanation{Section: sec}
	if pl := sec.Place; pl != nil {
		x.Script = pl.Script
		if pl.Spec != nil {
			x.At, x.Pattern = pl.Spec.Pos, SpecText(pl.Spec, pl.Pattern)
		}
	}
	if sec.Out == nil {
		x.Dropped = reasonText[sec.Dropped]
		return x
	}
	out := sec.Out
	x.Output = out.Name
	x.Addr = out.Addr + sec.Off
	x.LMA = out.LMA + sec.Off
	x.WhyAddr, x.WhyLMA = out.Why.Addr, out.Why.LMA
	x.Region, x.LMARegion = out.Region, out.LMARegion
	if x.Pattern == "" {
		x.Rule = out.Why.Orphan
	}
	for i, g := range s.segments {
		for _, o := range g.sections {
			if o.out == out {
				x.Segments = append(x.Segments, segmentLabel(g, i))
				break
			}
		}
	}
	x.Later = s.later(sec)
	return x
}

var reasonText = map[model.Reason]string{
	model.NotDropped: "not placed",
	model.Duplicate:  "a COMDAT group of the same signature came first",
	model.Collected:  "nothing refers to it (--gc-sections)",
	model.Discarded:  "discarded by the script",
	model.Stripped:   "stripped",
	model.Excluded:   "of a kind that is not in the output",
	model.Empty:      "nothing needed it",
}

func segmentLabel(g *segment, i int) string {
	name := fmt.Sprintf("%d", i)
	if g.name != "" {
		name += " " + g.name
	}
	return name
}

// later finds the other patterns that fit a section.
func (s *Script) later(sec *model.Section) []PatternRef {
	if s.all == nil {
		s.all = newMatcher(s, s.specs)
	}
	n := -1
	for i, o := range s.env.Objects {
		if o == sec.Obj {
			n = i
		}
	}
	if n < 0 {
		return nil
	}
	var refs []PatternRef
	first := true
	for _, id := range s.all.cache.Match(sec.Name) {
		p := s.all.owner[id]
		if p.sp.in.off || !s.all.takes(p, sec, n, len(s.env.Objects)) {
			continue
		}
		if !first {
			refs = append(refs, p.ref())
		}
		first = false
	}
	return refs
}

func (p patternAt) ref() PatternRef {
	return PatternRef{p.sp.in.name, SpecText(p.sp.InputSpec, p.pat), p.pos(), p.sp.script}
}

func (p patternAt) pos() ldscript.Pos {
	if p.pat >= 0 {
		return p.sp.Patterns[p.pat].Pos
	}
	return p.sp.Pos
}

// SpecText writes a pattern as the script has it, the file and one name.
func SpecText(sp *ldscript.InputSpec, i int) string {
	file := sp.File.Member
	switch {
	case sp.File.Archive != "":
		file = sp.File.Archive + ":" + file
	case sp.File.Colon:
		file = ":" + file
	case file == "":
		file = "*"
	}
	if i < 0 {
		return file
	}
	return file + "(" + sp.Patterns[i].Name + ")"
}

// Unused are the patterns that took no section, in the order of the script.
func (s *Script) Unused() []PatternRef {
	var refs []PatternRef
	for _, sp := range s.specs {
		if sp.in.off {
			continue
		}
		if len(sp.Patterns) == 0 && sp.hits[0] == 0 {
			refs = append(refs, patternAt{sp: sp, pat: -1}.ref())
		}
		for i := range sp.Patterns {
			if sp.hits[i] == 0 {
				refs = append(refs, patternAt{sp: sp, pat: i}.ref())
			}
		}
	}
	return refs
}

// whyAddr says where the address of an output section comes from.
func (s *Script) whyAddr(o *section) string {
	switch {
	case o.byOption:
		return o.option
	case o.addr != nil && o.stmt != nil:
		return "script: its address, at " + o.stmt.Pos.String()
	case o.addr != nil:
		return "0: it is not loaded"
	case o.placedIn != nil && o.placedIn.decl != nil:
		return "the next free address of region " + o.placedIn.name
	case o.after != nil:
		return "script: . " + string(o.after.Op) + " … at " + o.after.Pos.String()
	}
	return "behind the section before"
}

// explainSegments notes for each output section which segments have it.
func (s *Script) explainSegments(f *filer) {
	for _, o := range s.order {
		o.out.Why.Phdrs = ""
	}
	for i, g := range s.segments {
		for _, o := range g.sections {
			if o.out.Why.Phdrs != "" {
				o.out.Why.Phdrs += ", "
			}
			o.out.Why.Phdrs += segmentLabel(g, i)
			if g.why != "" {
				o.out.Why.Phdrs += " (" + g.why + ")"
			}
		}
	}
}
