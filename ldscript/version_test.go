package ldscript

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"elfwright/internal/samples"
)

// versionScripts are scripts whose patterns contend for symbols.
var versionScripts = []string{
	"{ global: foo*; local: *; };",
	"{ global: *; local: foo; };",
	"{ global: f*; local: fo*; };",
	"{ local: f*; };",
	"{ foo; };",
	"{ global: foo; foobar; local: foo*; };",
	"V1 { foo; }; V2 { foo*; };",
	"V1 { foo*; }; V2 { foo; };",
	"V1 { f*; }; V2 { fo*; }; V3 { *; };",
	"V1 { *; }; V2 { *; };",
	"V1 { global: foo*; local: *; }; V2 { global: b*; local: foobar; };",
	"V1 { local: foo*; }; V2 { global: foo; } V1;",
	"V1 { global: foo*; }; V2 { local: foob*; };",
	"V1 { local: foo; }; V2 { global: foo*; };",
	"V1 { global: *; local: f*; };",
	"V1 { global: [fb]*; local: ?a?; };",
	"V1 { \"foo*\"; }; V2 { foo; };",
	"V1 { fo\\o; f\\*; };",
	"V1 { extern \"C++\" { \"ns::f(int)\"; ns::g*; }; }; V2 { _ZN2ns*; };",
	"V1 { global: extern \"C++\" { ns::*; }; local: *; };",
	"V1 { extern \"C++\" { f*; }; }; V2 { foo; };",
	"V1 { extern \"C++\" { *; }; }; V2 { foo; };",
	"V1 { extern \"C++\" { ns::f*; }; }; V2 { extern \"C++\" { \"ns::f(int)\"; }; };",
	"V1 { _ZN2ns*; }; V2 { extern \"C++\" { ns::f*; }; };",
}

var versionSymbols = map[string]string{ // and what C++ calls them
	"foo": "foo", "foobar": "foobar", "bar": "bar", "baz": "baz", "f": "f", "x": "x",
	"_ZN2ns1fEi": "ns::f(int)", "_ZN2ns1gEv": "ns::g()", "_ZN2ns2ggEv": "ns::gg()",
}

// TestVersions compares the versions that ld gives to symbols with ours.
func TestVersions(t *testing.T) {
	samples.Need(t, "ld.bfd", "as", "readelf")
	dir := t.TempDir()
	var source strings.Builder
	for s := range versionSymbols {
		fmt.Fprintf(&source, ".globl %s\n.type %s,@function\n%s: .byte 0\n", s, s, s)
	}
	as := exec.Command("as", "-o", filepath.Join(dir, "t.o"), "-")
	as.Stdin = strings.NewReader(source.String())
	if out, err := as.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for i, script := range versionScripts {
		want := versionsOf(t, dir, i, script)
		v, err := ParseVersion("v", []byte(script))
		if err != nil {
			t.Fatal(err)
		}
		set, err := NewVersionSet([]*Version{v}, func(s string) string { return versionSymbols[s] })
		if err != nil {
			t.Fatal(err)
		}
		for s := range versionSymbols {
			got := "base"
			if m, ok := set.Match(s); ok && m.Local {
				got = "local"
			} else if ok && set.Nodes[m.Node].Name != "" {
				got = set.Nodes[m.Node].Name
			}
			if got != want[s] {
				t.Errorf("%s\n%s: %s, ld says %s", script, s, got, want[s])
			}
		}
	}
}

var dynamicSymbol = regexp.MustCompile(`FUNC +GLOBAL +DEFAULT +\d+ (\w+)(?:@@?(\w+))?`)

func versionsOf(t *testing.T, dir string, i int, script string) map[string]string {
	file := filepath.Join(dir, fmt.Sprintf("%d.map", i))
	if err := os.WriteFile(file, []byte(script), 0o666); err != nil {
		t.Fatal(err)
	}
	ld := exec.Command("ld.bfd", "-shared", "--version-script="+file, "t.o", "-o", file+".so")
	ld.Dir = dir
	if out, err := ld.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	out, err := exec.Command("readelf", "--dyn-syms", "-W", file+".so").Output()
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	for s := range versionSymbols {
		found[s] = "local"
	}
	for _, m := range dynamicSymbol.FindAllStringSubmatch(string(out), -1) {
		found[m[1]] = "base"
		if m[2] != "" {
			found[m[1]] = m[2]
		}
	}
	return found
}

func TestDynamicList(t *testing.T) {
	list, err := ParseDynamicList("d", []byte("{ foo; b*; extern \"C++\" { \"ns::f(int)\"; ns::g* }; };\n{ \"q*\"; };"))
	if err != nil {
		t.Fatal(err)
	}
	demangle := func(s string) string { return versionSymbols[s] }
	for symbol, want := range map[string]int{"foo": 0, "bar": 1, "_ZN2ns1fEi": 2, "_ZN2ns1gEv": 3, "q*": 4, "qq": -1, "f": -1} {
		got, ok := MatchList(list, symbol, demangle)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%s: %d, want %d", symbol, got, want)
		}
	}
	for _, bad := range []string{"", "{ };", "{ foo }", "{ foo; }", "{ global: foo; };", "V { foo; };"} {
		if _, err := ParseDynamicList("d", []byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
