package explain

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestJSONIsDocumented: every field is in docs/explain-json.md, and every code of
// a warning.
func TestJSONIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/explain-json.md")
	if err != nil {
		t.Fatal(err)
	}
	path := crafted()["over-stack-bss"].write(t, t.TempDir(), "program", "")
	s, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var doc bytes.Buffer
	if err := s.JSON(&doc, &Checked{Compared: 1, Differences: []Difference{{"brk", "1", "2"}}}); err != nil {
		t.Fatal(err)
	}
	if p, err := Live(os.Getpid()); err != nil {
		t.Error(err)
	} else if err := p.JSON(&doc); err != nil {
		t.Error(err)
	}
	seen := make(map[string]bool)
	for d := json.NewDecoder(&doc); d.More(); {
		var v any
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		keys(v, seen)
	}
	for _, c := range crafted() {
		s, err := Open(c.write(t, t.TempDir(), "program", ""), Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range s.Process.Warnings {
			seen[w.Code] = true
		}
		s.Close()
	}
	for k := range seen {
		if !strings.Contains(string(page), "`"+k+"`") {
			t.Errorf("docs/explain-json.md does not tell of %q", k)
		}
	}
}

func keys(v any, seen map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			seen[k] = true
			keys(x, seen)
		}
	case []any:
		for _, x := range v {
			keys(x, seen)
		}
	}
}
