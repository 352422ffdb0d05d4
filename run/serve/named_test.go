package serve_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/samples"
	"elfwright/run/serve"
)

// TestNamed: of a C library, the functions that are looked at by name are where all
// its system calls are that read links. ELFWRIGHT_ROOTS lists directories with the
// libraries of other distributions.
func TestNamed(t *testing.T) {
	const here = "/lib/x86_64-linux-gnu/libc.so.6"
	samples.Need(t, here)
	libs := []string{here}
	for _, root := range filepath.SplitList(os.Getenv("ELFWRIGHT_ROOTS")) {
		libs = append(libs, filepath.Join(root, here))
	}
	for _, name := range libs {
		f, err := elffile.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		all, err := serve.FindLinks(f)
		if err != nil {
			t.Fatal(err)
		}
		some, err := serve.FindLinksIn(f, "readlink", "readlinkat")
		if err != nil {
			t.Fatal(err)
		}
		same := slices.EqualFunc(all.List, some.List, func(a, b serve.Site) bool { return a.Vaddr == b.Vaddr && a.Next == b.Next })
		if !same || len(some.List) != 2 {
			t.Errorf("%s: all sites %+v, by name %+v", name, all.List, some.List)
		}
	}
	f, err := elffile.Open(here)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := serve.FindLinksIn(f, "no_such_function"); err == nil {
		t.Error("no error for a function that is not there")
	}
}
