package patch_test

import (
	"strings"
	"testing"

	"elfwright/patch"
)

// TestParseFile: every form of a value, next to what the command line has for it.
func TestParseFile(t *testing.T) {
	in := `{"version": 1, "set": [
		{"name": "a", "value": 18446744073709551615},
		{"name": "a", "value": -1.5},
		{"name": "a", "value": true},
		{"name": "a", "value": "RED"},
		{"name": "a", "value": "\"text\""},
		{"name": "a", "value": {"text": "text"}},
		{"name": "a", "value": {"hex": "00ff"}},
		{"name": "a", "value": {"address": "b+8"}},
		{"name": "a", "value": {"fact": "image.entry"}},
		{"name": "a", "value": {"number": "0x10"}},
		{"name": "a", "value": [1, "'c'", {"number": "2"}]},
		{"name": "a:u16", "value": 1}
	]}`
	f, err := patch.ParseFile("x.json", []byte(in), noFile)
	if err != nil {
		t.Fatal(err)
	}
	same := []string{"a=18446744073709551615", "a=-1.5", "a=true", "a=RED", `a="text"`, `a="text"`, "a=hex:00ff", "a=&b+8", "a=image.entry", "a=0x10", "a=1,'c',2", "a:u16=1"}
	for i, s := range same {
		want, err := patch.ParseSet(s, noFile)
		if err != nil {
			t.Fatal(err)
		}
		got := f.Sets[i]
		if got.Place != want.Place || got.Type != want.Type || got.Value.Kind != want.Value.Kind || len(got.Value.List) != len(want.Value.List) ||
			got.Value.Kind != patch.Number && got.Value.Text != want.Value.Text || got.Value.Off != want.Value.Off ||
			got.Value.Int != nil && got.Value.Int.Cmp(want.Value.Int) != 0 {
			t.Errorf("set[%d]: %+v, and %s is %+v", i, got, s, want)
		}
	}
}

func TestParseFileErrors(t *testing.T) {
	for in, want := range map[string]string{
		`{`: "at byte", `[] x`: "more follows", `{"sets": []}`: `unknown field "sets"`, `{"version": 2}`: "version 2 is not known here",
		`[{"value": 1}]`: `set[0]: want one of "name", "section" and "between"`, `[{"name": "a", "section": "b", "value": 1}]`: "want one of",
		`[{"name": "a"}]`: `set[0]: there is no "value"`, `[{"name": "a", "value": null}]`: "null is no value",
		`[{"name": "a", "type": "u7", "value": 1}]`: `"u7" is no type`, `[{"name": "a", "value": {"text": "x", "hex": "00"}}]`: "want an object with one of",
		`[{"name": "a", "value": [[1]]}]`: "a list within a list", `{"outputs": [{"set": []}]}`: `there is no "output"`,
		`[{"between": ["a"], "value": 1}]`: "want two names", `[{"name": "{a", "value": 1}]`: "want a name within braces",
	} {
		_, err := patch.ParseFile("x.json", []byte(in), noFile)
		if err == nil || !strings.HasPrefix(err.Error(), "x.json: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v\nwant: %s", in, err, want)
		}
	}
}

// TestParseSetErrors: wrong usage says what would be right.
func TestParseSetErrors(t *testing.T) {
	for in, want := range map[string]string{
		"": "want PLACE=VALUE", "x": "want PLACE=VALUE", "=1": "want PLACE=VALUE", "x=": "there is no value", "x=012": "a leading zero could mean octal",
		`x="open`: "want text in double quotes", "x='ab'": "want one character", "x=hex:0": "want pairs of hexadecimal digits", "x=@gone": "no file",
		"x=a b": "is no number, name of an enumerator", "{x=1": "want PLACE=VALUE", "a.c:=1": "there is no name after the colon", "x=&": "there is no name",
		"{x}y=1": "want .MEMBER or [INDEX]", "0xzz:u8=1": "want an address", "x=1,,2": "there is no value", "{}=1": "want a name within braces",
	} {
		_, err := patch.ParseSet(in, noFile)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v\nwant: %s", in, err, want)
		}
	}
}
