package deps

import (
	"fmt"
	"io"
	"strings"

	"elfwright/dyn/load"
	"elfwright/internal/term"
)

// List prints the loaded objects in load order, the way of ldd: a line each, "name
// => path", what is missing where it would have been. There is no vDSO in it, and
// there are no addresses.
func (s *Subject) List(w io.Writer) {
	if s.Static() {
		fmt.Fprintln(w, "\tstatically linked")
		return
	}
	for _, x := range s.listed() {
		switch o := x.object; {
		case o == nil:
			fmt.Fprintf(w, "\t%s => not found\n", x.missing)
		case o == s.program():
		case o == s.Process.Ld || o.Asked == o.Path:
			fmt.Fprintf(w, "\t%s\n", o.Path)
		default:
			fmt.Fprintf(w, "\t%s => %s\n", o.Asked, o.Path)
		}
	}
}

// Flat prints the loaded objects in load order, which is that of the search for
// symbols: each with the rule that found it and with those that need it.
func (s *Subject) Flat(w io.Writer, style term.Style) {
	if s.Static() {
		fmt.Fprintf(w, "%s: statically linked: nothing is loaded for it\n", style.Bold(s.program().Asked))
		return
	}
	by := s.neededBy()
	for i, o := range s.Process.Objects {
		fmt.Fprintf(w, "%3d %s", i, style.Bold(s.names[i]))
		if o.Found.Rule != load.RuleProgram {
			fmt.Fprintf(w, " => %s%s", o.Path, style.Dim(" ["+Why(o.Found)+"]"))
		}
		fmt.Fprintln(w)
		if len(by[i]) > 0 {
			fmt.Fprintln(w, style.Dim("      needed by "+strings.Join(by[i], ", ")))
		}
	}
	for _, m := range s.Missing() {
		fmt.Fprintf(w, "    %s: %s\n", style.Bold(m.Need.Name)+kind(m.Need.Kind), style.Red(failure(m.Need)))
		fmt.Fprintln(w, style.Dim("      needed by "+s.Name(m.By)))
		tried(w, m.Need, "      ", style)
	}
	s.notes(w, style)
}

// neededBy names for each object those that ask for it, each once, in load order.
func (s *Subject) neededBy() [][]string {
	by := make([][]string, len(s.Process.Objects))
	last := make([]int, len(by)) // who was noted last, and 1
	for i, o := range s.Process.Objects {
		for j := range o.Needs {
			to := o.Needs[j].To
			if k := s.index(to); k >= 0 && last[k] != i+1 {
				last[k] = i + 1
				by[k] = append(by[k], s.names[i]+kind(o.Needs[j].Kind))
			}
		}
	}
	return by
}

// index is the place of an object in load order; -1 for one that is not in it.
func (s *Subject) index(o *load.Object) int {
	if o == nil || o.Index < 0 || o.Index >= len(s.Process.Objects) || s.Process.Objects[o.Index] != o {
		return -1
	}
	return o.Index
}
