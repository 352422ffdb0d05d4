package cache

import (
	"os"
	"path/filepath"
	"testing"

	"elfwright/elffile"
)

func TestCache(t *testing.T) {
	dir := t.TempDir()
	c := &Cache{filepath.Join(dir, "cache")}
	k := Key{Program: "/bin/p", Options: []string{"LD_LIBRARY_PATH=x"}}
	if got := c.Find(k); got != "" {
		t.Fatalf("an empty cache has %s", got)
	}
	put := func(text string) {
		t.Helper()
		if err := c.Put(k, elffile.NewBody(elffile.Buffer(text))); err != nil {
			t.Fatal(err)
		}
	}
	put("image")
	name := c.Find(k)
	if name != c.Name(k) {
		t.Fatalf("found %q, kept %q", name, c.Name(k))
	}
	for _, n := range []string{name, c.Fresh(k)} {
		if b, err := os.ReadFile(n); err != nil || string(b) != "image" {
			t.Errorf("%s: %q, %v", n, b, err)
		}
	}
	if got := c.Find(Key{Program: "/bin/p"}); got != "" {
		t.Errorf("with other options it finds %s", got)
	}
	for what, change := range map[string]func() error{
		"others may write it": func() error { return os.Chmod(name, 0o722) },
		"it is empty":         func() error { return os.Truncate(name, 0) },
		"it is gone":          func() error { return os.Remove(name) },
		"it is a link": func() error {
			if err := os.Rename(name, name+"2"); err != nil {
				return err
			}
			return os.Symlink(name+"2", name)
		},
	} {
		os.Remove(name)
		put("image")
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if got := c.Find(k); got != "" {
			t.Errorf("%s: it is taken", what)
		}
	}
}

// TestLink makes links, and leaves alone what is none.
func TestLink(t *testing.T) {
	dir := t.TempDir()
	c := &Cache{filepath.Join(dir, "cache")}
	k := Key{Program: "/bin/p"}
	if err := c.Put(k, elffile.NewBody(elffile.Buffer("image"))); err != nil {
		t.Fatal(err)
	}
	link, file := filepath.Join(dir, "link"), filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := c.Link(k, link); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(link); err != nil || string(b) != "image" {
			t.Errorf("%q, %v", b, err)
		}
	}
	if err := c.Link(k, file); err == nil {
		t.Error("a file has become a link")
	}
	if b, _ := os.ReadFile(file); string(b) != "mine" {
		t.Errorf("the file is %q", b)
	}
	if names, _ := os.ReadDir(dir); len(names) != 3 {
		t.Errorf("left: %v", names)
	}
}

func TestShared(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := (&Cache{dir}).Put(Key{Program: "/bin/p"}, elffile.NewBody(elffile.Buffer("x"))); err == nil {
		t.Error("an image is kept where anybody may write")
	}
}
