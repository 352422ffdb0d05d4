package link

import (
	"errors"
	"io"

	"elfwright/ldscript"
	"elfwright/link/layout"
	"elfwright/link/lines"
	"elfwright/link/model"
	"elfwright/link/write"
)

// texts are what the options ask for besides the output.
func (l *linkage) texts() []Text {
	var list []Text
	add := func(file string, write func(w io.Writer) error) { list = append(list, Text{file, write}) }
	crefLater := l.opt.Cref
	for _, file := range l.mapFiles() {
		crefLater = false
		add(file, func(w io.Writer) error { return write.Map(w, l.env, l.mapInfo()) })
	}
	if crefLater {
		add("-", func(w io.Writer) error { return write.Cref(w, l.env) })
	}
	if l.opt.PrintMemory {
		add("-", func(w io.Writer) error { return write.MemoryUsage(w, l.regions()) })
	}
	if l.opt.DependencyFile != "" {
		add(l.opt.DependencyFile, func(w io.Writer) error { return write.Dependencies(w, l.out, l.files.Names) })
	}
	return list
}

// mapFiles are where the map goes.
func (l *linkage) mapFiles() []string {
	var files []string
	if l.opt.Map != "" {
		files = append(files, l.opt.Map)
	} else if m := l.script.Commands().Map; m != "" {
		files = append(files, m)
	}
	if l.opt.PrintMap && (len(files) == 0 || files[0] != "-") {
		files = append(files, "-")
	}
	return files
}

func (l *linkage) mapInfo() *write.MapInfo {
	info := &write.MapInfo{Output: l.out, Regions: l.regions(), Files: l.files.Names, Segs: l.segs, Cref: l.opt.Cref}
	for _, p := range l.inputs.Pulled {
		m := write.Member{File: p.Object.File, Symbol: l.env.Report.Name(p.Symbol), By: "an option or a script"}
		if p.By != nil {
			m.By = p.By.File
		}
		info.Members = append(info.Members, m)
	}
	info.Pattern = func(s *model.Section) string { return placeText(s.Place) }
	return info
}

// placeText says which pattern took a section, and where it is written.
func placeText(p *model.Place) string {
	if p == nil || p.Spec == nil {
		return ""
	}
	return layout.SpecText(p.Spec, p.Pattern) + " at " + p.Spec.Pos.String()
}

func (l *linkage) regions() []write.Region {
	var list []write.Region
	for _, r := range l.script.Regions() {
		list = append(list, write.Region(r))
	}
	return list
}

// crossRefs reports references that NOCROSSREFS forbids (ld manual, "Miscellaneous
// Commands").
func (l *linkage) crossRefs() error {
	for _, rule := range l.script.Commands().NoCrossRefs {
		in := map[string]int{}
		for i, name := range rule.Sections {
			in[name] = i + 1
		}
		for _, o := range l.env.Objects {
			for _, s := range o.Sections {
				if s != nil && s.Live && s.Out != nil && in[s.Out.Name] != 0 {
					l.crossRefsOf(s, rule, in)
				}
			}
		}
	}
	return nil
}

func (l *linkage) crossRefsOf(s *model.Section, rule layout.NoCrossRefs, in map[string]int) {
	from := in[s.Out.Name]
	for i := range s.Relocs {
		sym := s.Symbol(&s.Relocs[i])
		if sym == nil || sym.Sec == nil || sym.Sec.Out == nil || sym.Sec.Out == s.Out {
			continue
		}
		to := in[sym.Sec.Out.Name]
		if to == 0 || rule.To && (to != 1 || from == 1) {
			continue
		}
		l.env.Report.ErrorAt(s, s.Relocs[i].Off, &CrossRefError{s.Out.Name, sym, rule.Pos, l.env.Report.Label(sym)})
	}
}

// CrossRefError tells of a reference that NOCROSSREFS forbids.
type CrossRefError struct {
	From   string // output section
	Symbol *model.Symbol
	Rule   ldscript.Pos
	Label  string // how messages call the symbol
}

func (e *CrossRefError) Error() string {
	return "prohibited cross reference from " + e.From + " to " + e.Label + " in " + e.Symbol.Sec.Out.Name + "; NOCROSSREFS at " + e.Rule.String()
}

// maxLined is for how many errors the source is looked at.
const maxLined = 20

// explained adds to errors what only people need: the line of the source that a
// place comes from, the names that were perhaps meant.
func (l *linkage) explained(errs []error) []error {
	if l.env.Target == nil {
		return errs
	}
	find := lines.New(l.env.Target.Machine())
	for i, err := range errs {
		if i == maxLined {
			break
		}
		var place *model.PlaceError
		var undef *model.UndefinedError
		switch {
		case errors.As(err, &undef):
			undef.Near = l.env.Report.Name(l.env.Table.Near(undef.Symbol.Name))
			if p := undef.Places[0]; p.Section != nil {
				errs[i] = lined(err, find.Line(p.Section, p.Off))
			}
		case errors.As(err, &place):
			errs[i] = lined(err, find.Line(place.Section, place.Off))
		}
	}
	return errs
}

// LineError is an error with the line of the source that it is about.
type LineError struct {
	Line string
	Err  error
}

func (e *LineError) Error() string { return e.Line + ": " + e.Err.Error() }
func (e *LineError) Unwrap() error { return e.Err }

func lined(err error, line string) error {
	if line == "" {
		return err
	}
	return &LineError{line, err}
}
