package page

import (
	"fmt"
	"strings"

	"elfwright/image"
	"elfwright/picture"
	"elfwright/plan"
)

// Step is one thing that a loader does.
type Step struct {
	Phase  string // a heading for it and those that follow
	Title  string
	Rule   string        // by which it does it: a kernel function, a chapter
	Header int           // program header that caused it, or -1
	Ranges []image.Range // addresses of the image that it maps, clears or names
	Warn   string        // what surprises people, or ""
}

// Steps are the mappings of a plan, and where the program starts.
func Steps(p *plan.Plan) []Step {
	var out []Step
	for i := range p.Mappings {
		m := &p.Mappings[i]
		s := Step{Header: m.Index, Rule: m.Rule, Ranges: []image.Range{m.Range}}
		if m.Off == plan.Anonymous {
			s.Title = fmt.Sprintf("map %s %v, zeros", picture.Letters(m.Prot), m.Range)
		} else {
			s.Title = fmt.Sprintf("map %s %v, file offset 0x%x", picture.Letters(m.Prot), m.Range, m.Off)
		}
		out = append(out, s)
		if !m.Zeroed.Empty() {
			out = append(out, Step{
				Title: fmt.Sprintf("clear %v, the rest of the last page", m.Zeroed),
				Rule:  "padzero", Header: m.Index, Ranges: []image.Range{m.Zeroed},
			})
		}
	}
	for i := range p.Replaced {
		r := &p.Replaced[i]
		out = append(out, Step{
			Title: fmt.Sprintf("%v of program header %d is mapped over by a later one", r.Range, r.Index),
			Rule:  "MAP_FIXED (elf_map)", Header: r.Index, Ranges: []image.Range{r.Range},
			Warn: "its bytes are not in memory",
		})
	}
	if p.Brk != 0 {
		out = append(out, Step{
			Title: fmt.Sprintf("the heap starts at %v or, with randomisation, above", p.Brk),
			Rule:  "mm->brk (load_elf_binary)", Header: -1, Ranges: []image.Range{{Start: p.Brk, Size: 1}},
		})
	}
	if p.Interp != "" {
		out = append(out, Step{Title: "the interpreter " + p.Interp + " is loaded and gets control", Rule: "load_elf_interp", Header: -1})
	}
	if p.Entry != 0 {
		out = append(out, Step{
			Title: fmt.Sprintf("entry %v", p.Entry), Rule: "e_entry", Header: -1,
			Ranges: []image.Range{{Start: p.Entry, Size: 1}},
		})
	}
	return out
}

// Explained are the steps of execve, with its mappings before what the stack
// holds, then what surprises people, and how it ends. Ranges are in the image's
// own addresses; titles tell those of the process.
func Explained(p *plan.Process) []Step {
	var out []Step
	mapped := false
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.Phase >= plan.PhaseTables && !mapped {
			out, mapped = append(out, mappings(p)...), true
		}
		step := Step{Phase: s.Phase.String(), Title: s.Text, Rule: s.Rule, Header: -1}
		if s.Origin == plan.FromProgram {
			step.Header = s.Index
		}
		if s.Change != nil {
			step.Rule += fmt.Sprintf("; since %v: %s", s.Change.Since, s.Change.What)
		}
		out = append(out, step)
	}
	if !mapped {
		out = append(out, mappings(p)...)
	}
	for i := range p.Warnings {
		w := &p.Warnings[i]
		step := Step{Phase: "what surprises people", Title: w.Text, Rule: w.Code, Header: -1, Warn: w.Origin.String()}
		if w.Origin == plan.FromProgram {
			step.Header = w.Index
		}
		out = append(out, step)
	}
	o := &p.Outcome
	return append(out, Step{Phase: "outcome", Title: strings.TrimSpace(fmt.Sprintf("%v %s%s %s", o.Fate, o.Errno, o.Signal, o.Msg)), Rule: o.Rule, Header: -1})
}

// mappings are the mappings of a process, as steps.
func mappings(p *plan.Process) []Step {
	var out []Step
	for i := range p.Mappings {
		m := &p.Mappings[i]
		what := "zeros"
		if m.Off != plan.Anonymous {
			what = fmt.Sprintf("%s's file offset 0x%x", m.Origin, m.Off)
		}
		if m.Name != "" {
			what = m.Name
		}
		s := Step{Phase: "the address space", Title: fmt.Sprintf("%s %v  %s", picture.Letters(m.Prot), m.Range, what), Rule: m.Rule, Header: -1}
		cleared := Step{Phase: s.Phase, Title: fmt.Sprintf("%v of the last page is cleared", m.Zeroed), Rule: "padzero", Header: -1}
		if m.Origin == plan.FromProgram {
			s.Header, cleared.Header = m.Index, m.Index
			s.Ranges = []image.Range{{Start: m.Start - p.Bias, Size: m.Size}}
			cleared.Ranges = []image.Range{{Start: m.Zeroed.Start - p.Bias, Size: m.Zeroed.Size}}
			if p.Bias != 0 {
				s.Rule += fmt.Sprintf("; in the file's addresses %v", s.Ranges[0])
			}
		}
		out = append(out, s)
		if !m.Zeroed.Empty() {
			out = append(out, cleared)
		}
	}
	return out
}
