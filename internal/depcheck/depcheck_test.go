package depcheck

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "elfwright"

// goPackage is the part of what go list prints that the rules are about.
type goPackage struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
	IgnoredGoFiles, IgnoredOtherFiles  []string
}

// list returns the packages of this module.
func list(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Imports,TestImports,XTestImports,IgnoredGoFiles,IgnoredOtherFiles", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// in reports whether a list of words names the package: by itself, by
// "dir/..." or by "...".
func in(words, pkg string) bool {
	return slices.ContainsFunc(strings.Fields(words), func(w string) bool {
		dir, below := strings.CutSuffix(w, "...")
		return w == pkg || below && strings.HasPrefix(pkg+"/", dir)
	})
}

// level returns the line of levels that names the package, or -1.
func level(pkg string) int {
	return slices.IndexFunc(levels[:], func(words string) bool { return in(words, pkg) })
}

// ours returns the path within this module, if the import is one of it.
func ours(path string) (pkg string, ok bool) { return strings.CutPrefix(path, module+"/") }

// rule returns the line of libraries that path falls under.
func rule(path string) *library {
	var best *library
	for i := range libraries {
		l := &libraries[i]
		whole := path == l.prefix || strings.HasPrefix(path, strings.TrimSuffix(l.prefix, "/")+"/")
		if whole && (best == nil || len(l.prefix) > len(best.prefix)) {
			best = l
		}
	}
	return best
}

// foreign reports a path that is neither ours nor of the standard library,
// whose first element has no dot.
func foreign(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".")
}

func TestLevels(t *testing.T) {
	for _, p := range list(t) {
		pkg, _ := ours(p.ImportPath)
		own := level(pkg)
		if own < 0 {
			t.Errorf("package %s has no level: add the word to its line of levels in internal/depcheck/rules_test.go", pkg)
			continue
		}
		for _, path := range p.Imports {
			if other, ok := ours(path); ok && level(other) >= own {
				t.Errorf("%s (level %d) imports %s (level %d): imports go down only", pkg, own, other, level(other))
			}
		}
		others := slices.DeleteFunc(p.IgnoredOtherFiles, func(name string) bool {
			return strings.HasSuffix(name, ".S") && in(assembling, pkg)
		})
		if len(p.IgnoredGoFiles)+len(others) > 0 && !in(ignoring, pkg) {
			t.Errorf("%s: Go leaves out %s %s: rename them, a name that ends in a system or machine is a build constraint",
				pkg, p.IgnoredGoFiles, others)
		}
	}
}

func TestLibraries(t *testing.T) {
	for _, p := range list(t) {
		pkg, _ := ours(p.ImportPath)
		for _, path := range p.Imports {
			checkImport(t, pkg, path, false)
		}
		for _, path := range slices.Concat(p.TestImports, p.XTestImports) {
			checkImport(t, pkg, path, true)
		}
	}
}

func checkImport(t *testing.T, pkg, path string, test bool) {
	t.Helper()
	l := rule(path)
	switch {
	case l == nil && !foreign(path):
	case l == nil:
		t.Errorf("%s imports %s, which is not in libraries (internal/depcheck/rules_test.go): a new one needs a line there and a decision note in docs/notes", pkg, path)
	case in(l.code, pkg), test && in(l.tests, pkg):
	default:
		t.Errorf("%s imports %s, which is for %q (tests: %q) only: see libraries in internal/depcheck/rules_test.go", pkg, path, l.code, l.tests)
	}
}

// TestRules holds the matching itself to what the tables promise.
func TestRules(t *testing.T) {
	for _, tc := range []struct {
		words, pkg string
		want       bool
	}{
		{"a b/c", "b/c", true}, {"a b/c", "b", false}, {"b/...", "b/c", true},
		{"b/...", "b", true}, {"b/...", "bc", false}, {"...", "any/thing", true}, {"", "a", false},
	} {
		if got := in(tc.words, tc.pkg); got != tc.want {
			t.Errorf("in(%q, %q) = %v", tc.words, tc.pkg, got)
		}
	}
	for path, want := range map[string]string{
		"net/http": "net", "net/url": "net/url", "logistics": "", "log/slog": "log",
		"github.com/spf13/cobra": "github.com/spf13/", "golang.org/x/sys/windows": "",
	} {
		got := ""
		if l := rule(path); l != nil {
			got = l.prefix
		}
		if got != want {
			t.Errorf("rule(%q) is for %q, want %q", path, got, want)
		}
	}
	seen := make(map[string]bool)
	for _, words := range levels {
		for w := range strings.FieldsSeq(words) {
			if seen[w] {
				t.Errorf("levels names %s twice", w)
			}
			seen[w] = true
		}
	}
}
