package model

import (
	"fmt"
	"testing"
)

// TestTable has goroutines intern the same names in different orders while the table
// grows: each name has one symbol, whoever asks.
func TestTable(t *testing.T) {
	const workers, names = 8, 20_000
	table := NewTable()
	found := make([][]*Symbol, workers)
	Each(workers, workers, func(w int) {
		found[w] = make([]*Symbol, names)
		for k := range names {
			i := (k*7919 + w*names/workers) % names
			found[w][i] = table.Intern(fmt.Sprint("name", i))
		}
	})
	seen := map[*Symbol]bool{}
	for i := range names {
		name := fmt.Sprint("name", i)
		sym := found[0][i]
		if sym == nil || sym.Name != name || seen[sym] || table.Get(name) != sym {
			t.Fatalf("%s is %+v", name, sym)
		}
		seen[sym] = true
		for w := range workers {
			if found[w][i] != sym {
				t.Fatalf("%s has two symbols", name)
			}
		}
	}
	if n := len(table.Sorted()); n != names {
		t.Errorf("%d symbols, not %d", n, names)
	}
	if s := table.Get("other"); s != nil {
		t.Errorf("a symbol for a name that nobody gave: %+v", s)
	}
}
