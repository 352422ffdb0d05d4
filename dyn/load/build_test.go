package load_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elfwright/dyn/load"
	"elfwright/internal/samples"
)

// tree is a directory in which a case is built.
type tree struct {
	t   testing.TB
	dir string
	cc  []string
}

func newTree(t testing.TB, cc ...string) *tree {
	t.Helper()
	samples.Need(t, cc[0])
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return &tree{t, dir, cc}
}

func (b *tree) path(name string) string { return filepath.Join(b.dir, name) }

// link makes a shared object, or a program where the name has no ".so" in it, of
// one line of C. Words that begin with '-' are for the linker; the others are
// libraries of the tree that it needs.
func (b *tree) link(name, code string, words ...string) {
	b.t.Helper()
	out := b.path(name)
	if err := os.MkdirAll(filepath.Dir(out), 0o777); err != nil {
		b.t.Fatal(err)
	}
	args := []string{"-x", "c", "-", "-x", "none", "-o", out, "-Wl,--no-as-needed,--allow-shlib-undefined,--unresolved-symbols=ignore-all"}
	if strings.Contains(name, ".so") {
		args = append(args, "-shared", "-fPIC")
	} else if code == "" {
		code = "int main(void){return 0;}"
	}
	for _, w := range words {
		switch {
		case strings.HasPrefix(w, "-Wl,"), strings.HasPrefix(w, "-n"), strings.HasPrefix(w, "-l"), strings.HasPrefix(w, "-L"):
			args = append(args, w)
		case strings.HasPrefix(w, "-"):
			args = append(args, "-Wl,"+w)
		default:
			args = append(args, b.path(w))
		}
	}
	b.run(code, append(slices.Clone(b.cc[1:]), args...)...)
}

func (b *tree) run(stdin string, args ...string) {
	b.t.Helper()
	cmd := exec.Command(b.cc[0], args...)
	cmd.Dir = b.dir
	cmd.Stdin = strings.NewReader(stdin + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.t.Fatalf("%s %s: %v\n%s", b.cc[0], strings.Join(args, " "), err, out)
	}
}

func (b *tree) write(name, text string) {
	b.t.Helper()
	if err := os.MkdirAll(filepath.Dir(b.path(name)), 0o777); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(b.path(name), []byte(text), 0o666); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tree) move(from, to string) {
	b.t.Helper()
	if err := os.MkdirAll(filepath.Dir(b.path(to)), 0o777); err != nil {
		b.t.Fatal(err)
	}
	if err := os.Rename(b.path(from), b.path(to)); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tree) symlink(target, name string) {
	b.t.Helper()
	if err := os.MkdirAll(filepath.Dir(b.path(name)), 0o777); err != nil {
		b.t.Fatal(err)
	}
	if err := os.Symlink(target, b.path(name)); err != nil {
		b.t.Fatal(err)
	}
}

// corner is a built case: prog is started in the tree with an environment.
type corner struct {
	name    string
	build   func(b *tree)
	prog    string // "p" if empty
	env     []string
	filters bool   // the order in which objects are walked is not that of the list
	want    string // the files that are loaded, as far as they are in the tree, by hand
}

func (c *corner) options() load.Options {
	opt := load.Options{}
	for _, e := range c.env {
		key, value, _ := strings.Cut(e, "=")
		switch key {
		case "LD_LIBRARY_PATH":
			opt.LibraryPath = value
		case "LD_PRELOAD":
			opt.Preload = value
		case "LD_AUDIT":
			opt.Audit = value
		}
	}
	return opt
}

// blocks puts each search together and sorts them.
func blocks(events []string) []string {
	var list []string
	for _, e := range events {
		if strings.HasPrefix(e, "find ") || len(list) == 0 {
			list = append(list, e)
		} else {
			list[len(list)-1] += "; " + e
		}
	}
	slices.Sort(list)
	return list
}
