package ldcase

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Run runs the cases as subtests, in parallel: GNU ld must do what the case
// says, and a linker under test, if there is one, the same. Differences that
// the case names must be there. With all it runs them for every machine of theirs,
// else for the first.
func Run(t *testing.T, cases []*Case, under Linker, all bool) {
	lab := &Lab{Dir: t.TempDir()}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			for i, name := range c.Machines {
				if !all && i > 0 {
					break
				}
				c.run(t, lab, MachineByName(name), under)
			}
		})
	}
}

func (c *Case) run(t *testing.T, lab *Lab, m *Machine, under Linker) {
	report := func(what string, faults []string) {
		if len(faults) > 0 {
			t.Errorf("%s:%d: %s, %s:\n  %s", c.File, c.Line, m.Name, what, strings.Join(faults, "\n  "))
		}
	}
	b, err := lab.Bench(c, m)
	if err != nil {
		t.Fatal(err)
	}
	gnu, err := b.Link(m.GNU())
	if err != nil {
		t.Fatalf("%s:%d: %s, GNU ld: %v", c.File, c.Line, m.Name, err)
	}
	report("GNU ld", c.Check(gnu))
	if testing.Verbose() {
		t.Logf("%s: ld %s\n%s", m.Name, strings.Join(gnu.Args, " "), gnu.text())
	}
	if under == nil || t.Failed() {
		return
	}
	ours, err := b.Link(under)
	if err != nil {
		t.Errorf("%s:%d: %s: %v", c.File, c.Line, m.Name, err)
		return
	}
	report(strings.Join(ours.Args, " "), c.unknown(c.Compare(gnu, ours)))
}

// text is the result for a reader.
func (r *Result) text() string {
	text := r.Said
	if r.Err != nil {
		return text + r.Err.Error() + "\n"
	}
	return text + strings.Join(r.Summary.Lines(), "\n")
}

// unknown takes the known differences out. One that is not there any more is a
// fault too: the list must be true.
func (c *Case) unknown(diff []string) []string {
	for _, known := range c.Differs {
		n := len(diff)
		diff = slices.DeleteFunc(diff, func(d string) bool { return strings.Contains(d, known) })
		if len(diff) == n {
			diff = append(diff, fmt.Sprintf("the known difference %q is gone: strike it from the case", known))
		}
	}
	return diff
}

// RunDialect runs the cases that have a dialect rule against lld: it must mean
// otherwise than GNU ld in one of the case's facts at least, and the linker
// under test with --dialect=lld must agree with it in all of them.
func RunDialect(t *testing.T, cases []*Case, lld, under Linker) {
	lab := &Lab{Dir: t.TempDir()}
	for _, c := range cases {
		if c.Dialect == "" {
			continue
		}
		t.Run(c.Dialect+"/"+c.Name, func(t *testing.T) {
			t.Parallel()
			for _, name := range c.Machines {
				c.runDialect(t, lab, MachineByName(name), lld, under)
			}
		})
	}
}

func (c *Case) runDialect(t *testing.T, lab *Lab, m *Machine, lld, under Linker) {
	b, err := lab.Bench(c, m)
	if err != nil {
		t.Fatal(err)
	}
	answers := func(l Linker, more ...string) string {
		r, err := b.Link(l, more...)
		if err != nil {
			t.Fatal(err)
		}
		if r.Err != nil {
			return "error"
		}
		var list []string
		for _, q := range c.Facts {
			list = append(list, q+"="+r.Summary.Fact(q))
		}
		return strings.Join(list, " ")
	}
	gnu, other := answers(m.GNU()), answers(lld)
	if gnu == other {
		t.Errorf("%s:%d: %s: GNU ld and lld agree: %s", c.File, c.Line, m.Name, gnu)
	}
	t.Logf("%s: GNU ld: %s", m.Name, gnu)
	t.Logf("%s: lld:    %s", m.Name, other)
	if under == nil || other == "error" { // what lld refuses needs no rule
		return
	}
	if ours := answers(under, "--dialect=lld"); ours != other {
		t.Errorf("%s:%d: %s: lld: %s\n  --dialect=lld: %s", c.File, c.Line, m.Name, other, ours)
	}
}
