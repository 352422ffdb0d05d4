package near_test

import (
	"testing"

	"elfwright/internal/near"
)

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"flag", "flags", 1}, {"ab", "ba", 2}} {
		if got := near.Distance(c.a, c.b); got != c.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestName(t *testing.T) {
	if got, ok := near.Name("shwo", []string{"phdr", "show"}); !ok || got != "show" {
		t.Errorf("got %q, %v", got, ok)
	}
	if got, ok := near.Name("xyzzy", []string{"phdr", "show"}); ok {
		t.Errorf("got %q", got)
	}
}
