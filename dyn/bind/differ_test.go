package bind

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"elfwright/dyn/load"
)

// bindings are a result's as a loader's trace has them: sorted, each once.
func bindings(r *Result) []string {
	var list []string
	for _, b := range r.Bindings {
		if b.To < 0 || b.Rule == Local {
			continue
		}
		list = append(list, line(r, b))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func line(r *Result, b Binding) string {
	v, _ := r.Version(b)
	return fmt.Sprintf("%s -> %s: %s [%s]", base(r.Process.Objects[b.From]), base(r.Process.Objects[b.To]), r.Name(b), v)
}

func base(o *load.Object) string { return o.Path }

var bindLine = regexp.MustCompile("binding file (.*) \\[0\\] to (.*) \\[0\\]: (?:normal|protected) symbol `(.*)'(?: \\[(.*)\\])?$")

// traceBindings asks glibc's dynamic linker for its own account.
func traceBindings(t testing.TB, cmd *exec.Cmd) []string {
	t.Helper()
	var out bytes.Buffer
	cmd.Stderr, cmd.Stdout = &out, nil
	cmd.Run()
	var list []string
	for l := range bytes.Lines(out.Bytes()) {
		if m := bindLine.FindSubmatch(bytes.TrimRight(l, "\n")); m != nil {
			list = append(list, fmt.Sprintf("%s -> %s: %s [%s]", m[1], m[2], m[3], m[4]))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// minus is what is in a and not in b; both are sorted.
func minus(a, b []string) []string {
	var left []string
	for _, x := range a {
		if _, ok := slices.BinarySearch(b, x); !ok {
			left = append(left, x)
		}
	}
	return left
}

func TestQuick(t *testing.T) {
	for _, path := range strings.Fields(os.Getenv("FILES")) {
		p := traced(t, path)
		r, err := Bind(p, Options{Order: Trace})
		if err != nil {
			t.Error(err)
		}
		cmd := exec.Command(hostLd, path)
		cmd.Env = []string{"LD_TRACE_LOADED_OBJECTS=1", "LD_WARN=yes", "LD_BIND_NOW=1", "LD_DEBUG=bindings"}
		theirs, ours := traceBindings(t, cmd), bindings(r)
		m, e := minus(theirs, ours), minus(ours, theirs)
		t.Logf("%s: %d, %d missing, %d extra", path, len(theirs), len(m), len(e))
		for _, x := range m[:min(5, len(m))] {
			t.Errorf("missing %s", x)
		}
		for _, x := range e[:min(5, len(e))] {
			t.Errorf("extra %s", x)
		}
	}
}
