package phdr

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestJSONIsDocumented holds every field of the JSON to docs/phdr-json.md.
func TestJSONIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/phdr-json.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[reflect.Type]bool{}
	var look func(reflect.Type)
	look = func(typ reflect.Type) {
		for typ.Kind() == reflect.Slice || typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || seen[typ] {
			return
		}
		seen[typ] = true
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" || name == "-" {
				continue
			}
			if !strings.Contains(string(page), "`"+name+"`") {
				t.Errorf("%v.%s: docs/phdr-json.md does not tell of %q", typ, f.Name, name)
			}
			look(f.Type)
		}
	}
	look(reflect.TypeFor[Report]())
	look(reflect.TypeFor[Listing]())
}
