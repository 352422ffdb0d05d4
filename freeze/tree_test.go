package freeze_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/freeze"
	"elfwright/internal/samples"
)

// refusedTrees are the trees that cannot be restored, and what the error says.
var refusedTrees = map[string]string{
	"common_memory": "has its memory in common with process ",
	"outside":       "is a socket that process ",
}

// TestTrees freezes testdata/tree.c, a tree of processes a case.
func TestTrees(t *testing.T) {
	samples.Need(t, "gcc")
	prog := compile(t, "-O1", "testdata/tree.c", "-pthread")
	names, _ := exec.Command(prog).Output()
	if len(bytes.Fields(names)) < 30 {
		t.Fatalf("cases: %q", names)
	}
	for name := range strings.FieldsSeq(string(names)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, frozen := t.TempDir(), filepath.Join(t.TempDir(), "frozen")
			out, code, err := run(t, dir, frozen, freeze.Options{Tree: true}, prog, name)
			if want := refusedTrees[name]; want != "" {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Fatalf("error %v, want one with %q", err, want)
				}
				if _, err := os.Stat(frozen); err == nil {
					t.Error("a file was written")
				}
				return
			}
			if err != nil {
				t.Fatal(err, out)
			}
			want := name + " is as it was\n"
			if name == "output" {
				want = "through\n" + want
			}
			if code != 3 || out != want {
				t.Errorf("the tree that goes on: exit code %d, %q", code, out)
			}
			thawed(t, dir, frozen, 3, want)
		})
	}
}
