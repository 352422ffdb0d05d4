package ldcache

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
)

// files is a tree in memory.
type files map[string]string

func (f files) Read(name string, limit int64) ([]byte, error) {
	if s, ok := f[name]; ok && int64(len(s)) <= limit {
		return []byte(s), nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

func (f files) Names(dir string) ([]string, error) {
	var names []string
	for name := range f {
		if rest, ok := strings.CutPrefix(name, path.Clean(dir)+"/"); ok {
			first, _, _ := strings.Cut(rest, "/")
			names = append(names, first)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

func (f files) Exists(name string) bool {
	for n := range f {
		if n == name || strings.HasPrefix(n, name+"/") {
			return true
		}
	}
	return false
}

func TestConf(t *testing.T) {
	f := files{
		"/etc/ld.so.conf":           "/first # comment\n\n  include ld.so.conf.d/*.conf\ninclude /abs/*/[xy].conf none.conf\n/opt/lib/\nhwcap 1 nosegneg\n/first\n",
		"/etc/ld.so.conf.d/b.conf":  "/b\n",
		"/etc/ld.so.conf.d/a.conf":  "/a=libc6\n/b/\n",
		"/etc/ld.so.conf.d/.h.conf": "/hidden\n",
		"/etc/ld.so.conf.d/readme":  "/readme\n",
		"/abs/1/x.conf":             "/x",
		"/abs/2/y.conf":             "\t/y  \n",
		"/abs/2/z.conf":             "/z",
	}
	dirs, err := Conf(f, "/etc/ld.so.conf")
	if got := strings.Join(dirs, " "); err != nil || got != "/first /a /b /x /y /opt/lib" {
		t.Errorf("%q, %v", got, err)
	}
	for _, tc := range []struct {
		text, words string
	}{
		{"include ld.so.conf\n/a\n", "includes itself"},
		{"relative\n/a\n", `"relative" is not an absolute path`},
		{"include [\n/a\n", "syntax error in pattern"},
	} {
		dirs, err := Conf(files{"/etc/ld.so.conf": tc.text}, "/etc/ld.so.conf")
		if err == nil || !strings.Contains(err.Error(), tc.words) || !slices.Equal(dirs, []string{"/a"}) {
			t.Errorf("%q: %q, %v", tc.text, dirs, err)
		}
	}
}

// TestConfBomb has files that include all others, twice each.
func TestConfBomb(t *testing.T) {
	f := files{"/c/start": "include *\n"}
	for i := range 50 {
		f[fmt.Sprintf("/c/%d", i)] = "include *\ninclude *\n"
	}
	if _, err := Conf(f, "/c/start"); err == nil {
		t.Error("no error")
	}
}

func FuzzConf(f *testing.F) {
	f.Add("/a\ninclude *.conf\n", "/b # x\n")
	f.Add("include ld.so.conf x", "include *")
	f.Fuzz(func(t *testing.T, a, b string) {
		dirs, _ := Conf(files{"/etc/ld.so.conf": a, "/etc/x.conf": b}, "/etc/ld.so.conf")
		for i, d := range dirs {
			if !strings.HasPrefix(d, "/") || slices.Index(dirs, d) != i {
				t.Errorf("%q in %q", d, dirs)
			}
		}
	})
}
