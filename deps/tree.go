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
	t := &tree{w: w, style: style, s: s}
	root := s.program()
	if s.Static() {
		fmt.Fprintf(w, "%s: statically linked: nothing is loaded for it\n", style.Bold(root.Asked))
		return
	}
	fmt.Fprintln(w, style.Bold(root.Asked)+t.about(root))
	t.below(root)
	if n := &p.Interp; n.To == nil && n.Name != "" && root.Interp != "" {
		t.missing(n, "", "")
	}
	s.notes(w, style)
}

// notes prints what was taken for granted, and what could not be read.
func (s *Subject) notes(w io.Writer, style term.Style) {
	for _, note := range s.Process.Notes {
		fmt.Fprintln(w, style.Dim("note: "+note))
	}
}

type tree struct {
	w     io.Writer
	style term.Style
	s     *Subject
}

// about is what stands behind an object's name.
func (t *tree) about(o *load.Object) string {
	if o.Found.Rule == load.RuleProgram {
		return ""
	}
	return " => " + o.Path + t.style.Dim(" ["+Why(o.Found)+"]")
}

// branch is an object whose needs are being printed.
type branch struct {
	o      *load.Object
	first  []*load.Need // what is printed with all that it needs
	again  []string
	at     int
	indent string
}

// below prints what is below an object. It keeps its own stack: chains can be
// thousands of objects long.
func (t *tree) below(o *load.Object) {
	stack := []*branch{t.branch(o, "")}
	for len(stack) > 0 {
		b := stack[len(stack)-1]
		if b.at == len(b.first) {
			if len(b.again) > 0 {
				fmt.Fprintln(t.w, b.indent+"└── "+t.style.Dim("also "+strings.Join(b.again, ", ")))
			}
			stack = stack[:len(stack)-1]
			continue
		}
		n := b.first[b.at]
		b.at++
		mark, more := "├── ", "│   "
		if b.at == len(b.first) && len(b.again) == 0 {
			mark, more = "└── ", "    "
		}
		if n.To == nil {
			t.missing(n, b.indent+mark, b.indent+more)
			continue
		}
		fmt.Fprintln(t.w, b.indent+mark+n.Name+kind(n.Kind)+t.about(n.To))
		stack = append(stack, t.branch(n.To, deeper(b.indent, more)))
	}
}

// deepest bounds the indentation: a chain of thousands of objects goes on below
// itself.
const deepest = 400

func deeper(indent, more string) string {
	if len(indent) > deepest {
		return indent
	}
	return indent + more
}

func (t *tree) branch(o *load.Object, indent string) *branch {
	b := &branch{o: o, indent: indent}
	for i := range o.Needs {
		n := &o.Needs[i]
		if n.To != nil && !t.firstOf(o, n) {
			b.again = append(b.again, n.Name)
			continue
		}
		b.first = append(b.first, n)
	}
	return b
}

// firstOf says whether a request is the one that the object was loaded for.
func (t *tree) firstOf(o *load.Object, n *load.Need) bool {
	to := n.To
	if to == o || to == t.s.program() {
		return false
	}
	loader := to.Loader
	if loader == nil { // preloaded, or the dynamic linker, which the kernel maps
		loader = t.firstAsking(to)
	}
	if loader != o {
		return false
	}
	for i := range o.Needs {
		if o.Needs[i].To == to {
			return &o.Needs[i] == n
		}
	}
	return false
}

// firstAsking is the first object, in load order, that needs another.
func (t *tree) firstAsking(to *load.Object) *load.Object {
	for _, o := range t.s.Process.Objects {
		for i := range o.Needs {
			if o.Needs[i].To == to {
				return o
			}
		}
	}
	return nil
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
	case load.Interpreter:
		return " (interpreter)"
	}
	return ""
}

// missing prints a request that nothing answers, and every place, in order.
func (t *tree) missing(n *load.Need, line, indent string) {
	state := t.style.Red(failure(n))
	if optional(n.Kind) {
		state = "not found, and not needed"
	}
	fmt.Fprintf(t.w, "%s%s: %s\n", line, n.Name+kind(n.Kind), state)
	tried(t.w, n, indent+"    ", t.style)
}
