package sysroot

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// tree makes a root with links that would lead out of it.
func tree(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(dir+"/root/usr/lib", 0o777))
	must(os.MkdirAll(dir+"/root/a/b", 0o777))
	must(os.WriteFile(dir+"/outside", []byte("outside"), 0o666))
	must(os.WriteFile(dir+"/root/usr/lib/x", []byte("inside"), 0o666))
	for _, l := range [][2]string{
		{"usr/lib", "lib"}, {"/usr/lib", "abs"}, {"/usr/lib/x", "usr/x"}, {"../../../../usr/lib/x", "a/b/up"},
		{"/lib", "twice"}, {"../outside", "out"}, {"/outside", "out2"}, {"loop", "loop"}, {"..", "dots"},
	} {
		must(os.Symlink(l[0], dir+"/root/"+l[1]))
	}
	return dir + "/root"
}

// roots are the tree by openat2, and without it.
func roots(t *testing.T) []*Root {
	dir := tree(t)
	var list []*Root
	for _, slow := range []bool{false, true} {
		r, err := Open(dir, "/usr")
		if err != nil {
			t.Fatal(err)
		}
		r.slow = r.slow || slow
		t.Cleanup(func() { r.Close() })
		list = append(list, r)
	}
	return list
}

func TestFile(t *testing.T) {
	for _, r := range roots(t) {
		for name, want := range map[string]string{
			"/usr/lib/x": "inside", "/lib/x": "inside", "/abs/x": "inside", "/usr/x": "inside", "/a/b/up": "inside", "/twice/x": "inside",
			"lib/x": "inside", "x": "inside", "/../../usr/lib/x": "inside", "/dots/usr/lib/x": "inside", "//usr//lib/./x": "inside",
			"/out": "", "/out2": "", "/none": "", "/none/x": "", "none": "",
		} {
			f, err := r.File(name)
			if want == "" {
				if err != unix.ENOENT {
					t.Errorf("slow %v, %s: %v", r.slow, name, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("slow %v, %s: %v", r.slow, name, err)
				continue
			}
			b, _ := io.ReadAll(f)
			f.Close()
			if string(b) != want {
				t.Errorf("slow %v, %s: %q", r.slow, name, b)
			}
		}
		if _, err := r.File("/loop"); err != unix.ELOOP {
			t.Errorf("slow %v: %v", r.slow, err)
		}
		if _, err := r.File("/usr/lib/x/y"); err != unix.ENOTDIR && err != unix.ENOENT {
			t.Errorf("slow %v: %v", r.slow, err)
		}
	}
}

func TestReal(t *testing.T) {
	for _, r := range roots(t) {
		for name, want := range map[string]string{"/twice/x": "/usr/lib/x", "x": "/usr/lib/x", "/abs": "/usr/lib", "/": "/", "/a/b/up": "/usr/lib/x"} {
			if got, err := r.Real(name); got != want || err != nil {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		}
		if got, err := r.Real("/out"); err == nil {
			t.Errorf("/out is %q", got)
		}
		if in, ok := r.Inside(r.Dir() + "/a/b/up"); !ok || in != "/a/b/up" {
			t.Errorf("%q, %v", in, ok)
		}
		if in, ok := r.Inside(filepath.Dir(r.Dir()) + "/outside"); ok {
			t.Errorf("outside is %q", in)
		}
		if got := r.Host("lib/x"); got != r.Dir()+"/usr/lib/x" {
			t.Error(got)
		}
		if names, err := r.Names("/abs/"); !slices.Equal(names, []string{"x"}) || err != nil {
			t.Error(names, err)
		}
		if b, err := r.Read("/lib/x", 6); string(b) != "inside" || err != nil {
			t.Error(string(b), err)
		}
		if _, err := r.Read("/lib/x", 5); err == nil || !strings.Contains(err.Error(), "5 bytes") {
			t.Error(err)
		}
		if _, err := r.Read("/lib", 5); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Error(err)
		}
	}
}

// TestMissing has a directory that comes into being: once found missing, it is not
// asked again.
func TestMissing(t *testing.T) {
	r := roots(t)[0]
	if _, err := r.File("/later/x"); err != unix.ENOENT {
		t.Fatal(err)
	}
	if err := os.Mkdir(r.Dir()+"/later", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.Dir()+"/later/x", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := r.File("/later/x"); err != unix.ENOENT {
		t.Error("it was asked again:", err)
	}
	// A file that is missing in a directory that is there says nothing.
	if _, err := r.File("/usr/lib/y"); err != unix.ENOENT {
		t.Error(err)
	}
	if f, err := r.File("/usr/lib/x"); err != nil {
		t.Error(err)
	} else {
		f.Close()
	}
}

// TestMachine is the root that is the machine's own.
func TestMachine(t *testing.T) {
	dir := tree(t)
	t.Chdir(dir)
	r, err := Open("/", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"usr/lib/x", dir + "/usr/lib/x"} {
		f, err := r.File(name)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		if got := r.Abs(name); got != dir+"/usr/lib/x" {
			t.Error(got)
		}
		if got, err := r.Real("lib/x"); err != nil || filepath.Base(filepath.Dir(got)) != "lib" || !filepath.IsAbs(got) {
			t.Error(got, err)
		}
	}
	if r.Dir() != "/" || r.Host("/x") != "/x" {
		t.Error(r.Dir())
	}
	if in, ok := r.Inside("x"); in != "x" || !ok {
		t.Error(in, ok)
	}
}

func ExampleRoot_Real() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	os.MkdirAll(dir+"/usr/lib", 0o777)
	os.Symlink("/usr/lib", dir+"/lib")
	r, err := Open(dir, "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	fmt.Println(r.Real("/lib"))
	// Output: /usr/lib <nil>
}

func BenchmarkMissing(b *testing.B) {
	r, err := Open(tree(b), "")
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	for b.Loop() {
		r.File("/none/tls/x86_64/libfoo.so")
	}
}
