package page

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// randomGraph has circles, nodes that ask for themselves, and nodes alone.
func randomGraph(rng *rand.Rand) *Graph {
	g := &Graph{Title: "g"}
	n := 1 + rng.IntN(12)
	for i := range n {
		g.Nodes = append(g.Nodes, Node{Name: fmt.Sprintf("n%d", i)})
	}
	for range rng.IntN(3 * n) {
		g.Edges = append(g.Edges, Edge{From: rng.IntN(n), To: rng.IntN(n)})
	}
	return g
}

// reaches says whether there is a way from one node to another.
func reaches(g *Graph, from, to int) bool {
	met := make([]bool, len(g.Nodes))
	queue := []int{from}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, e := range g.Edges {
			if e.From == at && !met[e.To] {
				met[e.To] = true
				queue = append(queue, e.To)
			}
		}
	}
	return met[to]
}

// TestArrange: no two nodes have one place, and an edge that is in no circle leads
// to the right.
func TestArrange(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		g := randomGraph(rng)
		at := arrange(g)
		taken := map[spot]bool{}
		for _, s := range at {
			if taken[s] {
				t.Fatalf("%+v: two nodes at %v", g.Edges, s)
			}
			taken[s] = true
		}
		for _, e := range g.Edges {
			if !reaches(g, e.To, e.From) && at[e.To].column <= at[e.From].column {
				t.Fatalf("%+v: edge %+v leads from column %d to %d", g.Edges, e, at[e.From].column, at[e.To].column)
			}
		}
	}
}

// TestWriteGraph takes a page apart.
func TestWriteGraph(t *testing.T) {
	g := &Graph{
		Title: "</title><b>",
		Nodes: []Node{{Name: "prog"}, {Name: "</script>", Fields: []Field{{"path", "/lib/<x>"}}}, {Name: "gone", Missing: true}},
		Edges: []Edge{{From: 0, To: 1}, {From: 1, To: 2, Kind: "filter", Unused: true}},
		Links: []Link{{From: 1, To: -1, Name: "z", Note: "undefined"}, {From: 0, To: 1, Name: "b", Version: "V_1"}, {From: 0, To: 1, Name: "a"}},
	}
	var pages [2]bytes.Buffer
	for i := range pages {
		if _, err := WriteGraph(&pages[i], g, Options{}); err != nil {
			t.Fatal(err)
		}
	}
	html := pages[0].String()
	if html != pages[1].String() {
		t.Error("the same graph gives two pages")
	}
	if strings.Count(html, "</script>") != strings.Count(html, "<script") || strings.Contains(html, "<b>") {
		t.Error("a name became markup")
	}
	_, chunks := open(t, pages[0].Bytes())
	var index graphJSON
	text := regexp.MustCompile(`(?s)id="index">(.*?)</script>`).FindSubmatch(pages[0].Bytes())
	if err := json.Unmarshal(text[1], &index); err != nil {
		t.Fatal(err)
	}
	if e := index.Edges; len(e) != 2 || e[0].Count != 2 || e[1].Count != 0 || !e[1].Unused || e[1].Kind != "filter" {
		t.Errorf("edges: %+v", index.Edges)
	}
	if n := index.Nodes; len(n) != 3 || n[1].Name != "</script>" || !n[2].Missing || n[0].X >= n[1].X || n[1].X >= n[2].X {
		t.Errorf("nodes: %+v", index.Nodes)
	}
	if l := index.Links; l.Rows != 3 || l.Of != 3 || string(chunks[l.Text]) != "a\x00b\x00z\x00" {
		t.Errorf("links: %+v, %q", l, chunks[l.Text])
	}
	// By row: from, to, name, version, note.
	raw := chunks[index.Links.Chunk]
	at := func(col, row int) uint32 { return binary.LittleEndian.Uint32(raw[4*(3*col+row):]) }
	if at(0, 2) != 1 || at(1, 2) != nowhere || index.Texts[at(3, 1)] != "V_1" || index.Texts[at(4, 2)] != "undefined" {
		t.Errorf("columns: %x", raw)
	}
}
