package deps

import (
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"elfwright/dyn/load"
	"elfwright/internal/term"
)

// Chain is a way from the program to an object: each link needs the next one. The
// last link may lead to an object that is missing.
type Chain []*load.Need

// maxChains bounds what is listed: the ways through a large tree are more than the
// particles of the universe.
const maxChains = 1000

// Chains lists the ways from the program to every object that is called name: by
// DT_SONAME, path, file name, or the name it is asked for by. It lists the
// shortest ones or, with every, all that visit no object twice. more says that
// there are others that are not listed; found is false where nothing is called
// so.
func (s *Subject) Chains(name string, every bool) (list []Chain, more, found bool) {
	root := s.index(s.program())
	if root < 0 {
		return nil, false, false
	}
	c := &chains{s: s, every: every, goal: func(n *load.Need) bool { return s.called(n, name) }}
	p := s.program()
	if p.Asked == name || p.Soname == name && name != "" || p.Path == name {
		found = true
	}
	c.measure()
	if every {
		c.walk(root, make([]bool, len(s.Process.Objects)))
	} else if c.best >= 0 {
		c.shortest(root)
	}
	return c.list, c.more, found || len(c.list) > 0
}

// called says whether a request is for what has that name.
func (s *Subject) called(n *load.Need, name string) bool {
	if n.Name == name || path.Base(n.Name) == name {
		return true
	}
	o := n.To
	return o != nil && (o.Soname == name || o.Path == name || path.Base(o.Path) == name || o.Asked == name)
}

// chains is a search under way.
type chains struct {
	s     *Subject
	every bool
	goal  func(*load.Need) bool

	depth []int  // from the program, by object; -1: cannot be reached
	leads []bool // to the goal, by object
	best  int    // links of the shortest chain; -1: there is none
	steps int

	now  Chain
	list []Chain
	more bool
}

// measure finds how far each object is from the program, and which of them lead to
// the goal; for the shortest chains, which are on one.
func (c *chains) measure() {
	s := c.s
	n := len(s.Process.Objects)
	c.depth, c.leads, c.best = make([]int, n), make([]bool, n), -1
	for i := range c.depth {
		c.depth[i] = -1
	}
	root := s.index(s.program())
	c.depth[root] = 0
	queue := []int{root}
	from := make([][]int, n)
	var back []int // those from which a request leads to the goal
	for at := 0; at < len(queue); at++ {
		i := queue[at]
		for j := range s.Process.Objects[i].Needs {
			need := &s.Process.Objects[i].Needs[j]
			if c.goal(need) && !c.leads[i] && (c.every || c.best < 0 || c.depth[i] == c.best-1) {
				c.leads[i] = true
				c.best = c.depth[i] + 1
				back = append(back, i)
			}
			k := s.index(need.To)
			if k < 0 {
				continue
			}
			from[k] = append(from[k], i)
			if c.depth[k] < 0 {
				c.depth[k] = c.depth[i] + 1
				queue = append(queue, k)
			}
		}
	}
	for at := 0; at < len(back); at++ {
		for _, i := range from[back[at]] {
			if !c.leads[i] && (c.every || c.depth[i]+1 == c.depth[back[at]]) {
				c.leads[i] = true
				back = append(back, i)
			}
		}
	}
}

// add takes the chain at hand. It says whether there is room for more.
func (c *chains) add() bool {
	if len(c.list) == maxChains {
		c.more = true
		return false
	}
	c.list = append(c.list, slices.Clone(c.now))
	return true
}

// shortest walks only away from the program, and no further than need be.
func (c *chains) shortest(i int) bool {
	o := c.s.Process.Objects[i]
	for j := range o.Needs {
		n := &o.Needs[j]
		c.now = append(c.now, n)
		k := c.s.index(n.To)
		ok := true
		switch {
		case c.depth[i]+1 == c.best:
			if c.goal(n) {
				ok = c.add()
			}
		case k >= 0 && c.leads[k] && c.depth[k] == c.depth[i]+1:
			ok = c.shortest(k)
		}
		c.now = c.now[:len(c.now)-1]
		if !ok {
			return false
		}
	}
	return true
}

// maxWalk bounds the steps of a search for every chain: most ways into a tangle of
// cycles come out nowhere.
const maxWalk = 1 << 22

// walk goes every way that visits no object twice.
func (c *chains) walk(i int, on []bool) bool {
	on[i] = true
	defer func() { on[i] = false }()
	o := c.s.Process.Objects[i]
	for j := range o.Needs {
		n := &o.Needs[j]
		if c.steps++; c.steps > maxWalk {
			c.more = true
			return false
		}
		c.now = append(c.now, n)
		k := c.s.index(n.To)
		ok := true
		if c.goal(n) && (k < 0 || !on[k]) {
			ok = c.add()
		} else if k >= 0 && !on[k] && c.leads[k] {
			ok = c.walk(k, on)
		}
		c.now = c.now[:len(c.now)-1]
		if !ok {
			return false
		}
	}
	return true
}

// WriteChains prints ways, a line each: what [Subject.Chains] found. Without any it
// is the program itself that was asked about, or nothing.
func (s *Subject) WriteChains(w io.Writer, list []Chain, more, found bool, style term.Style) {
	if len(list) == 0 && found {
		fmt.Fprintf(w, "%s is the program itself\n", style.Bold(s.Name(s.program())))
	}
	for _, chain := range list {
		names := []string{s.Name(s.program())}
		for _, n := range chain {
			name := n.Name
			if n.To != nil {
				name = s.Name(n.To)
			}
			names = append(names, name+kind(n.Kind))
		}
		last := len(names) - 1
		names[last] = style.Bold(names[last])
		if chain[last-1].To == nil {
			names[last] += ": " + style.Red(failure(chain[last-1]))
		}
		fmt.Fprintln(w, strings.Join(names, " → "))
	}
	if more {
		fmt.Fprintf(w, "and more; %d are shown\n", len(list))
	}
}
