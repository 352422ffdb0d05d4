package ldscript

// layout is what a printer wants to know of a script besides the tree.
type layout struct {
	comments []comment
	ends     map[any]Pos   // where a statement, region, header, node ends
	parens   map[Expr]bool // expressions that stood in parentheses
}

type comment struct {
	at, end Pos
	text    string
}

func newScript(src *Source) *Script {
	return &Script{Source: src, layout: &layout{ends: make(map[any]Pos), parens: make(map[Expr]bool)}}
}

func (l *layout) end(node any, at Pos) { l.ends[node] = at }
