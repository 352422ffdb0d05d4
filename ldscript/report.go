package ldscript

import (
	"encoding/json"
	"io"
)

// Findings are the errors as findings of the rule "syntax".
func (l Errors) Findings() []Finding {
	out := make([]Finding, len(l))
	for i, e := range l {
		msg := e.Msg
		if e.Context != "" {
			msg = e.Context + ": " + msg
		}
		out[i] = Finding{e.Pos, Fault, "syntax", msg}
	}
	return out
}

// WriteJSON writes findings as one JSON document (docs/ldscript-json.md).
func WriteJSON(w io.Writer, found []Finding) error {
	type finding struct {
		File    string `json:"file"`
		Line    int    `json:"line"`
		Column  int    `json:"column"`
		Level   string `json:"level"`
		Rule    string `json:"rule"`
		Message string `json:"message"`
	}
	doc := struct {
		Version  int       `json:"version"`
		Findings []finding `json:"findings"`
	}{1, []finding{}}
	for _, f := range found {
		doc.Findings = append(doc.Findings, finding{f.Pos.File.Name, f.Pos.Line, f.Pos.Col, f.Level.String(), f.Rule, f.Msg})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(doc)
}
