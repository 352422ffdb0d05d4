package deps

import (
	"fmt"
	"io"
	"strings"

	"elfwright/dyn/load"
	"elfwright/internal/term"
)

// Tree prints the tree of needs. An object stands, with what it needs, where it
// was first asked for; the other requests for it are a line in grey. What is
// missing stands with every place where it was looked for.
func (s *Subject) Tree(w io.Writer, style term.Style) {
	p := s.Process
	t := &tree{w: w, style: style, process: p}
	root := p.Program()
	t.line("", style.Bold(root.Asked), t.about(root))
	t.children(root, "")
	if n := &p.Interp; n.To == nil && n.Name != "" {
		t.missing(n, "", "    ")
	}
	for _, note := range p.Notes {
		fmt.Fprintln(w, style.Dim("note: "+note))
	}
}

type tree struct {
	w       io.Writer
	style   term.Style
	process *load.Process
}

func (t *tree) line(indent, name, rest string) {
	fmt.Fprintf(t.w, "%s%s%s\n", indent, name, rest)
}

// about is what stands behind an object's name.
func (t *tree) about(o *load.Object) string {
	if o.Found.Rule == load.RuleProgram {
		return ""
	}
	return " => " + o.Path + t.style.Dim(" ["+Why(o.Found)+"]")
}

func (t *tree) children(o *load.Object, indent string) {
	var first []*load.Need
	var again []string
	for i := range o.Needs {
		n := &o.Needs[i]
		if n.To != nil && !t.firstOf(o, n) {
			again = append(again, n.Name)
			continue
		}
		first = append(first, n)
	}
	for i, n := range first {
		mark, more := "├── ", "│   "
		if i == len(first)-1 && len(again) == 0 {
			mark, more = "└── ", "    "
		}
		t.need(n, indent+mark, indent+more)
	}
	if len(again) > 0 {
		t.line(indent+"└── ", t.style.Dim("also "+strings.Join(again, ", ")), "")
	}
}

// firstOf says whether a request is the one that the object was loaded for.
func (t *tree) firstOf(o *load.Object, n *load.Need) bool {
	for i := range o.Needs {
		if o.Needs[i].To == n.To {
			return &o.Needs[i] == n && (n.To.Loader == o || n.To.Loader == nil && o.Index == 0 && n.To != o)
		}
	}
	return false
}

func (t *tree) need(n *load.Need, line, indent string) {
	if n.To == nil {
		t.missing(n, line, indent)
		return
	}
	t.line(line, n.Name+kind(n.Kind), t.about(n.To))
	t.children(n.To, indent)
}

// kind names a request that is not DT_NEEDED.
func kind(k load.NeedKind) string {
	switch k {
	case load.Filter:
		return " (filter)"
	case load.Auxiliary:
		return " (auxiliary)"
	case load.Preload:
		return " (preload)"
	case load.Audit:
		return " (audit)"
	}
	return ""
}

// missing prints a request that nothing answers, and every place, in order.
func (t *tree) missing(n *load.Need, line, indent string) {
	state := t.style.Red("not found")
	switch {
	case n.Kind == load.Auxiliary:
		state = "not found, and not needed"
	case n.Err != nil:
		state = t.style.Red(n.Err.Error())
	}
	t.line(line, n.Name+kind(n.Kind), ": "+state)
	for _, x := range n.Tried {
		t.line(indent, "    "+x.Path, ": "+x.Why+t.style.Dim(" ["+Why(x)+"]"))
	}
}
