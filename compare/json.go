package compare

import (
	"encoding/json"
	"io"
)

// WriteJSON writes the report as one JSON document; docs/diff-json.md says what
// its fields mean. Lists are cut to the limit, and what was left out is counted
// in "left_out".
func (r *Report) WriteJSON(w io.Writer, o Output) error {
	x := *r
	out := make(map[string]int)
	x.Segments = cutList(&o, out, "segments", x.Segments)
	x.Sections = cutList(&o, out, "sections", x.Sections)
	x.Dynamic = cutList(&o, out, "dynamic", x.Dynamic)
	x.Notes = cutList(&o, out, "notes", x.Notes)
	x.Versions = cutList(&o, out, "versions", x.Versions)
	x.Relocs = cutList(&o, out, "relocations", x.Relocs)
	x.Exports = cutList(&o, out, "dynamic_symbols", x.Exports)
	x.Symbols.Changes = cutList(&o, out, "symbols.changes", x.Symbols.Changes)
	x.Symbols.Tables = cutList(&o, out, "symbols.tables", x.Symbols.Tables)
	x.Symbols.Sources = cutList(&o, out, "symbols.sources", x.Symbols.Sources)
	x.Content = cutList(&o, out, "content", x.Content)
	x.Sizes.Sections = cutList(&o, out, "sizes.sections", x.Sizes.Sections)
	x.Sizes.Symbols = cutList(&o, out, "sizes.symbols", x.Sizes.Symbols)
	x.Sizes.Segments = cutList(&o, out, "sizes.segments", x.Sizes.Segments)
	if x.Header == nil {
		x.Header = []Field{}
	}
	if x.Symbols.Counts == nil {
		x.Symbols.Counts = map[Change]int{}
	}
	demangleAll(&x, &o)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(struct {
		*Report
		LeftOut map[string]int `json:"left_out,omitempty"`
	}{&x, out})
}

// cutList cuts a list to the limit and makes an empty one of none, so that every
// key holds an array.
func cutList[T any](o *Output, out map[string]int, name string, list []T) []T {
	list, more := limit(o, list)
	if more > 0 {
		out[name] = more
	}
	return append([]T{}, list...)
}

// demangleAll spells the names of symbols as the source does, in lists that are
// the document's own.
func demangleAll(r *Report, o *Output) {
	if o.Demangle == nil {
		return
	}
	for i := range r.Symbols.Changes {
		s := &r.Symbols.Changes[i]
		s.Name, s.OldName = o.Demangle(s.Name), o.Demangle(s.OldName)
	}
	for i := range r.Exports {
		r.Exports[i].Name = o.Demangle(r.Exports[i].Name)
	}
	for i := range r.Content {
		r.Content[i].Symbol = o.Demangle(r.Content[i].Symbol)
	}
	for i := range r.Sizes.Symbols {
		r.Sizes.Symbols[i].Name = o.Demangle(r.Sizes.Symbols[i].Name)
	}
}
