package show

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"elfwright/internal/elftest"
)

// everything is all views, with dumps of what the test files have.
var everything = Options{
	Views:      All | Summary,
	HexDump:    []string{".text", ".dynstr", ".interp"},
	StringDump: []string{".dynstr", ".strtab", ".comment"},
}

// Every number of the text is in the JSON.
func TestJSONComplete(t *testing.T) {
	opt := everything
	opt.Views &^= Notes | Arch // they have tests of their own
	opt.HexDump = nil          // one number in text and JSON
	for _, k := range elftest.Kinds() {
		for name, data := range map[string][]byte{
			"shared": elftest.Shared(k).Bytes(), "object": elftest.Object(k).Bytes(),
			"core": elftest.Core(k).Bytes(), "exec": elftest.ExecSections(k).Bytes(),
		} {
			text, _ := output(t, name, data, opt)
			jopt := opt
			jopt.JSON = true
			doc, _ := output(t, name, data, jopt)
			have := numbers(document(t, doc), map[uint64]bool{})
			for _, line := range strings.Split(text, "\n") {
				for _, tok := range notInJSON(line) {
					if !known(tok, have) {
						t.Errorf("%s %s: %q is not in the JSON; line: %s", name, k.Name, tok, line)
					}
				}
			}
		}
	}
}

var (
	token = regexp.MustCompile(`\b(?:0x)?[0-9a-f]{3,16}\b`)
	// What the text computes from other numbers: percentages, offsets within a
	// table of versions, flag keys, the bytes of e_ident.
	computed = regexp.MustCompile(`%|^  0x[0-9a-f]+: |^  [0-9a-f]{3}:|Magic|^  \[ *[0-9a-f]+\]  |^ *Segment`)
)

func notInJSON(line string) []string {
	if computed.MatchString(line) {
		return nil
	}
	return token.FindAllString(line, -1)
}

// known says whether a token is one of the numbers, read as hexadecimal or
// decimal, or a word that only looks like one.
func known(tok string, have map[uint64]bool) bool {
	h, err := strconv.ParseUint(strings.TrimPrefix(tok, "0x"), 16, 64)
	d, derr := strconv.ParseUint(tok, 10, 64)
	return err != nil || have[h] || derr == nil && have[d] || regexp.MustCompile(`^[a-f]+$`).MatchString(tok)
}

// numbers collects all numbers of a document, also those inside strings.
func numbers(v any, into map[uint64]bool) map[uint64]bool {
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			numbers(e, into)
		}
	case []any:
		for _, e := range v {
			numbers(e, into)
		}
	case json.Number:
		n, _ := strconv.ParseUint(v.String(), 10, 64)
		into[n] = true
	case string:
		for _, tok := range token.FindAllString(v, -1) {
			if n, err := strconv.ParseUint(strings.TrimPrefix(tok, "0x"), 16, 64); err == nil {
				into[n] = true
			}
			if n, err := strconv.ParseUint(tok, 10, 64); err == nil {
				into[n] = true
			}
		}
		if n, err := strconv.ParseInt(v, 0, 64); err == nil {
			into[magnitude(n)] = true
		}
	}
	return into
}

// field is a key of a document as docs/show-json.md writes it, "segments[].vaddr",
// and a value that it has.
type field struct {
	path  string
	value any
}

// fields collects the fields of a document. What is in a package's metadata and
// a set of registers is the file's to say, not ours.
func fields(prefix string, v any, into *[]field) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			path := strings.TrimPrefix(prefix+"."+k, ".")
			*into = append(*into, field{path, e})
			if k != "metadata" && k != "registers" {
				fields(path, e, into)
			}
		}
	case []any:
		for _, e := range v {
			fields(prefix+"[]", e, into)
		}
	}
}

// documented reads the page: the kind of each field by its path.
func documented(t *testing.T) map[string]string {
	page, err := os.ReadFile("../docs/show-json.md")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{}
	quoted := regexp.MustCompile("`([^`]+)`")
	line := regexp.MustCompile("^\\| `([^`]+)` \\| (\\w+) \\|")
	var heads []string
	for _, l := range strings.Split(string(page), "\n") {
		if strings.HasPrefix(l, "## ") {
			heads = nil
			for _, m := range quoted.FindAllStringSubmatch(l, -1) {
				heads = append(heads, m[1]+".")
				// The view itself: "segments" of "segments[].".
				if view, _, inner := strings.Cut(m[1], "."); !inner {
					name, isArray := strings.CutSuffix(view, "[]")
					kinds[name] = map[bool]string{true: "array", false: "object"}[isArray]
				}
			}
			if heads == nil {
				heads = []string{""}
			}
		}
		if m := line.FindStringSubmatch(l); m != nil {
			for _, h := range heads {
				kinds[h+m[1]] = m[2]
			}
		}
	}
	return kinds
}

var hexForm = regexp.MustCompile(`^-?0x(0|[1-9a-f][0-9a-f]*)$`)

// isKind says whether a value is of a documented kind.
func isKind(v any, kind string) bool {
	switch v := v.(type) {
	case string:
		switch kind {
		case "hex":
			return hexForm.MatchString(v)
		case "number":
			n, err := strconv.ParseUint(v, 0, 64)
			return err == nil && n > maxExact
		case "bytes":
			return regexp.MustCompile(`^([0-9a-f]{2})*$`).MatchString(v)
		}
		return kind == "name" || kind == "string" || kind == "any"
	case json.Number:
		return kind == "number" || kind == "any"
	case bool:
		return kind == "bool" || kind == "any"
	case []any:
		return kind == "array" || kind == "any"
	case map[string]any:
		return kind == "object" || kind == "any"
	}
	return false // null: no field is
}

// Every field is documented and of the kind that is told there, so that none
// changes unseen.
func TestJSONDocumented(t *testing.T) {
	kinds := documented(t)
	opt := everything
	opt.JSON, opt.Demangle = true, true
	opt.Views |= DynSyms
	told := map[string]bool{}
	for name, data := range elftest.WellFormed() {
		for _, nm := range []View{0, NM} {
			o := opt
			o.Views |= nm
			var list []field
			doc, _ := output(t, name, data, o)
			fields("", document(t, doc), &list)
			for _, f := range list {
				kind, ok := kinds[f.path]
				if base, cut := strings.CutSuffix(f.path, "_bytes"); !ok && cut {
					kind, ok = "bytes", kinds[base] != ""
				}
				if base, cut := strings.CutSuffix(f.path, "_demangled"); !ok && cut {
					kind, ok = "name", kinds[base] == "name"
				}
				if told[f.path] {
					continue
				}
				if !ok {
					t.Errorf("docs/show-json.md does not tell what %q is", f.path)
					told[f.path] = true
				} else if !isKind(f.value, kind) {
					t.Errorf("%s: %s is %v, documented as %s", name, f.path, f.value, kind)
					told[f.path] = true
				}
			}
		}
	}
}

// Whatever is wrong with a file, its document is JSON, and ends with the errors.
func TestJSONAlwaysValid(t *testing.T) {
	opt := everything
	opt.JSON = true
	n := 0
	for name, data := range elftest.Malformed() {
		if _, ok := parses(data); !ok {
			continue
		}
		doc, r := output(t, name, data, opt)
		m := document(t, doc)
		if got := len(m["errors"].([]any)); got != len(r.Faults) {
			t.Errorf("%s: %d errors in the document, %d in the report", name, got, len(r.Faults))
		}
		n++
	}
	if n < 10 {
		t.Errorf("only %d malformed files", n)
	}
}

func TestNumbers(t *testing.T) {
	o := &object{newBuffer(nil)}
	o.num("a", maxExact)
	o.num("b", maxExact+1)
	o.hex("c", 1<<64-1)
	o.shex("d", -1<<63)
	o.shex("e", 8)
	o.int("f", -1)
	const want = `,"a":9007199254740991,"b":"0x20000000000000","c":"0xffffffffffffffff","d":"-0x8000000000000000","e":"0x8","f":-1`
	if got := string(o.b); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestStrings(t *testing.T) {
	for _, s := range []string{"", "plain", "qu\"ote\\", "\x00\x01\x1f\x7f\n\t", "ünïcode 日本", "bad \xff\xfe utf8", "\u2028<&>"} {
		o := &object{newBuffer(nil)}
		o.add("{")
		o.names("k", s)
		o.add("}")
		var m map[string]string
		if err := json.Unmarshal(o.b, &m); err != nil {
			t.Errorf("%q: %v in %s", s, err, o.b)
			continue
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); m["k"] != want && m["k"] != strings.Replace(s, "\xff\xfe", "\ufffd\ufffd", 1) {
			t.Errorf("%q became %q", s, m["k"])
		}
		b, ok := m["k_bytes"]
		if wrong := strings.Contains(s, "\xff"); ok != wrong || ok && b != fmt.Sprintf("%x", s) {
			t.Errorf("%q: k_bytes is %q", s, b)
		}
	}
}
