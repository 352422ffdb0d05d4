package deps

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/dyn/object"
	"elfwright/elffile"
	"elfwright/internal/elftest"
	"elfwright/internal/term"
)

var noStyle = term.Style{}

// made is a process of n objects that are alike, of which each needs those that
// edges say, by number. Numbers beyond n are libraries that are missing.
func made(t testing.TB, n int, edges [][2]int) *Subject {
	t.Helper()
	name := func(i int) string { return fmt.Sprintf("lib%d.so", i) }
	f, err := elffile.Parse("made.so", elftest.Shared(elftest.Kinds()[0]).Bytes())
	if err != nil {
		t.Fatal(err)
	}
	base, err := object.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	p := &load.Process{}
	for i := range n {
		o := *base
		o.Soname, o.Interp = name(i), "/lib/ld.so"
		p.Objects = append(p.Objects, &load.Object{Object: &o, Index: i, Path: "/" + name(i), Asked: name(i)})
	}
	p.Objects[0].Found.Rule = load.RuleProgram
	for _, e := range edges {
		need := load.Need{Name: name(e[1]), Kind: load.Needed}
		if e[1] < n {
			to := p.Objects[e[1]]
			need.To = to
			if to.Loader == nil && e[1] != 0 {
				to.Loader = p.Objects[e[0]]
			}
		} else {
			need.Tried = []load.Try{{Path: "/lib/" + name(e[1]), Rule: load.RuleDefault, Why: "no such file"}}
		}
		p.Objects[e[0]].Needs = append(p.Objects[e[0]].Needs, need)
	}
	return New(p, false, bind.Options{})
}

// ways are all chains of a graph to a goal that visit nothing twice, found in the
// simplest way.
func ways(n int, edges [][2]int, goal int) []string {
	var list []string
	var walk func(at int, path []int)
	walk = func(at int, path []int) {
		for _, e := range edges {
			switch {
			case e[0] != at || slices.Contains(path, e[1]):
			case e[1] == goal:
				list = append(list, fmt.Sprint(append(slices.Clone(path), goal)))
			case e[1] < n:
				walk(e[1], append(slices.Clone(path), e[1]))
			}
		}
	}
	walk(0, []int{0})
	slices.Sort(list)
	return list
}

func chainTexts(list []Chain) []string {
	var out []string
	for _, c := range list {
		text := "[0"
		for _, n := range c {
			text += " " + strings.TrimSuffix(strings.TrimPrefix(n.Name, "lib"), ".so")
		}
		out = append(out, text+"]")
	}
	slices.Sort(out)
	return out
}

// TestChains holds the ways through random graphs, with circles and missing
// libraries, against those of a plain search.
func TestChains(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		n := 2 + rng.IntN(6)
		var edges [][2]int
		for i := range n {
			for j := range n + 1 {
				if rng.IntN(3) == 0 {
					edges = append(edges, [2]int{i, j})
				}
			}
		}
		s := made(t, n, edges)
		goal := 1 + rng.IntN(n)
		want := ways(n, edges, goal)
		name := fmt.Sprintf("lib%d.so", goal)
		list, more, found := s.Chains(name, true)
		if got := chainTexts(list); !slices.Equal(got, want) || more || found != (len(want) > 0) {
			t.Fatalf("round %d: every way through %v to %d: %v (%v, %v), want %v", round, edges, goal, got, more, found, want)
		}
		least := 1000
		for _, w := range want {
			least = min(least, strings.Count(w, " "))
		}
		want = slices.DeleteFunc(want, func(w string) bool { return strings.Count(w, " ") > least })
		list, _, _ = s.Chains(name, false)
		if got := chainTexts(list); !slices.Equal(got, want) {
			t.Fatalf("round %d: the shortest ways through %v to %d: %v, want %v", round, edges, goal, got, want)
		}
	}
}

// TestManyWays: more ways than can be counted are cut, and an end is come to.
func TestManyWays(t *testing.T) {
	var edges [][2]int
	const n = 80
	for i := range n {
		for j := range n {
			edges = append(edges, [2]int{i, j})
		}
	}
	edges = append(edges, [2]int{n - 1, n})
	s := made(t, n, edges)
	list, more, _ := s.Chains(fmt.Sprintf("lib%d.so", n), true)
	if len(list) == 0 || !more {
		t.Errorf("%d ways, more: %v", len(list), more)
	}
	if list, more, _ := s.Chains(fmt.Sprintf("lib%d.so", n), false); len(list) != 1 || more {
		t.Errorf("%d shortest ways, more: %v", len(list), more)
	}
}

// everything has all reports written.
func everything(t testing.TB, s *Subject) string {
	t.Helper()
	var b bytes.Buffer
	s.Tree(&b, term.Style{})
	s.Flat(&b, term.Style{})
	s.List(&b)
	s.Faults(&b, term.Style{})
	if err := s.Symbols(&b, strings.ToUpper); err != nil {
		t.Error(err)
	}
	s.WriteUnused(&b, s.Unused(), term.Style{On: true})
	s.WriteFloors(&b, s.Floors(), term.Style{})
	s.WriteProvided(&b, s.Provides("puts"), term.Style{})
	list, more, found := s.Chains("libelftest.so.1", true)
	s.WriteChains(&b, list, more, found, term.Style{})
	s.Dot(&b)
	if err := s.HTML(&b); err != nil {
		t.Error(err)
	}
	var doc bytes.Buffer
	if err := s.JSON(&doc, Ask{Symbols: true, Unused: true, Floors: true, Why: "libelftest.so.1", Every: true, Provides: "answer@ELFTEST_1"}); err != nil {
		t.Error(err)
	}
	if !json.Valid(doc.Bytes()) {
		t.Errorf("no JSON: %s", doc.String())
	}
	return b.String() + doc.String()
}

// TestLongChain: needs of thousands of objects are a deep tree.
func TestLongChain(t *testing.T) {
	const n = 20000
	edges := make([][2]int, 0, n)
	for i := range n - 1 {
		edges = append(edges, [2]int{i, i + 1})
	}
	edges = append(edges, [2]int{n - 1, 0})
	s := made(t, n, edges)
	var b bytes.Buffer
	s.Tree(&b, term.Style{})
	if got := strings.Count(b.String(), "\n"); got != n+1 {
		t.Errorf("%d lines of a chain of %d objects", got, n)
	}
	if b.Len() > n*(2*deepest) {
		t.Errorf("the tree has %d bytes", b.Len())
	}
	if list, _, _ := s.Chains(fmt.Sprintf("lib%d.so", n-1), false); len(list) != 1 || len(list[0]) != n-1 {
		t.Errorf("%d ways", len(list))
	}
}

// TestDotString: no name can end its quotes.
func TestDotString(t *testing.T) {
	for _, s := range []string{`a"b`, `a\`, "a\nb", "\xff", `\"`, ""} {
		q := dotString(s)
		in := strings.NewReplacer(`\\`, "", `\"`, "").Replace(q[1 : len(q)-1])
		if strings.ContainsAny(in, "\"\\\n") || !utf8.ValidString(q) {
			t.Errorf("%q is quoted as %s", s, q)
		}
	}
}

func TestVersions(t *testing.T) {
	list := []string{"", "2", "2.2", "2.2.5", "2.3", "2.10", "2.34", "3.4", "10"}
	for i, a := range list {
		for j, b := range list {
			if got, want := compareVersions(a, b), i-j; (got < 0) != (want < 0) || (got > 0) != (want > 0) {
				t.Errorf("%q and %q: %d", a, b, got)
			}
		}
	}
	for _, s := range []string{"", "2.", "PRIVATE", "2.x", "-1", "99999999999"} {
		if isNumber(s) {
			t.Errorf("%q is taken for a number", s)
		}
	}
}

// FuzzReports asks everything about a process of two objects of any bytes.
func FuzzReports(f *testing.F) {
	for _, k := range elftest.Kinds() {
		lib := elftest.Shared(k).Bytes()
		f.Add(lib, lib)
	}
	f.Fuzz(func(t *testing.T, prog, lib []byte) {
		p := &load.Process{}
		for i, b := range [][]byte{prog, lib} {
			file, err := elffile.Parse(fmt.Sprintf("lib%d.so", i), b)
			if err != nil {
				t.Skip(err)
			}
			o, damage := object.Read(file)
			if o == nil {
				t.Skip(damage)
			}
			p.Objects = append(p.Objects, &load.Object{Object: o, Index: i, Path: file.Name, Asked: file.Name, Damage: damage})
		}
		p.Objects[0].Found.Rule = load.RuleProgram
		for _, name := range p.Objects[0].Needed {
			p.Objects[0].Needs = append(p.Objects[0].Needs, load.Need{Name: name, To: p.Objects[1]})
		}
		for _, name := range p.Objects[1].Needed {
			p.Objects[1].Needs = append(p.Objects[1].Needs, load.Need{Name: name})
		}
		one, two := New(p, true, bind.Options{Workers: 1}), New(p, true, bind.Options{Workers: 2})
		one.Damages()
		if everything(t, one) != everything(t, two) {
			t.Error("one worker and two differ")
		}
	})
}
