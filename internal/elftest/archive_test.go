package elftest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/internal/elftest"
	"elfwright/internal/samples"
)

// TestArReadsArchives lets ar list and extract, and nm read the index.
func TestArReadsArchives(t *testing.T) {
	samples.Need(t, "ar", "nm")
	obj := elftest.Object(elftest.Kinds()[0]).Bytes()
	members := []elftest.Member{
		{Name: "a.o", Data: obj, Symbols: []string{"foo", "bar"}},
		{Name: "exactly15bytes.o"[:15], Data: []byte("odd"), Date: 1700000000, UID: 1000, GID: 100, Mode: 0o600},
		{Name: "a-name-of-more-than-sixteen-bytes.o", Data: obj, Symbols: []string{"baz"}},
		{Name: "with blank", Data: []byte("even")},
	}
	for name, a := range map[string]elftest.Archive{
		"gnu":   {Index: elftest.Index32},
		"sym64": {Index: elftest.Index64},
		"plain": {},
		"bsd":   {Names: elftest.BSDNames},
	} {
		t.Run(name, func(t *testing.T) {
			a.Members = members
			path := filepath.Join(t.TempDir(), "x.a")
			if err := os.WriteFile(path, a.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			var want string
			for _, m := range members {
				want += m.Name + "\n"
			}
			equal(t, "ar t", output(t, "ar", "t", path), want, nil)
			equal(t, "ar p", output(t, "ar", "p", path, "with blank"), "even", nil)
			if a.Index != elftest.NoIndex {
				got := output(t, "nm", "-s", path)
				for _, line := range []string{"foo in a.o", "bar in a.o", "baz in " + members[2].Name} {
					if !strings.Contains(got, line+"\n") {
						t.Errorf("nm -s does not say %q:\n%s", line, got)
					}
				}
			}
		})
	}
}

func TestArReadsThinArchives(t *testing.T) {
	samples.Need(t, "ar")
	dir := t.TempDir()
	a := elftest.Archive{Thin: true, Members: []elftest.Member{{Name: "m1.o", Data: []byte("one")}, {Name: "sub/m2.o", Data: []byte("two")}}}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"x.a": a.Bytes(), "m1.o": []byte("one"), "sub/m2.o": []byte("two")} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "ar p", output(t, "ar", "p", filepath.Join(dir, "x.a")), "onetwo", nil)
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		t.Fatalf("%s %v: %v", name, args, err)
	}
	return string(out)
}
