package deps

import (
	"encoding/json"
	"io"
	"strings"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
)

// Ask is what a document of JSON answers besides the objects and the missing ones.
type Ask struct {
	Symbols  bool // every binding, and what is interposed
	Unused   bool
	Floors   bool
	Why      string // "" for none
	Every    bool   // every chain, not only the shortest ones
	Provides string // "" for none
}

// The form of the documents, see docs/deps-json.md. Fields are added without a new
// version; none changes its meaning.
type documentJSON struct {
	Version     int            `json:"version"`
	Kind        string         `json:"kind"`
	File        string         `json:"file"`
	Machine     string         `json:"machine"`
	Class       int            `json:"class"`
	Libc        string         `json:"libc"`
	LibcVersion string         `json:"libc_version,omitempty"`
	Interpreter string         `json:"interpreter"`
	Static      bool           `json:"static"`
	Resolved    bool           `json:"resolved"`
	HWCaps      []string       `json:"hwcaps"`
	Objects     []objectJSON   `json:"objects"`
	Missing     []missingJSON  `json:"missing"`
	Audits      [][]objectJSON `json:"audits,omitempty"`
	Notes       []string       `json:"notes"`
	*symbolsJSON
	Bindings   []bindingJSON    `json:"bindings,omitempty"`
	Interposed []interposedJSON `json:"interposed,omitempty"`
	Unused     *[]unusedJSON    `json:"unused,omitempty"`
	Floors     *floorsJSON      `json:"floors,omitempty"`
	Why        *whyJSON         `json:"why,omitempty"`
	Provides   *providesJSON    `json:"provides,omitempty"`
}

type objectJSON struct {
	Path     string     `json:"path"`
	Soname   string     `json:"soname"`
	NeededBy []string   `json:"needed_by"`
	Rule     string     `json:"rule"`
	Of       string     `json:"of,omitempty"`
	Dir      string     `json:"directory,omitempty"`
	HWCaps   string     `json:"hwcaps,omitempty"`
	Needs    []needJSON `json:"needs"`
}

type needJSON struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	Path string `json:"path,omitempty"` // of the object; missing: none
	Rule string `json:"rule,omitempty"`
}

type missingJSON struct {
	Name     string    `json:"name"`
	NeededBy string    `json:"needed_by"`
	Kind     string    `json:"kind"`
	Error    string    `json:"error,omitempty"`
	Tried    []tryJSON `json:"tried"`
}

type tryJSON struct {
	Path string `json:"path"`
	Rule string `json:"rule"`
	Of   string `json:"of,omitempty"`
	Dir  string `json:"directory,omitempty"`
	Why  string `json:"why"`
}

// symbolsJSON is what is known only where symbols were bound.
type symbolsJSON struct {
	Undefined []undefinedJSON `json:"undefined"`
	Faults    []faultJSON     `json:"missing_versions"`
	Direct    []directJSON    `json:"direct,omitempty"`
}

type undefinedJSON struct {
	Symbol  string `json:"symbol"`
	Version string `json:"version"`
	Object  string `json:"object"`
	Weak    bool   `json:"weak"`
	Lazy    bool   `json:"lazy"`
	File    string `json:"file,omitempty"`
}

type faultJSON struct {
	Version string `json:"version"`
	File    string `json:"file"`
	Of      string `json:"of,omitempty"`
	Object  string `json:"object"`
}

type directJSON struct {
	Symbol string `json:"symbol"`
	Object string `json:"object"`
	Of     string `json:"of"`
	Copy   bool   `json:"copy"`
	Lazy   bool   `json:"lazy"`
	Fatal  bool   `json:"fatal"`
}

type bindingJSON struct {
	From    string `json:"from"`
	To      string `json:"to"`
	Symbol  string `json:"symbol"`
	Version string `json:"version"`
	Class   string `json:"class"`
	Rule    string `json:"rule"`
	Lazy    bool   `json:"lazy,omitempty"`
}

type interposedJSON struct {
	Object string `json:"object"`
	Symbol string `json:"symbol"`
	By     string `json:"by"`
}

// JSON writes one document, a line.
func (s *Subject) JSON(w io.Writer, ask Ask) error {
	return json.NewEncoder(w).Encode(s.document(ask))
}

func (s *Subject) document(ask Ask) *documentJSON {
	p := s.Process
	program := s.program()
	d := &documentJSON{
		Version: 1, Kind: "deps", File: program.Asked, Machine: machineName(program), Class: 32, Libc: libcName(p.Libc),
		Interpreter: p.Interp.Name, Static: s.Static(), Resolved: s.Resolved(),
		HWCaps: empty(p.CPU.HWCaps), Objects: s.objectsJSON(), Missing: s.missingJSON(), Notes: empty(p.Notes),
	}
	if program.Format.Is64() {
		d.Class = 64
	}
	if d.Static {
		d.Libc = ""
	} else if p.Version != (load.Version{}) {
		d.LibcVersion = p.Version.String()
	}
	for _, a := range p.Audits {
		d.Audits = append(d.Audits, New(a, false, bind.Options{}).objectsJSON())
	}
	if s.Bound != nil {
		d.symbolsJSON = s.symbolsJSON()
	}
	s.answer(d, ask)
	return d
}

// answer adds what was asked for besides.
func (s *Subject) answer(d *documentJSON, ask Ask) {
	if s.Bound != nil && ask.Symbols {
		d.Bindings, d.Interposed = s.bindingsJSON(), s.interposedJSON()
	}
	if ask.Unused {
		list := s.unusedJSON()
		d.Unused = &list
	}
	if ask.Floors {
		d.Floors = s.floorsJSON()
	}
	if ask.Why != "" {
		d.Why = s.whyJSON(ask.Why, ask.Every)
	}
	if ask.Provides != "" {
		d.Provides = s.providesJSON(ask.Provides)
	}
}

// empty makes a list that JSON has as one, though nothing is in it.
func empty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func machineName(o *load.Object) string {
	if o.Machine != nil {
		return o.Machine.Name
	}
	return strings.TrimPrefix(o.Header.Machine.String(), "EM_")
}

func libcName(l load.Libc) string {
	if l == load.Musl {
		return "musl"
	}
	return "glibc"
}

var kindNames = [...]string{
	load.Needed: "needed", load.Filter: "filter", load.Auxiliary: "auxiliary", load.Preload: "preload",
	load.Audit: "audit", load.Interpreter: "interpreter",
}

func (s *Subject) objectsJSON() []objectJSON {
	list := make([]objectJSON, len(s.Process.Objects))
	by := s.askers()
	for i, o := range s.Process.Objects {
		j := objectJSON{Path: o.Path, Soname: o.Soname, NeededBy: empty(by[i]), Rule: ruleName(o.Found.Rule), Dir: o.Found.Dir, HWCaps: o.Found.HWCaps, Needs: []needJSON{}}
		if o.Found.Of != nil {
			j.Of = o.Found.Of.Path
		}
		for k := range o.Needs {
			n := &o.Needs[k]
			need := needJSON{Name: n.Name, Kind: kindNames[n.Kind]}
			if n.To != nil {
				need.Path, need.Rule = n.To.Path, ruleName(n.Found.Rule)
			}
			j.Needs = append(j.Needs, need)
		}
		list[i] = j
	}
	return list
}

// askers are the paths of those that ask for each object, each once.
func (s *Subject) askers() [][]string {
	by := make([][]string, len(s.Process.Objects))
	last := make([]int, len(by))
	for i, o := range s.Process.Objects {
		for j := range o.Needs {
			if k := s.index(o.Needs[j].To); k >= 0 && last[k] != i+1 {
				last[k] = i + 1
				by[k] = append(by[k], o.Path)
			}
		}
	}
	return by
}

func (s *Subject) missingJSON() []missingJSON {
	list := []missingJSON{}
	for _, m := range s.Missing() {
		j := missingJSON{Name: m.Need.Name, NeededBy: m.By.Path, Kind: kindNames[m.Need.Kind], Tried: []tryJSON{}}
		if m.Need.Err != nil {
			j.Error = m.Need.Err.Error()
		}
		for _, t := range m.Need.Tried {
			j.Tried = append(j.Tried, tryOf(t))
		}
		list = append(list, j)
	}
	return list
}

func tryOf(t load.Try) tryJSON {
	j := tryJSON{Path: t.Path, Rule: ruleName(t.Rule), Dir: t.Dir, Why: t.Why}
	if t.Of != nil {
		j.Of = t.Of.Path
	}
	return j
}

func (s *Subject) symbolsJSON() *symbolsJSON {
	j := &symbolsJSON{Undefined: []undefinedJSON{}, Faults: []faultJSON{}}
	for _, b := range s.Undefined(true) {
		version, file := s.Bound.Version(b)
		j.Undefined = append(j.Undefined, undefinedJSON{
			Symbol: string(s.Bound.Name(b)), Version: version, Object: s.Process.Objects[b.From].Path,
			Weak: b.Rule == bind.WeakZero, Lazy: b.Lazy, File: file,
		})
	}
	for _, f := range s.Versions() {
		fault := faultJSON{Version: f.Version, File: f.File, Object: f.By.Path}
		if f.Of != nil {
			fault.Of = f.Of.Path
		}
		j.Faults = append(j.Faults, fault)
	}
	for _, d := range s.Directs(true) {
		b := d.Binding
		j.Direct = append(j.Direct, directJSON{string(s.Bound.Name(b)), s.Process.Objects[b.From].Path, s.Process.Objects[b.To].Path, d.Copy, b.Lazy, d.Fatal})
	}
	return j
}

func (s *Subject) bindingsJSON() []bindingJSON {
	list := make([]bindingJSON, 0, len(s.Bound.Bindings))
	for i := range s.Process.Objects {
		for _, b := range s.Bound.Of(s.Process.Objects[i]) {
			if b.To < 0 {
				continue
			}
			version, _ := s.Bound.Version(b)
			list = append(list, bindingJSON{
				From: s.Process.Objects[b.From].Path, To: s.Process.Objects[b.To].Path, Symbol: string(s.Bound.Name(b)), Version: version,
				Class: classNames[b.Class], Rule: ruleNames[b.Rule], Lazy: b.Lazy,
			})
		}
	}
	return list
}

func (s *Subject) interposedJSON() []interposedJSON {
	list := []interposedJSON{}
	for _, x := range s.Bound.Interposed() {
		o := s.Process.Objects[x.Object]
		list = append(list, interposedJSON{
			Object: o.Path, Symbol: string(o.Symbols.Name(o.Symbols.At(int(x.Symbol)))), By: s.Process.Objects[x.By].Path,
		})
	}
	return list
}
