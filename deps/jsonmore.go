package deps

import (
	"elfwright/dyn/bind"
	"elfwright/dyn/load"
)

// The answers of questions that were asked for by name.

type unusedJSON struct {
	Object string   `json:"object"`
	Name   string   `json:"name"`
	Path   string   `json:"path"`
	Rule   string   `json:"rule"`
	For    []string `json:"for"`
}

type floorsJSON struct {
	Program []floorJSON `json:"program"`
	Closure []floorJSON `json:"closure"`
	Private []string    `json:"private"`
}

type floorJSON struct {
	Family  string      `json:"family"`
	Version string      `json:"version"`
	Asked   []askedJSON `json:"asked"`
}

type askedJSON struct {
	Object  string   `json:"object"`
	File    string   `json:"file"`
	Version string   `json:"version"`
	Weak    bool     `json:"weak"`
	Symbols []string `json:"symbols"`
}

type whyJSON struct {
	Name   string     `json:"name"`
	Found  bool       `json:"found"`
	Chains [][]string `json:"chains"`
	More   bool       `json:"more"`
}

type providesJSON struct {
	Name        string           `json:"name"`
	Definitions []definitionJSON `json:"definitions"`
	Unresolved  []askerJSON      `json:"unresolved"`
}

type definitionJSON struct {
	Object  string      `json:"object"`
	Version string      `json:"version"`
	Default bool        `json:"default"`
	Bind    string      `json:"bind"`
	Type    string      `json:"type"`
	Bound   []askerJSON `json:"bound"`
}

type askerJSON struct {
	From    string `json:"from"`
	Version string `json:"version"`
	Class   string `json:"class"`
	Rule    string `json:"rule"`
	Lazy    bool   `json:"lazy,omitempty"`
}

var unusedNames = [...]string{InVain: "in-vain", Others: "others", Brings: "brings", Interposed: "interposed"}

func (s *Subject) unusedJSON() []unusedJSON {
	list := []unusedJSON{}
	for _, u := range s.Unused() {
		list = append(list, unusedJSON{u.By.Path, u.Need.Name, u.Need.To.Path, unusedNames[u.Rule], empty(u.For)})
	}
	return list
}

func (s *Subject) floorsJSON() *floorsJSON {
	f := s.Floors()
	j := &floorsJSON{Program: floorList(f.Program), Closure: floorList(f.Closure), Private: []string{}}
	for _, o := range f.Private {
		j.Private = append(j.Private, o.Path)
	}
	return j
}

func floorList(list []Floor) []floorJSON {
	out := []floorJSON{}
	for _, f := range list {
		j := floorJSON{Family: f.Family, Version: f.Version}
		for _, a := range f.Asked {
			j.Asked = append(j.Asked, askedJSON{a.By.Path, a.File, a.Version, a.Weak, empty(a.Symbols)})
		}
		out = append(out, j)
	}
	return out
}

func (s *Subject) whyJSON(name string, every bool) *whyJSON {
	list, more, found := s.Chains(name, every)
	j := &whyJSON{Name: name, Found: found, Chains: [][]string{}, More: more}
	for _, chain := range list {
		names := []string{s.program().Path}
		for _, n := range chain {
			if n.To == nil {
				names = append(names, n.Name)
				continue
			}
			names = append(names, n.To.Path)
		}
		j.Chains = append(j.Chains, names)
	}
	return j
}

func (s *Subject) providesJSON(name string) *providesJSON {
	p := s.Provides(name)
	j := &providesJSON{Name: name, Definitions: []definitionJSON{}, Unresolved: s.askersJSON(p.Unresolved)}
	for i := range p.Definitions {
		d := &p.Definitions[i]
		o := s.Process.Objects[d.Object]
		sym := o.Symbols.At(int(d.Symbol))
		j.Definitions = append(j.Definitions, definitionJSON{
			Object: o.Path, Version: d.Version, Default: !d.Hidden, Bind: lower(sym.Bind().String()), Type: lower(sym.Type().String()),
			Bound: s.askersJSON(d.Bound),
		})
	}
	return j
}

func (s *Subject) askersJSON(list []bind.Binding) []askerJSON {
	out := []askerJSON{}
	for _, b := range list {
		version, _ := s.Bound.Version(b)
		out = append(out, askerJSON{s.Process.Objects[b.From].Path, version, classNames[b.Class], ruleNames[b.Rule], b.Lazy})
	}
	return out
}

// ruleJSON are the rules of the search as JSON has them.
var ruleJSON = [...]string{
	load.RuleNone: "", load.RuleProgram: "program", load.RulePath: "path", load.RuleLoaded: "loaded", load.RuleInterp: "interpreter",
	load.RuleRpath: "rpath", load.RuleLibraryPath: "library-path", load.RuleRunpath: "runpath", load.RuleCache: "cache",
	load.RuleDefault: "default", load.RuleMuslPath: "musl-path", load.RuleConf: "conf",
}

func ruleName(r load.Rule) string {
	if int(r) < len(ruleJSON) {
		return ruleJSON[r]
	}
	return ""
}
