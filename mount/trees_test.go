package mount

import (
	"debug/elf"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"elfwright/attach"
	"elfwright/elffile"
	"elfwright/erofs"
	"elfwright/internal/elftest"
	"elfwright/internal/samples"
	"elfwright/payload"
)

// attachTrees writes a program with trees of one file each, and a payload that
// is none.
func attachTrees(t testing.TB, program, to string, trees ...attach.Item) {
	t.Helper()
	f, err := elffile.Open(program)
	must(t, err)
	defer f.Close()
	items := []attach.Item{{Name: "note", Kind: payload.File, Data: elffile.Buffer("not a tree")}}
	for _, it := range trees {
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, "name"), []byte(it.Name), 0o644))
		img, err := erofs.Build(dir, erofs.Options{})
		must(t, err)
		defer img.Close()
		it.Kind, it.Data = payload.Tree, img.Data
		items = append(items, it)
	}
	res, err := attach.Add(f, items, attach.Options{})
	must(t, err)
	defer res.Close()
	must(t, res.Body.WriteFile(to, 0o755))
}

func TestTrees(t *testing.T) {
	prog := filepath.Join(t.TempDir(), "prog")
	attachTrees(t, "/bin/cat", prog, attach.Item{Name: "app", Bind: "/opt/app"}, attach.Item{Name: "data"}, attach.Item{Name: "packed", Zstd: true})
	trees, err := Trees(prog)
	must(t, err)
	var got []string
	for _, tr := range trees {
		got = append(got, tr.Name+" "+tr.Bind)
		if tr.Source.Path != prog || tr.Source.Offset%4096 != 0 && !tr.Packed {
			t.Errorf("%+v", tr)
		}
	}
	if d := cmp.Diff([]string{"app /opt/app", "data ", "packed "}, got); d != "" {
		t.Error(d)
	}
	if s, err := Find(trees, "data"); err != nil || s != trees[1].Source {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := Find(trees[:1], ""); err != nil || s != trees[0].Source {
		t.Errorf("%+v, %v", s, err)
	}
	for _, tc := range []struct {
		words []string
		want  []Bind
	}{
		{nil, []Bind{{trees[0].Source, "/opt/app"}}},
		{[]string{"app=/srv"}, []Bind{{trees[0].Source, "/srv"}}},
		{[]string{"data=/a b=c"}, []Bind{{trees[0].Source, "/opt/app"}, {trees[1].Source, "/a b=c"}}},
	} {
		if binds, err := Binds(trees, tc.words); err != nil || !slices.Equal(binds, tc.want) {
			t.Errorf("%q: %+v, %v", tc.words, binds, err)
		}
	}
	refusals := map[string]func() error{
		`say which of "app", "data", "packed"`: func() error { _, err := Find(trees, ""); return err },
		`carries no tree "x"; there are "app"`: func() error { _, err := Find(trees, "x"); return err },
		`tree "packed" is compressed (zstd)`:   func() error { _, err := Find(trees, "packed"); return err },
		`"packed" is compressed`:               func() error { _, err := Binds(trees, []string{"packed=/x"}); return err },
		`"/x": want NAME=/DIR`:                 func() error { _, err := Binds(trees, []string{"/x"}); return err },
		`"app=x": want NAME=/DIR`:              func() error { _, err := Binds(trees, []string{"app=x"}); return err },
		`carries no tree "y"`:                  func() error { _, err := Binds(trees, []string{"y=/x"}); return err },
		`none of its trees has a directory`:    func() error { _, err := Binds(trees[1:2], nil); return err },
		`carries no tree`:                      func() error { _, err := Trees("/bin/cat"); return err },
		`no such file`:                         func() error { _, err := Trees(prog + "x"); return err },
	}
	for want, f := range refusals {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestDamagedDirectory: a directory of payloads that is damaged is the answer no,
// with its place.
func TestDamagedDirectory(t *testing.T) {
	prog := filepath.Join(t.TempDir(), "prog")
	attachTrees(t, "/bin/cat", prog, attach.Item{Name: "app"})
	b, err := os.ReadFile(prog)
	must(t, err)
	b[strings.Index(string(b), "EWPAYLD\x00")+20]++
	must(t, os.WriteFile(prog, b, 0o755))
	_, err = Trees(prog)
	if no, ok := errors.AsType[*Refusal](err); !ok || !no.No() {
		t.Errorf("%v", err)
	}
	if e, ok := errors.AsType[*elffile.Error](err); !ok || e.File != prog || e.Off <= 0 {
		t.Errorf("without a place: %v", err)
	}
}

// TestEveryMachine mounts trees out of programs of all machines, of both classes
// and byte orders, and runs those that can run here with their tree in place.
func TestEveryMachine(t *testing.T) {
	needRoot(t)
	seen := make(map[elf.Machine]bool)
	for _, p := range samples.Programs() {
		if seen[p.Machine] || p.Library || samples.Missing(p.Tools()...) != "" {
			continue
		}
		seen[p.Machine] = true
		t.Run(p.Name, func(t *testing.T) { carries(t, p.Build(t)) })
	}
	for name, b := range elftest.WellFormed() {
		if !strings.Contains(name, "exec") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "prog")
			must(t, os.WriteFile(file, b, 0o755))
			carries(t, file)
		})
	}
}

func carries(t *testing.T, program string) {
	prog := filepath.Join(t.TempDir(), "prog")
	attachTrees(t, program, prog, attach.Item{Name: "app"})
	trees, err := Trees(prog)
	must(t, err)
	for _, via := range []Via{Kernel, FUSE} {
		m := mounted(t, trees[0].Source, Options{Via: via})
		if b, err := os.ReadFile(filepath.Join(m.Dir, "name")); err != nil || string(b) != "app" {
			t.Errorf("by %s: %q, %v", via, b, err)
		}
	}
}
