package link

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"elfwright/ldscript"
	"elfwright/link/layout"
	"elfwright/link/model"
)

// Select says of what an explanation is wanted; the zero value is an overview.
type Select struct {
	Sections []string // of the input: "FILE:SECTION" or "SECTION", both patterns
	Outputs  []string // output sections: patterns
	Unused   bool     // patterns that took nothing
	All      bool     // every section of the input
}

// Empty says whether an overview is wanted.
func (s *Select) Empty() bool { return len(s.Sections)+len(s.Outputs) == 0 && !s.Unused && !s.All }

// section says whether a section of the input is wanted.
func (s *Select) section(sec *model.Section) bool {
	if s.All {
		return true
	}
	for _, want := range s.Sections {
		file, name := "*", want
		if i := strings.LastIndexByte(want, ':'); i >= 0 {
			file, name = want[:i], want[i+1:]
		}
		o := sec.Obj
		if ldscript.MatchGlob(name, sec.Name) && (ldscript.MatchGlob(file, o.File) || ldscript.MatchGlob(file, filepath.Base(o.File)) ||
			o.Member != "" && ldscript.MatchGlob(file, o.Member)) {
			return true
		}
	}
	return false
}

func (s *Select) output(o *model.Output) bool {
	for _, want := range s.Outputs {
		if ldscript.MatchGlob(want, o.Name) {
			return true
		}
	}
	return s.Empty()
}

// Find returns what is selected.
func (x *Explained) Find(sel *Select) (secs []layout.Explanation, outs []*model.Output) {
	for _, e := range x.Sections {
		if sel.section(e.Section) {
			secs = append(secs, e)
		}
	}
	for _, o := range x.Outputs {
		if sel.output(o) {
			outs = append(outs, o)
		}
	}
	return secs, outs
}

// WriteText prints for people.
func (x *Explained) WriteText(w io.Writer, sel *Select) error {
	b := bufio.NewWriter(w)
	secs, outs := x.Find(sel)
	for i := range secs {
		x.writeSection(b, &secs[i])
	}
	for _, o := range outs {
		x.writeOutput(b, o, !sel.Empty())
	}
	if sel.Empty() {
		x.writeOrphans(b)
	}
	if (sel.Empty() || sel.Unused) && len(x.Unused) > 0 {
		fmt.Fprintln(b, "patterns that took no section:")
		for _, p := range x.Unused {
			fmt.Fprintf(b, "  %s for %s, at %v\n", p.Pattern, p.Output, p.At)
		}
	}
	x.writeRules(b, sel)
	for _, p := range x.Problems {
		fmt.Fprintf(b, "wrong: %v\n", p)
	}
	return b.Flush()
}

func (x *Explained) writeSection(w io.Writer, e *layout.Explanation) {
	s := e.Section
	fmt.Fprintf(w, "%s:%s, %#x bytes\n", s.Obj.File, s.Name, s.Size)
	line := func(what, format string, args ...any) {
		fmt.Fprintf(w, "  %-9s"+format+"\n", append([]any{what}, args...)...)
	}
	if e.Output == "" {
		line("output", "none: %s", e.Dropped)
		if e.Pattern != "" {
			line("pattern", "%s at %v", e.Pattern, e.At)
		}
		return
	}
	line("output", "%s, at %#x; its address: %s", e.Output, e.Addr, e.WhyAddr)
	switch {
	case e.Pattern != "":
		line("pattern", "%s at %v", e.Pattern, e.At)
	case e.Rule != "":
		line("pattern", "none: %s", e.Rule)
	}
	for _, p := range e.Later {
		line("", "%s at %v, for %s, fits too and came later", p.Pattern, p.At, p.Output)
	}
	if e.WhyLMA != "" {
		line("loaded", "at %#x: %s", e.LMA, e.WhyLMA)
	}
	if r := regions(e.Region, e.LMARegion); r != "" {
		line("region", "%s", r)
	}
	if len(e.Segments) > 0 {
		line("segments", "%s", strings.Join(e.Segments, ", "))
	}
}

func regions(vma, lma string) string {
	if lma != "" && lma != vma {
		return fmt.Sprintf("%s, loaded in %s", vma, lma)
	}
	return vma
}

func (x *Explained) writeOutput(w io.Writer, o *model.Output, whole bool) {
	fmt.Fprintf(w, "%s at %#x, %#x bytes: %s\n", o.Name, o.Addr, o.Size, o.Why.Addr)
	if o.LMA != o.Addr || whole && o.Why.LMA != "" {
		fmt.Fprintf(w, "  loaded at %#x: %s\n", o.LMA, o.Why.LMA)
	}
	if r := regions(o.Region, o.LMARegion); r != "" {
		fmt.Fprintf(w, "  region %s\n", r)
	}
	if o.Why.Phdrs != "" {
		fmt.Fprintf(w, "  segments %s\n", o.Why.Phdrs)
	}
	if o.Why.Orphan != "" {
		fmt.Fprintf(w, "  %s\n", o.Why.Orphan)
	}
	if !whole {
		return
	}
	for i := range o.Items {
		if s := o.Items[i].Section; s != nil {
			fmt.Fprintf(w, "  %#x %s:%s\n", o.Addr+o.Items[i].Off, s.Obj.File, s.Name)
		}
	}
}

// writeOrphans lists what no pattern took.
func (x *Explained) writeOrphans(w io.Writer) {
	first := true
	for i := range x.Sections {
		e := &x.Sections[i]
		if e.Output == "" || e.Rule == "" || e.Section.Obj.Linker {
			continue
		}
		if first {
			fmt.Fprintln(w, "sections that no pattern took:")
			first = false
		}
		fmt.Fprintf(w, "  %s:%s into %s: %s\n", e.Section.Obj.File, e.Section.Name, e.Output, e.Rule)
	}
}

// maxChanges is how many consequences of a rule an overview has.
const maxChanges = 3

func (x *Explained) writeRules(w io.Writer, sel *Select) {
	for _, r := range x.Rules {
		list := r.Changes
		if !sel.Empty() {
			list = x.concerned(list, sel)
		}
		if len(list) == 0 {
			continue
		}
		fmt.Fprintf(w, "with lld's rule %s (%s):\n", r.Rule, r.Means)
		for i, c := range list {
			if i == maxChanges && !sel.All {
				fmt.Fprintf(w, "  and %d more\n", len(list)-i)
				break
			}
			fmt.Fprintf(w, "  %s\n", c)
		}
	}
}

// concerned are the changes of the output sections that are selected, or have
// what is.
func (x *Explained) concerned(changes []string, sel *Select) (list []string) {
	if sel.All {
		return changes
	}
	names := map[string]bool{}
	secs, outs := x.Find(sel)
	for _, e := range secs {
		names[e.Output] = true
	}
	for _, o := range outs {
		names[o.Name] = true
	}
	for _, c := range changes {
		what, _, _ := strings.Cut(c, ":")
		for _, prefix := range []string{"section ", "fill of ", "file offset of "} {
			if n, ok := strings.CutPrefix(what, prefix); ok && names[n] {
				list = append(list, c)
			}
		}
	}
	return list
}

// WriteJSON prints one document (docs/ldscript-json.md).
func (x *Explained) WriteJSON(w io.Writer, sel *Select) error {
	all := *sel
	if sel.Empty() {
		all.All = true
	}
	secs, outs := x.Find(&all)
	if sel.Empty() {
		outs = x.Outputs
	}
	doc := explainDoc{Version: 1, Script: x.Script, Outputs: []outputDoc{}, Sections: []sectionDoc{}, Unused: []patternDoc{}, Rules: []ruleDoc{}, Problems: []string{}}
	for _, o := range outs {
		doc.Outputs = append(doc.Outputs, outputDoc{o.Name, hex(o.Addr), hex(o.LMA), o.Size, o.Region, o.LMARegion, o.Why.Addr, o.Why.LMA, o.Why.Phdrs, o.Why.Orphan})
	}
	for i := range secs {
		doc.Sections = append(doc.Sections, sectionOf(&secs[i]))
	}
	for _, p := range x.Unused {
		doc.Unused = append(doc.Unused, patternOf(p))
	}
	for _, r := range x.Rules {
		doc.Rules = append(doc.Rules, ruleDoc(r))
	}
	for _, p := range x.Problems {
		doc.Problems = append(doc.Problems, p.Error())
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(doc)
}

func sectionOf(e *layout.Explanation) sectionDoc {
	s := e.Section
	d := sectionDoc{File: s.Obj.File, Name: s.Name, Size: s.Size, Output: e.Output, Address: hex(e.Addr), LMA: hex(e.LMA), WhyAddress: e.WhyAddr, WhyLMA: e.WhyLMA,
		Region: e.Region, LMARegion: e.LMARegion, Segments: append([]string{}, e.Segments...), Orphan: e.Rule, Dropped: e.Dropped, Later: []patternDoc{}}
	if e.Pattern != "" {
		p := patternOf(layout.PatternRef{Output: e.Output, Pattern: e.Pattern, At: e.At})
		d.Pattern = &p
	}
	for _, p := range e.Later {
		d.Later = append(d.Later, patternOf(p))
	}
	return d
}

// hex is an address in the document: it may need more bits than a number there has.
func hex(x uint64) string { return fmt.Sprintf("%#x", x) }

func patternOf(p layout.PatternRef) patternDoc {
	d := patternDoc{Pattern: p.Pattern, Output: p.Output, Line: p.At.Line, Column: p.At.Col}
	if p.At.File != nil {
		d.File = p.At.File.Name
	}
	return d
}

type explainDoc struct {
	Version  int          `json:"version"`
	Script   string       `json:"script"`
	Outputs  []outputDoc  `json:"outputs"`
	Sections []sectionDoc `json:"sections"`
	Unused   []patternDoc `json:"unused"`
	Rules    []ruleDoc    `json:"rules"`
	Problems []string     `json:"problems"`
}

type outputDoc struct {
	Name       string `json:"name"`
	Address    string `json:"address"`
	LMA        string `json:"lma"`
	Size       uint64 `json:"size"`
	Region     string `json:"region"`
	LMARegion  string `json:"lma_region"`
	WhyAddress string `json:"why_address"`
	WhyLMA     string `json:"why_lma"`
	Segments   string `json:"segments"`
	Orphan     string `json:"orphan"`
}

type sectionDoc struct {
	File       string       `json:"file"`
	Name       string       `json:"name"`
	Size       uint64       `json:"size"`
	Output     string       `json:"output"`
	Pattern    *patternDoc  `json:"pattern"`
	Later      []patternDoc `json:"later"`
	Address    string       `json:"address"`
	WhyAddress string       `json:"why_address"`
	LMA        string       `json:"lma"`
	WhyLMA     string       `json:"why_lma"`
	Region     string       `json:"region"`
	LMARegion  string       `json:"lma_region"`
	Segments   []string     `json:"segments"`
	Orphan     string       `json:"orphan"`
	Dropped    string       `json:"dropped"`
}

type patternDoc struct {
	Pattern string `json:"pattern"`
	Output  string `json:"output"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
}

type ruleDoc struct {
	Rule    string   `json:"rule"`
	Means   string   `json:"means"`
	Changes []string `json:"changes"`
}
