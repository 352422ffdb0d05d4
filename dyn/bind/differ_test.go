package bind

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

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

// withoutVDSO drops what the kernel's own object binds to itself: it is in no scope.
func withoutVDSO(list []string) []string {
	return slices.DeleteFunc(list, func(l string) bool { return strings.HasPrefix(l, "linux-vdso.so.1 ") })
}
