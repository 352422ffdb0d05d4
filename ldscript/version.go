package ldscript

import (
	"fmt"
	"strings"
)

// A VersionSet finds the version of a symbol. It is not changed by finding, and
// may be asked from many goroutines.
type VersionSet struct {
	Nodes    []*VersionNode
	demangle func(string) string
	exact    map[langName]int32 // the first rule that names the symbol
	rules    []versionRule
	globs    map[string]*PatternSet // by language
	globRule map[string][]int32     // the rule of each pattern
	mangled  bool                   // some pattern is for names of C++ or Java
}

type langName struct{ lang, name string }

// A versionRule is a pattern of a node, in the order in which they are tried.
type versionRule struct {
	node  int32
	local bool
	star  bool
}

// A VersionMatch is what a version script says of a symbol: a node, and whether
// the symbol is local.
type VersionMatch struct {
	Node  int
	Local bool
}

// NewVersionSet takes the nodes of one or more version scripts. demangle returns
// the name that C++ or Java has for a symbol, or the symbol; it may be nil. The
// error is of type Errors.
func NewVersionSet(scripts []*Version, demangle func(string) string) (*VersionSet, error) {
	s := &VersionSet{
		demangle: demangle, exact: make(map[langName]int32),
		globs: make(map[string]*PatternSet), globRule: make(map[string][]int32),
	}
	for _, v := range scripts {
		s.Nodes = append(s.Nodes, v.Nodes...)
	}
	errs := checkNodes(s.Nodes)
	for i, n := range s.Nodes {
		for _, p := range n.Global {
			s.add(p, versionRule{node: int32(i)})
		}
		for _, p := range n.Local {
			s.add(p, versionRule{node: int32(i), local: true})
		}
	}
	if len(errs) > 0 {
		return s, errs
	}
	return s, nil
}

// A versionSide is a pattern, and whether it is for local symbols.
type versionSide struct {
	lang, name   string
	exact, local bool
}

// checkNodes finds nodes that contradict one another.
func checkNodes(nodes []*VersionNode) Errors {
	var errs Errors
	fault := func(at Pos, format string, a ...any) {
		errs = append(errs, &Error{Pos: at, Context: "version script", Msg: fmt.Sprintf(format, a...)})
	}
	known := make(map[string]*VersionNode)
	for _, n := range nodes {
		if n.Name == "" && len(nodes) > 1 {
			fault(n.Pos, "a node without a name must be the only one")
			break
		}
		if first := known[n.Name]; first != nil {
			fault(n.Pos, "%s is declared twice, before at %v", n.Name, first.Pos)
		}
		for _, d := range n.Deps {
			if known[d] == nil {
				fault(n.Pos, "%s depends on %q, which is not declared before it", n.Name, d)
			}
		}
		known[n.Name] = n
	}
	return append(errs, checkSides(nodes)...)
}

// checkSides finds patterns that are global in one node and local in another.
// Within one node GNU ld takes that.
func checkSides(nodes []*VersionNode) Errors {
	var errs Errors
	sides := make(map[versionSide]*VersionNode)
	look := func(n *VersionNode, p VersionPattern, local bool) {
		if o := sides[versionSide{p.Lang, p.Name, p.Exact, !local}]; o != nil && o != n {
			errs = append(errs, &Error{Pos: p.Pos, Context: "version script", Msg: fmt.Sprintf("%v is global in one of %s and %s, and local in the other", p, o.Name, n.Name)})
		}
		sides[versionSide{p.Lang, p.Name, p.Exact, local}] = n
	}
	for _, n := range nodes {
		for _, p := range n.Global {
			look(n, p, false)
		}
		for _, p := range n.Local {
			look(n, p, true)
		}
	}
	return errs
}

func (s *VersionSet) add(p VersionPattern, r versionRule) {
	if p.Lang != "C" {
		s.mangled = true
	}
	r.star = !p.Exact && p.Name == "*"
	rule := int32(len(s.rules))
	s.rules = append(s.rules, r)
	if p.Exact {
		key := langName{p.Lang, p.Name}
		if _, ok := s.exact[key]; !ok {
			s.exact[key] = rule
		}
		return
	}
	if s.globs[p.Lang] == nil {
		s.globs[p.Lang] = new(PatternSet)
	}
	s.globs[p.Lang].Add(p.Name)
	s.globRule[p.Lang] = append(s.globRule[p.Lang], rule)
}

// Match finds what the scripts say of a symbol. A name that is written out goes
// before every pattern, in the first node that has it; then come the patterns
// for global symbols, those for local ones, and each "*" alone, where among
// equals the last node counts (bfd_find_version_for_sym).
func (s *VersionSet) Match(symbol string) (VersionMatch, bool) {
	plain := symbol
	if s.mangled && s.demangle != nil {
		plain = s.demangle(symbol)
	}
	names := [...]langName{{"C", symbol}, {"C++", plain}, {"Java", plain}}
	first := int32(-1)
	for _, n := range names {
		if r, ok := s.exact[n]; ok && (first < 0 || r < first) {
			first = r
		}
	}
	if first >= 0 {
		return s.found(first), true
	}
	best, rank := int32(-1), 0
	var hits [32]int32
	for _, n := range names {
		set := s.globs[n.lang]
		if set == nil {
			continue
		}
		for _, h := range set.Match(hits[:0], n.name) {
			rule := s.globRule[n.lang][h]
			if k := s.rules[rule].rank(); k > rank || k == rank && rule > best {
				best, rank = rule, k
			}
		}
	}
	if best < 0 {
		return VersionMatch{}, false
	}
	return s.found(best), true
}

func (s *VersionSet) found(rule int32) VersionMatch {
	return VersionMatch{int(s.rules[rule].node), s.rules[rule].local}
}

// rank says which kind of pattern goes first: the higher.
func (r versionRule) rank() int {
	switch {
	case !r.star && !r.local:
		return 4
	case !r.star:
		return 3
	case !r.local:
		return 2
	}
	return 1
}

// MatchList finds the first pattern of a list, as of ParseDynamicList, that
// matches the symbol; demangle may be nil.
func MatchList(list []VersionPattern, symbol string, demangle func(string) string) (int, bool) {
	plain := ""
	for i, p := range list {
		name := symbol
		if p.Lang != "C" && demangle != nil {
			if plain == "" {
				plain = demangle(symbol)
			}
			name = plain
		}
		if p.Exact && p.Name == name || !p.Exact && MatchGlob(p.Name, name) {
			return i, true
		}
	}
	return 0, false
}

// String is the pattern as a version script has it.
func (p VersionPattern) String() string {
	if p.Exact && (strings.ContainsAny(p.Name, `?*[\`) || quoteIn(modeNode, p.Name) != p.Name) {
		return `"` + p.Name + `"`
	}
	return p.Name
}
