package show

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"elfwright/elffile"
	"elfwright/internal/elftest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// output prints views of a file from memory.
func output(t testing.TB, name string, data []byte, opt Options) (string, *Report) {
	t.Helper()
	f, err := elffile.Parse(name, data)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	r, err := Print(&b, f, opt)
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), r
}

// golden compares with testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got; -update rewrites it):\n%s", path, d)
	}
}

// goldens are the files and the views of each. Notes and what is special to a
// machine have tests of their own.
var goldens = []struct {
	name string
	file func(elftest.Kind) elftest.File
	opt  Options
}{
	{"shared", elftest.Shared, Options{Views: All&^(Notes|Arch) | Summary, HexDump: []string{".interp", ".hash"}, StringDump: []string{".dynstr"}}},
	{"object", elftest.Object, Options{Views: Symbols | Relocs | SectionGroups | NM | Summary}},
	{"core", elftest.Core, Options{Views: Summary | FileHeader | Segments}},
}

// Every kind of file in both classes and byte orders prints as it should, as
// text and as JSON.
func TestGolden(t *testing.T) {
	for _, g := range goldens {
		for _, k := range elftest.Kinds() {
			data := g.file(k).Bytes()
			text, _ := output(t, g.name, data, g.opt)
			golden(t, g.name+"-"+k.Name+".txt", text)
			opt := g.opt
			opt.JSON = true
			doc, _ := output(t, g.name, data, opt)
			golden(t, g.name+"-"+k.Name+".json", doc)
		}
	}
}

// The default is the summary with the program headers, or the section headers
// of a file without.
func TestDefaultViews(t *testing.T) {
	k := elftest.Kinds()[0]
	for _, c := range []struct {
		file elftest.File
		want string
	}{{elftest.Shared(k), "Program Headers:"}, {elftest.Object(k), "Section Headers:"}} {
		got, r := output(t, "x", c.file.Bytes(), Options{})
		if len(r.Faults) > 0 {
			t.Error(r.Faults)
		}
		if !strings.HasPrefix(got, "x: ELF ") || !strings.Contains(got, c.want) {
			t.Errorf("want a summary and %q, got:\n%s", c.want, got)
		}
	}
}

// Colour changes nothing but the colour.
func TestColour(t *testing.T) {
	data := elftest.Shared(elftest.Kinds()[0]).Bytes()
	plain, _ := output(t, "x", data, Options{Views: All | Summary})
	coloured, _ := output(t, "x", data, Options{Views: All | Summary, Colour: true})
	if coloured == plain {
		t.Error("no colour")
	}
	for _, s := range []string{bold, dim, off} {
		coloured = strings.ReplaceAll(coloured, s, "")
	}
	if d := cmp.Diff(plain, coloured); d != "" {
		t.Error(d)
	}
}

// documents decodes the JSON that printing a file gives; numbers stay as they
// are written.
func document(t testing.TB, doc string) map[string]any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(doc))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		t.Fatalf("%v in:\n%s", err, doc)
	}
	if d.More() {
		t.Fatal("more than one document")
	}
	return m
}
