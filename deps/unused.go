package deps

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"elfwright/dyn/load"
	"elfwright/internal/term"
)

// Unused is a DT_NEEDED of an object from whose library nothing of that object is
// bound.
type Unused struct {
	By   *load.Object
	Need *load.Need
	Rule UnusedRule
	// For is what the library is there for all the same: the objects that only
	// it brings and others are bound to (Brings), the first of the names whose
	// definitions in it lost (Interposed), those who are bound to it (Others).
	For []string
}

// UnusedRule says what would happen without it.
type UnusedRule int

const (
	// InVain: nothing that is loaded would be missed.
	InVain UnusedRule = iota
	// Others are bound to it, and it would be loaded all the same for those who
	// need it.
	Others
	// Brings: without it, objects to which something is bound would not be
	// loaded, itself perhaps among them.
	Brings
	// Interposed: it defines names that the object asks for, but definitions of
	// others come first in this process.
	Interposed
)

// Unused lists the DT_NEEDED entries without use, by object in load order. The
// look-ups tell, not an order of relocation or what was called: a reference that is
// bound lazily counts, and so does a variable that was copied into the program.
// What a library does in its constructors is not known.
func (s *Subject) Unused() []Unused {
	if s.Bound == nil {
		return nil
	}
	var list []Unused
	uses := s.uses()
	for i, o := range s.Process.Objects {
		if o == s.Process.Ld {
			continue
		}
		for j := range o.Needs {
			n := &o.Needs[j]
			to := s.index(n.To)
			if n.Kind != load.Needed || to < 0 || to == i || uses[i].has(to) {
				continue
			}
			u := Unused{By: o, Need: n}
			u.judge(s, uses, i, to)
			list = append(list, u)
		}
	}
	return list
}

// judge finds the rule.
func (u *Unused) judge(s *Subject, uses []set, by, to int) {
	if lost := s.lostNames(by, to); len(lost) > 0 {
		u.Rule, u.For = Interposed, lost
		return
	}
	left := s.reachable(u.Need)
	for k := range left {
		if !left[k] && slices.ContainsFunc(s.Process.Objects, func(o *load.Object) bool {
			return left[o.Index] && uses[o.Index].has(k)
		}) {
			u.For = append(u.For, s.names[k])
		}
	}
	if len(u.For) > 0 {
		u.Rule = Brings
		return
	}
	for k := range uses {
		if left[k] && uses[k].has(to) {
			u.For = append(u.For, s.names[k])
		}
	}
	if len(u.For) > 0 {
		u.Rule = Others
	}
}

// reachable says which objects would be loaded without one request.
func (s *Subject) reachable(without *load.Need) []bool {
	in := make([]bool, len(s.Process.Objects))
	queue := []int{s.index(s.program())}
	if queue[0] < 0 {
		return in
	}
	in[queue[0]] = true
	for len(queue) > 0 {
		o := s.Process.Objects[queue[0]]
		queue = queue[1:]
		for j := range o.Needs {
			n := &o.Needs[j]
			if k := s.index(n.To); n != without && k >= 0 && !in[k] {
				in[k] = true
				queue = append(queue, k)
			}
		}
	}
	if k := s.index(s.Process.Ld); k >= 0 { // it is there in any case
		in[k] = true
	}
	return in
}

// someNames is how many examples are enough.
const someNames = 3

// lostNames are names that an object asks for and a library defines, but which are
// bound elsewhere.
func (s *Subject) lostNames(by, to int) []string {
	var list []string
	t := s.Process.Objects[to]
	for _, b := range s.Bound.Of(s.Process.Objects[by]) {
		if b.To < 0 || b.To == b.From {
			continue
		}
		name := string(s.Bound.Name(b))
		if defines(t, name) {
			if list = append(list, name); len(list) == someNames {
				break
			}
		}
	}
	return list
}

// defines says whether an object defines a name.
func defines(o *load.Object, name string) bool {
	switch {
	case o.Gnu != nil:
		_, ok := o.Gnu.Lookup(name)
		return ok
	case o.Sysv != nil:
		_, ok := o.Sysv.Lookup(name)
		return ok
	}
	return false
}

// WriteUnused prints what is needed in vain, by object.
func (s *Subject) WriteUnused(w io.Writer, list []Unused, style term.Style) {
	var by *load.Object
	for i := range list {
		u := &list[i]
		if u.By != by {
			by = u.By
			fmt.Fprintln(w, style.Bold(s.Name(by))+":")
		}
		fmt.Fprintf(w, "    %s: %s\n", u.Need.Name, u.text(style))
	}
}

func (u *Unused) text(style term.Style) string {
	names := few(u.For)
	switch u.Rule {
	case Others:
		return style.Yellow("nothing is bound to it") + ", and those who are, " + names + ", would have it all the same"
	case Brings:
		return "nothing is bound to it, but without it " + names + " would not be loaded, to which others are bound"
	case Interposed:
		return "nothing is bound to it, for what it defines of " + names + " is taken from elsewhere first"
	}
	return style.Yellow("nothing is bound to it")
}

// few names some of a list.
func few(list []string) string {
	if len(list) <= someNames {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:someNames], ", "), len(list)-someNames)
}

// inVain says whether the entry could go.
func (u *Unused) inVain() bool { return u.Rule == InVain || u.Rule == Others }

// UnusedBy says whether the program itself needs something in vain.
func (s *Subject) UnusedBy(list []Unused) bool {
	return slices.ContainsFunc(list, func(u Unused) bool { return u.By == s.program() && u.inVain() })
}
