package sdf_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"elfwright/sdf"
)

// TestJSONIsDocumented holds every field of the plan to docs/sdf-json.md.
func TestJSONIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/sdf-json.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{sdf.Plan{}, sdf.Space{}, sdf.Domain{}, sdf.Segment{}, sdf.Mapping{}, sdf.Machine{}, sdf.Variable{}, sdf.Monitor{}, sdf.Region{}} {
		typ := reflect.TypeOf(v)
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if name == "" || strings.Contains(string(page), "`"+name+"`") || strings.Contains(string(page), "."+name+"`") {
				continue
			}
			t.Errorf("%v: docs/sdf-json.md does not tell of %q", typ, name)
		}
	}
}
