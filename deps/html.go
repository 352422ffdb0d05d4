package deps

import (
	"fmt"
	"io"
	"strings"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/page"
	"elfwright/show"
)

// HTML writes the graph as a page to explore in a browser. It has the symbols if
// they were bound.
func (s *Subject) HTML(w io.Writer) error {
	_, err := page.WriteGraph(w, s.graph(), page.Options{})
	return err
}

// graph puts what is known into nodes and edges; the program is the first node.
func (s *Subject) graph() *page.Graph {
	root := s.program()
	g := &page.Graph{Title: root.Asked, Notes: s.Process.Notes}
	at := make([]int, len(s.Process.Objects)) // node of each object
	add := func(i int, o *load.Object) {
		at[i] = len(g.Nodes)
		g.Nodes = append(g.Nodes, page.Node{Name: s.names[i], Fields: s.fields(i, o)})
	}
	add(s.index(root), root)
	for i, o := range s.Process.Objects {
		if o != root {
			add(i, o)
		}
	}
	gone := map[string]int{}
	for _, m := range s.Missing() {
		if _, ok := gone[m.Need.Name]; !ok {
			gone[m.Need.Name] = len(g.Nodes)
			g.Nodes = append(g.Nodes, page.Node{Name: m.Need.Name, Missing: true, Fields: lookedFor(m.Need)})
		}
	}
	g.Edges = s.edges(at, gone)
	g.Links = s.links(at)
	return g
}

// edges are the requests of objects, by the nodes of these and of what is missing.
func (s *Subject) edges(at []int, gone map[string]int) []page.Edge {
	var list []page.Edge
	if n := &s.Process.Interp; n.To == nil {
		if k, ok := gone[n.Name]; ok {
			list = append(list, page.Edge{From: 0, To: k, Kind: kindNames[load.Interpreter]})
		}
	}
	vain := s.vain()
	for i, o := range s.Process.Objects {
		for j := range o.Needs {
			n := &o.Needs[j]
			e := page.Edge{From: at[i], Unused: vain[n]}
			if n.Kind != load.Needed {
				e.Kind = kindNames[n.Kind]
			}
			to, missing := gone[n.Name]
			switch k := s.index(n.To); {
			case k >= 0:
				e.To = at[k]
			case n.To == nil && missing:
				e.To = to
			default:
				continue
			}
			list = append(list, e)
		}
	}
	return list
}

// vain are the requests along which nothing is bound.
func (s *Subject) vain() map[*load.Need]bool {
	list := map[*load.Need]bool{}
	for _, u := range s.Unused() {
		list[u.Need] = true
	}
	return list
}

// fields are what is told of an object.
func (s *Subject) fields(i int, o *load.Object) []page.Field {
	list := []page.Field{{Name: "path", Text: o.Path}}
	if o.Soname != "" {
		list = append(list, page.Field{Name: "DT_SONAME", Text: o.Soname})
	}
	list = append(list, page.Field{Name: "found by", Text: Why(o.Found)}, page.Field{Name: "load order", Text: fmt.Sprint(i)})
	for _, x := range []struct {
		name string
		path string
		set  bool
	}{{"DT_RPATH", o.Rpath.Text, o.Rpath.Set}, {"DT_RUNPATH", o.Runpath.Text, o.Runpath.Set}} {
		if x.set {
			list = append(list, page.Field{Name: x.name, Text: x.path})
		}
	}
	return list
}

func lookedFor(n *load.Need) []page.Field {
	list := []page.Field{{Name: "missing", Text: failure(n)}}
	for _, t := range n.Tried {
		list = append(list, page.Field{Name: "tried", Text: t.Path + ": " + t.Why + " [" + Why(t) + "]"})
	}
	return list
}

// links are the bindings from one object to another, and those that lead nowhere.
func (s *Subject) links(at []int) []page.Link {
	if s.Bound == nil {
		return nil
	}
	var list []page.Link
	for _, b := range s.Bound.Bindings {
		if b.To == b.From {
			continue
		}
		l := page.Link{From: at[b.From], To: -1, Name: show.Demangle(strings.ToValidUTF8(string(s.Bound.Name(b)), "\uFFFD"))}
		l.Version, _ = s.Bound.Version(b)
		l.Note = remark(b)
		switch {
		case b.To >= 0:
			l.To = at[b.To]
		case b.Rule == bind.WeakZero:
			l.Note = "weak: 0"
		case b.Lazy:
			l.Note = "undefined, lazy"
		default:
			l.Note = "undefined"
		}
		list = append(list, l)
	}
	return list
}
