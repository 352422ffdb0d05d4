package explain

import (
	"encoding/json"
	"fmt"
	"io"

	"elfwright/image"
	"elfwright/plan"
)

// Version is the version of the JSON document, which docs/explain-json.md
// describes. Fields are added without a new one; none changes its meaning.
const Version = 1

type hexNumber uint64

// MarshalJSON writes a string: JSON's own numbers lose bits beyond 53.
func (n hexNumber) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, `"0x%x"`, uint64(n)), nil }

type document struct {
	Version     int            `json:"version"`
	Kind        string         `json:"kind"`
	File        string         `json:"file"`
	Interpreter string         `json:"interpreter,omitempty"`
	Host        jsonHost       `json:"host"`
	Outcome     jsonOutcome    `json:"outcome"`
	Steps       []jsonStep     `json:"steps"`
	Bias        hexNumber      `json:"load_bias"`
	InterpBias  hexNumber      `json:"interpreter_load_bias"`
	Entry       hexNumber      `json:"entry"`
	StartBrk    hexNumber      `json:"start_brk"`
	MmapBase    hexNumber      `json:"mmap_base"`
	Mappings    []jsonMapping  `json:"mappings"`
	Stack       map[string]any `json:"stack"`
	Auxv        []jsonAux      `json:"auxv"`
	Mm          map[string]any `json:"mm"`
	Properties  []jsonProperty `json:"properties"`
	Warnings    []jsonWarning  `json:"warnings"`
	Check       *jsonCheck     `json:"check,omitempty"`
}

type jsonHost struct {
	Kernel     string    `json:"kernel"`
	ABI        string    `json:"abi"`
	Compat     bool      `json:"compat"`
	PageSize   uint64    `json:"page_size"`
	StackLimit hexNumber `json:"stack_limit"`
	Huge       bool      `json:"huge_page_file_system"`
}

type jsonOutcome struct {
	Fate   string `json:"fate"`
	Errno  string `json:"errno,omitempty"`
	Signal string `json:"signal,omitempty"`
	Rule   string `json:"rule,omitempty"`
	Of     string `json:"of"`
	Header int    `json:"header"`
	Text   string `json:"text,omitempty"`
}

type jsonStep struct {
	Phase   string `json:"phase"`
	Rule    string `json:"rule"`
	Of      string `json:"of"`
	Header  int    `json:"header"`
	Text    string `json:"text"`
	Since   string `json:"changed_in,omitempty"`
	Changed string `json:"change,omitempty"`
}

type jsonMapping struct {
	Start  hexNumber   `json:"start"`
	End    hexNumber   `json:"end"`
	Prot   string      `json:"protection"`
	Of     string      `json:"of"`
	Name   string      `json:"name,omitempty"`
	Offset *hexNumber  `json:"file_offset"`
	Header int         `json:"header"`
	Rule   string      `json:"rule"`
	Zeroed []hexNumber `json:"cleared,omitempty"`
}

type jsonAux struct {
	Tag   uint64     `json:"type"`
	Name  string     `json:"name"`
	Value *hexNumber `json:"value"`
}

type jsonProperty struct {
	Of     string   `json:"of"`
	Header int      `json:"header"`
	Type   uint32   `json:"type"`
	Bits   []string `json:"features"`
	Counts bool     `json:"kernel_looks"`
}

type jsonWarning struct {
	Code   string `json:"code"`
	Of     string `json:"of"`
	Header int    `json:"header"`
	Text   string `json:"text"`
}

type jsonCheck struct {
	Compared    int              `json:"compared"`
	Copy        bool             `json:"copy"`
	Differences []jsonDifference `json:"differences"`
}

type jsonDifference struct {
	What string `json:"what"`
	Plan string `json:"computed"`
	Real string `json:"kernel"`
}

// JSON writes one document; c is the result of a check, or nil.
func (s *Subject) JSON(w io.Writer, c *Checked) error {
	p := s.Process
	d := document{
		Version: Version, Kind: "explain", File: s.Path, Interpreter: s.InterpPath,
		Host:    jsonHost{Kernel: p.Host.Kernel.String(), PageSize: p.Host.PageSize, StackLimit: hexNumber(p.Host.StackLimit), Huge: p.Host.Huge},
		Outcome: jsonOutcome{p.Outcome.Fate.String(), p.Outcome.Errno, p.Outcome.Signal, p.Outcome.Rule, p.Outcome.Origin.String(), p.Outcome.Index, p.Outcome.Msg},
		Steps:   []jsonStep{}, Mappings: []jsonMapping{}, Auxv: []jsonAux{}, Properties: []jsonProperty{}, Warnings: []jsonWarning{},
		Bias: hexNumber(p.Bias), InterpBias: hexNumber(p.InterpBias), Entry: hexNumber(p.Entry), StartBrk: hexNumber(p.StartBrk), MmapBase: hexNumber(p.MmapBase),
		Stack: s.jsonStack(),
		Mm: map[string]any{
			"start_code": hexNumber(p.Code.Start), "end_code": hexNumber(p.Code.End()),
			"start_data": hexNumber(p.Data.Start), "end_data": hexNumber(p.Data.End()),
		},
		Check: c.json(),
	}
	if p.ABI != nil {
		d.Host.ABI, d.Host.Compat = p.ABI.Name, p.ABI.Compat
	}
	s.jsonLists(&d)
	return writeJSON(w, &d)
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// jsonLists fills in the arrays, which are never null.
func (s *Subject) jsonLists(d *document) {
	p := s.Process
	for _, st := range p.Steps {
		j := jsonStep{Phase: st.Phase.String(), Rule: st.Rule, Of: st.Origin.String(), Header: st.Index, Text: st.Text}
		if st.Change != nil {
			j.Since, j.Changed = st.Change.Since.String(), st.Change.What
		}
		d.Steps = append(d.Steps, j)
	}
	for i := range p.Mappings {
		d.Mappings = append(d.Mappings, jsonMap(&p.Mappings[i]))
	}
	for _, a := range p.Auxv {
		j := jsonAux{Tag: uint64(a.Tag), Name: a.Tag.String()}
		if a.Known {
			j.Value = (*hexNumber)(&a.Value)
		}
		d.Auxv = append(d.Auxv, j)
	}
	for _, x := range p.Properties {
		d.Properties = append(d.Properties, jsonProperty{x.Origin.String(), x.Index, x.Type, append([]string{}, x.Bits...), x.Counts})
	}
	for _, x := range p.Warnings {
		d.Warnings = append(d.Warnings, jsonWarning{x.Code, x.Origin.String(), x.Index, x.Text})
	}
}

func jsonMap(m *plan.Mapping) jsonMapping {
	j := jsonMapping{
		Start: hexNumber(m.Start), End: hexNumber(m.End()), Prot: plan.Prot(m.Prot), Of: m.Origin.String(), Name: m.Name, Header: m.Index, Rule: m.Rule,
	}
	if m.Off != plan.Anonymous {
		off := hexNumber(m.Off)
		j.Offset = &off
	}
	if !m.Zeroed.Empty() {
		j.Zeroed = []hexNumber{hexNumber(m.Zeroed.Start), hexNumber(m.Zeroed.End())}
	}
	return j
}

func (s *Subject) jsonStack() map[string]any {
	st := &s.Process.Stack
	out := map[string]any{"protection": plan.Prot(st.Prot)}
	for name, a := range map[string]image.Addr{
		"start": st.Start, "end": st.End(), "sp": st.SP, "argv": st.Argv, "envp": st.Envp, "auxv": st.Auxv, "random": st.Random,
		"platform": st.Platform, "arg_start": st.ArgStart, "env_start": st.EnvStart, "env_end": st.EnvEnd, "execfn": st.Execfn,
	} {
		out[name] = hexNumber(a)
	}
	return out
}

func (c *Checked) json() *jsonCheck {
	if c == nil {
		return nil
	}
	out := &jsonCheck{Compared: c.Compared, Copy: c.Copy != "", Differences: []jsonDifference{}}
	for _, d := range c.Differences {
		out.Differences = append(out.Differences, jsonDifference(d))
	}
	return out
}
