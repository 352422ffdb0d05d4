package bind

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"elfwright/dyn/load"
	"elfwright/elffile"
	"elfwright/internal/samples"
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

// withoutVDSO drops what the kernel's own object binds to itself: it is in no scope.
func withoutVDSO(list []string) []string {
	return slices.DeleteFunc(list, func(l string) bool { return strings.HasPrefix(l, "linux-vdso.so.1 ") })
}

func TestSweep(t *testing.T) {
	var files []string
	for path := range samples.SystemELFs("/usr/bin", "/usr/lib", "/usr/sbin", "/usr/libexec") {
		f, err := elffile.Open(path)
		if err != nil {
			continue
		}
		d, _ := f.Dynamic()
		if d.Prog >= 0 && f.Header.Machine == elf.EM_X86_64 && f.Class == elf.ELFCLASS64 && !strings.HasSuffix(path, ".o") {
			files = append(files, path)
		}
		f.Close()
	}
	total, bad := 0, 0
	for _, path := range files {
		p := traced(t, path)
		if p == nil {
			continue
		}
		r, err := Bind(p, Options{Order: Trace})
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		cmd := exec.Command(hostLd, path)
		cmd.Env = []string{"LD_TRACE_LOADED_OBJECTS=1", "LD_WARN=yes", "LD_BIND_NOW=1", "LD_DEBUG=bindings"}
		theirs, ours := withoutVDSO(traceBindings(t, cmd)), bindings(r)
		m, e := minus(theirs, ours), minus(ours, theirs)
		total += len(theirs)
		if len(m)+len(e) > 0 {
			bad++
			t.Errorf("%s: %d, %d missing, %d extra", path, len(theirs), len(m), len(e))
			for _, x := range m[:min(3, len(m))] {
				t.Logf("missing %s", x)
			}
			for _, x := range e[:min(3, len(e))] {
				t.Logf("extra %s", x)
			}
		}
		for _, o := range p.Objects {
			o.Close()
		}
	}
	t.Logf("%d files, %d bindings, %d files differ", len(files), total, bad)
}
