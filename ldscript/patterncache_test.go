package ldscript

import (
	"fmt"
	"slices"
	"testing"
)

// TestPatternCache asks for more names than a cache remembers, each several times:
// it says what the set says, and what it said before stays.
func TestPatternCache(t *testing.T) {
	var set PatternSet
	for _, p := range []string{"*", ".text", ".text.*", ".text.f1*", ".text.*7", ".data.?", "none"} {
		set.Add(p)
	}
	cache := set.Cache()
	var said [][]int32
	name := func(i int) string { return fmt.Sprint(".text.f", i*37%(3*cached)) }
	for i := range 12 * cached {
		said = append(said, cache.Match(name(i)))
	}
	for i, got := range said {
		if want := set.Match(nil, name(i)); !slices.Equal(got, want) {
			t.Fatalf("%s: %v, the set says %v", name(i), got, want)
		}
	}
	var empty PatternSet
	if got := empty.Cache().Match("x"); len(got) != 0 {
		t.Errorf("without patterns: %v", got)
	}
}
