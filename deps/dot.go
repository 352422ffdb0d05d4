package deps

import (
	"fmt"
	"io"
	"strings"

	"elfwright/dyn/load"
)

// Dot writes the graph of needs in the language of Graphviz. What is missing is a
// node in red.
func (s *Subject) Dot(w io.Writer) {
	fmt.Fprintf(w, "digraph %s {\n\trankdir=LR;\n\tnode [shape=box];\n", dotString(s.program().Asked))
	for i, o := range s.Process.Objects {
		style := ""
		if o == s.program() {
			style = ", style=bold"
		}
		fmt.Fprintf(w, "\tn%d [label=%s, tooltip=%s%s];\n", i, dotString(s.names[i]), dotString(o.Path+" ["+Why(o.Found)+"]"), style)
	}
	gone := map[string]int{}
	for _, m := range s.Missing() {
		if _, ok := gone[m.Need.Name]; !ok {
			gone[m.Need.Name] = len(gone)
			fmt.Fprintf(w, "\tm%d [label=%s, color=red, fontcolor=red, style=dashed];\n", gone[m.Need.Name], dotString(m.Need.Name))
		}
	}
	for i, o := range s.Process.Objects {
		for j := range o.Needs {
			s.dotEdge(w, i, &o.Needs[j], gone)
		}
	}
	if n := &s.Process.Interp; n.To == nil && n.Name != "" {
		if k, ok := gone[n.Name]; ok {
			fmt.Fprintf(w, "\tn%d -> m%d [style=dotted, color=red, label=\"interpreter\"];\n", s.program().Index, k)
		}
	}
	fmt.Fprintln(w, "}")
}

func (s *Subject) dotEdge(w io.Writer, from int, n *load.Need, gone map[string]int) {
	var attr []string
	if n.Kind != load.Needed {
		attr = append(attr, "label="+dotString(kindNames[n.Kind]), "style=dashed")
	}
	to := ""
	if k := s.index(n.To); k >= 0 {
		to = fmt.Sprintf("n%d", k)
	} else if k, ok := gone[n.Name]; ok && n.To == nil {
		to, attr = fmt.Sprintf("m%d", k), append(attr, "color=red")
	} else {
		return
	}
	text := ""
	if len(attr) > 0 {
		text = " [" + strings.Join(attr, ", ") + "]"
	}
	fmt.Fprintf(w, "\tn%d -> %s%s;\n", from, to, text)
}

// dotString quotes a text. Names come from files, so nothing in them may end the
// quotes or begin an escape.
func dotString(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		if r < ' ' {
			return '\uFFFD'
		}
		return r
	}, s)
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
