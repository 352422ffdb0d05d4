package deps

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/dyn/load"
	"elfwright/internal/samples"
)

// builder makes libraries and programs of C in a directory.
type builder struct {
	testing.TB
	dir string
}

func newBuilder(t testing.TB) *builder {
	samples.Need(t, "gcc")
	return &builder{t, t.TempDir()}
}

// build makes a shared object, or a program where the name has no ".so" in it, which
// needs the others, in this order, used or not. Words that begin with '-' are
// options.
func (b *builder) build(name, source string, needs ...string) string {
	b.Helper()
	out := filepath.Join(b.dir, name)
	args := []string{"-o", out, "-x", "c", "-", "-x", "none", "-L" + b.dir, "-Wl,--no-as-needed", "-Wl,--allow-shlib-undefined", "-Wl,-rpath," + b.dir}
	if strings.Contains(name, ".so") {
		args = append(args, "-shared", "-fPIC", "-Wl,-soname,"+name)
	} else {
		args = append(args, "-no-pie")
	}
	for _, n := range needs {
		if !strings.HasPrefix(n, "-") {
			n = filepath.Join(b.dir, n)
		}
		args = append(args, n)
	}
	cmd := exec.Command("gcc", args...)
	cmd.Stdin = strings.NewReader(source)
	if msg, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("gcc %s: %v\n%s", strings.Join(args, " "), err, msg)
	}
	return out
}

// TestUnusedRules has a library of each rule, and those that are used in ways that
// are easily overlooked.
func TestUnusedRules(t *testing.T) {
	b := newBuilder(t)
	b.build("libvain.so", "int vain(void) { return 1; }")
	b.build("libinner.so", "int inner(void) { return 1; }")
	b.build("libumbrella.so", "int inner(void) { return 1; }", "libinner.so")
	b.build("libcopied.so", "int copied = 4;")
	b.build("liblate.so", "int late(void) { return 5; }")
	b.build("libtwin.so", "int twin(void) { return 6; }")
	b.build("libshared.so", "int shared(void) { return 7; }")
	b.build("libuser.so", "int shared(void), twin(void); extern int copied;\nint user(void) { return shared() + twin() + copied; }", "libshared.so", "libtwin.so", "libcopied.so")
	prog := b.build("prog", `int inner(void), late(void), user(void); extern int copied;
int twin(void) { return 8; }
int main(int c, char **v) { return (c > 1 ? late() : 0) + inner() + user() + copied + twin(); }`,
		"libvain.so", "libumbrella.so", "libcopied.so", "liblate.so", "libshared.so", "libuser.so")
	b.build("libumbrella.so", "int umbrella(void) { return 1; }", "libinner.so") // what it had is in libinner.so now
	s := subjectOf(t, prog, load.Options{}, true)
	got := map[string]UnusedRule{}
	for _, u := range s.Unused() {
		got[s.Name(u.By)+" "+u.Need.Name] = u.Rule
	}
	for _, c := range []struct {
		key  string
		rule UnusedRule
	}{
		{prog + " libvain.so", InVain},
		{prog + " libumbrella.so", Brings},
		{prog + " libshared.so", Others},
		{"libuser.so libtwin.so", Interposed},
	} {
		rule, ok := got[c.key]
		if !ok || rule != c.rule {
			t.Errorf("%s: %v, %v; want %v", c.key, rule, ok, c.rule)
		}
		delete(got, c.key)
	}
	for key, rule := range got {
		if !strings.HasSuffix(key, " libc.so.6") && !strings.HasPrefix(key, "libumbrella.so ") {
			t.Errorf("%s is told to be unused, by rule %v", key, rule)
		}
	}
	if !s.UnusedBy(s.Unused()) {
		t.Error("the program needs nothing in vain")
	}
	var text bytes.Buffer
	s.WriteUnused(&text, s.Unused(), noStyle)
	if !strings.Contains(text.String(), "libumbrella.so: nothing is bound to it, but without it libinner.so would not be loaded") {
		t.Error(text.String())
	}
}

// TestScanWorkers: what is found does not depend on the number of workers, and each
// file is judged once whatever it is called.
func TestScanWorkers(t *testing.T) {
	b := newBuilder(t)
	b.build("libgone.so", "int gone(void) { return 1; }")
	b.build("libmid.so", "int gone(void);\nint mid(void) { return gone(); }", "libgone.so")
	for _, name := range []string{"one", "two", "three"} {
		b.build(name, "int mid(void);\nint main(void) { return mid(); }", "libmid.so")
	}
	b.build("plug.so", "int host(void), nobody(void);\nint plug(void) { return host() + nobody(); }")
	if err := os.Link(filepath.Join(b.dir, "one"), filepath.Join(b.dir, "zone")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("two", filepath.Join(b.dir, "too")); err != nil {
		t.Fatal(err)
	}
	for _, gone := range []bool{false, true} {
		if gone {
			if err := os.Remove(filepath.Join(b.dir, "libgone.so")); err != nil {
				t.Fatal(err)
			}
		}
		var docs []string
		for _, workers := range []int{1, 2, 7} {
			l, err := load.New(load.Options{})
			if err != nil {
				t.Fatal(err)
			}
			r, err := Scan(l, ScanOptions{Dirs: []string{b.dir}, Workers: workers})
			if err != nil {
				t.Fatal(err)
			}
			var doc bytes.Buffer
			if err := r.JSON(&doc); err != nil {
				t.Fatal(err)
			}
			r.Text(&doc, noStyle)
			docs = append(docs, doc.String())
			if r.Programs != 3 || len(r.Plugins) != 1 || (len(r.Broken) == 1) != gone || gone && len(r.Broken[0].Affects) != 3 {
				t.Errorf("gone %v: %d programs, %d plugins, broken: %+v", gone, r.Programs, len(r.Plugins), r.Broken)
			}
			l.Close()
		}
		if docs[0] != docs[1] || docs[1] != docs[2] {
			t.Errorf("1, 2 and 7 workers differ:\n%s\n%s\n%s", docs[0], docs[1], docs[2])
		}
	}
}

// TestListCorners holds the list against the dynamic linker's where filtees are, and
// where libraries are missing.
func TestListCorners(t *testing.T) {
	samples.Need(t, ldso)
	for _, gone := range []string{"", "libe.so", "libd.so", "libg.so", "libnot.so"} {
		b := newBuilder(t)
		b.build("libe.so", "int e;")
		b.build("libg.so", "int g;")
		b.build("libd.so", "int d;", "libg.so")
		b.build("libh.so", "int h;", "libd.so", "libe.so")
		b.build("libf.so", "int f;", "-Wl,-F,libe.so", "-Wl,-f,libnot.so", "libh.so")
		prog := b.build("prog", "int main(void) { return 0; }", "libf.so", "libd.so")
		os.Remove(filepath.Join(b.dir, gone))
		want := traced(t, prog)
		var text bytes.Buffer
		subjectOf(t, prog, load.Options{NamesOnly: true}, false).List(&text)
		if got := text.String(); got != want {
			t.Errorf("without %q:\n%sthe dynamic linker:\n%s", gone, got, want)
		}
	}
}
