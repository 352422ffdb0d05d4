package page

import (
	"cmp"
	"slices"
)

// spot is where a node is drawn.
type spot struct {
	column int
	row    float64 // from the middle of the column
}

// arrange puts the nodes of a graph into columns, every node to the right of those
// that ask for it, as far as there are no circles, and sorts each column so that
// edges are short.
func arrange(g *Graph) []spot {
	n := len(g.Nodes)
	next := make([][]int, n)
	for _, e := range g.Edges {
		if e.From != e.To {
			next[e.From] = append(next[e.From], e.To)
		}
	}
	order := topological(next)
	place := make([]int, n) // in the order
	for i, v := range order {
		place[v] = i
	}
	at := make([]spot, n)
	for _, v := range order {
		for _, to := range next[v] {
			if place[to] > place[v] { // else it closes a circle
				at[to].column = max(at[to].column, at[v].column+1)
			}
		}
	}
	columns := split(at)
	for i := range columns {
		settle(columns[i], at)
	}
	const sweeps = 6
	for range sweeps {
		sweep(g, columns, at)
	}
	return at
}

// topological is the reverse of the order in which a walk in depth leaves the nodes:
// without circles each is before those that it leads to. It keeps its own stack,
// for chains can be long.
func topological(next [][]int) []int {
	type visit struct{ v, at int }
	var order []int
	met := make([]bool, len(next))
	for i := range next {
		if met[i] {
			continue
		}
		met[i] = true
		stack := []visit{{v: i}}
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			if top.at == len(next[top.v]) {
				order = append(order, top.v)
				stack = stack[:len(stack)-1]
				continue
			}
			to := next[top.v][top.at]
			top.at++
			if !met[to] {
				met[to] = true
				stack = append(stack, visit{v: to})
			}
		}
	}
	slices.Reverse(order)
	return order
}

// split lists the nodes of each column.
func split(at []spot) [][]int {
	var columns [][]int
	for v := range at {
		for len(columns) <= at[v].column {
			columns = append(columns, nil)
		}
		columns[at[v].column] = append(columns[at[v].column], v)
	}
	return columns
}

// settle gives the nodes of a column their rows, in the order of the list.
func settle(column []int, at []spot) {
	for i, v := range column {
		at[v].row = float64(i) - float64(len(column)-1)/2
	}
}

// sweep sorts each column by the mean row of each node's neighbours.
func sweep(g *Graph, columns [][]int, at []spot) {
	sum, count := make([]float64, len(at)), make([]float64, len(at))
	for _, e := range g.Edges {
		sum[e.From] += at[e.To].row
		sum[e.To] += at[e.From].row
		count[e.From]++
		count[e.To]++
	}
	for _, column := range columns {
		slices.SortStableFunc(column, func(a, b int) int {
			return cmp.Or(cmp.Compare(sum[a]/max(count[a], 1), sum[b]/max(count[b], 1)), cmp.Compare(a, b))
		})
		settle(column, at)
	}
}
