package page

import (
	"fmt"

	"elfwright/image"
	"elfwright/picture"
	"elfwright/plan"
)

// Step is one thing that a loader does.
type Step struct {
	Title  string
	Rule   string        // by which it does it: a kernel function, a chapter
	Header int           // program header that caused it, or -1
	Ranges []image.Range // addresses that it maps, clears or names
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
