package flat_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"elfwright/flat"
)

// TestJSONIsDocumented holds every field of the reports to docs/flatten-json.md.
func TestJSONIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/flatten-json.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{flat.Report{}, flat.Place{}, flat.Gap{}, flat.Warning{}, flat.ReadReport{}, flat.RunAt{}} {
		typ := reflect.TypeOf(v)
		for i := range typ.NumField() {
			name := typ.Field(i).Tag.Get("json")
			if name != "" && name != "-" && !strings.Contains(string(page), "`"+name+"`") {
				t.Errorf("%v: docs/flatten-json.md does not tell of %q", typ, name)
			}
		}
	}
}
