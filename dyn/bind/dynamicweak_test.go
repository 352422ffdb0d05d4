package bind

import (
	"path/filepath"
	"testing"

	"elfwright/internal/samples"
)

// TestDynamicWeak has weak definitions as second best, in the cases that have any,
// and on a program of this machine with C++ libraries, which are full of them.
func TestDynamicWeak(t *testing.T) {
	h := hosts[0]
	samples.Need(t, h.cc, "apt")
	changed := 0
	check := func(t *testing.T, prog string) {
		first := h.bind(t, prog, Start)
		r, err := Bind(first.Process, Options{Now: true, Weak: true})
		if err != nil {
			t.Error(err)
		}
		us, theirs := ours(r), h.listen(h.start([]string{prog}, "LD_BIND_NOW=1", "LD_DEBUG=bindings:impcalls", "LD_DYNAMIC_WEAK=1"))
		theirs.bindings = withoutMalloc(prog, us.bindings, theirs.bindings)
		sameAccount(t, "start", us, theirs)
		before := changed
		for i := range r.Bindings {
			if r.Bindings[i].To != first.Bindings[i].To {
				changed++
			}
		}
		t.Logf("%d of %d bindings are others", changed-before, len(r.Bindings))
	}
	for _, name := range []string{"weak", "symbolic", "unique-copy", "protected"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			build(t, "testdata/corner/"+name+".sh", dir, h.cc)
			check(t, filepath.Join(dir, "prog"))
		})
	}
	t.Run("weak-symbolic", func(t *testing.T) {
		dir := t.TempDir()
		build(t, "testdata/weak-symbolic.sh", dir, h.cc)
		check(t, filepath.Join(dir, "prog"))
	})
	t.Run("C++", func(t *testing.T) { check(t, "/usr/bin/apt") })
	if changed < 2 {
		t.Errorf("only %d bindings are others", changed)
	}
}
