package page

import (
	"bufio"
	"cmp"
	"encoding/json"
	"io"
	"slices"
)

// Graph is what needs what, on a page of its own: nodes in columns that can be
// moved, zoomed and followed, and a table of what is bound between them.
type Graph struct {
	Title string
	Nodes []Node // the first is where everything begins
	Edges []Edge
	Links []Link
	Notes []string
}

// Node is an object, or one that is missing.
type Node struct {
	Name    string
	Missing bool
	Fields  []Field // what is told of it, in order
}

// Field is a line of what is told of a node.
type Field struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Edge says that a node asks for another one.
type Edge struct {
	From, To int
	Kind     string // "" for the usual one
	Unused   bool   // nothing is bound along it
}

// Link is a name that one node takes from another.
type Link struct {
	From, To int // To is -1 where nothing has it
	Name     string
	Version  string
	Note     string
}

// graphJSON is the index of a page with a graph.
type graphJSON struct {
	Version int        `json:"version"`
	Title   string     `json:"title"`
	Nodes   []nodeJSON `json:"nodes"`
	Edges   []edgeJSON `json:"edges"`
	Links   table      `json:"links"`
	Texts   []string   `json:"texts"` // versions and notes, by number
	Notes   []string   `json:"notes"`
}

type nodeJSON struct {
	Name    string  `json:"name"`
	Missing bool    `json:"missing,omitempty"`
	Fields  []Field `json:"fields"`
	X       int     `json:"x"` // column
	Y       float64 `json:"y"` // row, from the middle
}

type edgeJSON struct {
	From   int    `json:"from"`
	To     int    `json:"to"`
	Kind   string `json:"kind,omitempty"`
	Unused bool   `json:"unused,omitempty"`
	Count  int    `json:"count"` // of names that are taken along it
}

var graphLook = look{"elfwright deps --html", "graph.html", []string{"style.css", "graph.css"}, []string{
	"format.js", "theme.js", "data.js", "grid.js",
	"graphdraw.js", // nodes and edges as SVG, mouse and keys
	"graph.js",     // details, search and table, and puts them together
}}

// WriteGraph makes the page of a graph.
func WriteGraph(w io.Writer, g *Graph, opt Options) (*Report, error) {
	if opt.Limit == 0 {
		opt.Limit = DefaultLimit
	}
	p := &packer{left: opt.Limit, share: opt.Limit - reserve}
	index := graphJSON{Version: 1, Title: g.Title, Nodes: make([]nodeJSON, len(g.Nodes)), Edges: make([]edgeJSON, len(g.Edges)), Notes: g.Notes}
	at := arrange(g)
	for i, n := range g.Nodes {
		index.Nodes[i] = nodeJSON{n.Name, n.Missing, n.Fields, at[i].column, at[i].row}
	}
	count := make(map[[2]int]int)
	for i := range g.Links {
		count[[2]int{g.Links[i].From, g.Links[i].To}]++
	}
	for i, e := range g.Edges {
		index.Edges[i] = edgeJSON{e.From, e.To, e.Kind, e.Unused, count[[2]int{e.From, e.To}]}
	}
	index.Links, index.Texts = p.links(g.Links)
	data, err := json.Marshal(&index)
	if err != nil {
		return nil, err
	}
	report := new(Report)
	out := &counter{w: bufio.NewWriterSize(w, 1<<16)}
	if err := graphLook.compose(out, g.Title, data, p.chunks); err != nil {
		return report, err
	}
	report.Size = out.n
	return report, out.w.Flush()
}

// nowhere is the number of the node that a link which leads to none leads to.
const nowhere = 1<<32 - 1

// links packs the table of links. The texts are versions and notes.
func (p *packer) links(list []Link) (table, []string) {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b Link) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Name, b.Name)) })
	numbers := map[string]uint32{"": 0}
	texts := []string{""}
	number := func(s string) uint32 {
		n, ok := numbers[s]
		if !ok {
			n = uint32(len(texts))
			numbers[s] = n
			texts = append(texts, s)
		}
		return n
	}
	var text names
	n := len(list)
	from, to, name, version, note := make([]uint32, n), make([]uint32, n), make([]uint32, n), make([]uint32, n), make([]uint32, n)
	for i := range list {
		l := &list[i]
		from[i], to[i] = uint32(l.From), nowhere
		if l.To >= 0 {
			to[i] = uint32(l.To)
		}
		name[i], version[i], note[i] = text.add([]byte(l.Name)), number(l.Version), number(l.Note)
	}
	cols := []column{word("from", from), word("to", to), word("name", name), word("version", version), word("note", note)}
	return p.table(cols, n, n, name, text.blob), texts
}
