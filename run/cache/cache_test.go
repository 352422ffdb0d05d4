package cache

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"elfwright/elffile"
)

func TestCache(t *testing.T) {
	dir := t.TempDir()
	lib := filepath.Join(dir, "lib.so")
	if err := os.WriteFile(lib, []byte("library"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := &Cache{filepath.Join(dir, "cache")}
	k := Key{Program: "/bin/p", Options: []string{"LD_LIBRARY_PATH=x"}}
	if got := c.Find(k); got != "" {
		t.Fatalf("an empty cache has %s", got)
	}
	put := func() string {
		t.Helper()
		st, err := Stat(lib)
		if err != nil {
			t.Fatal(err)
		}
		name, err := c.Put(k, Entry{Files: []File{st}, Absent: []string{filepath.Join(dir, "early", "lib.so")}, Build: []string{"00ff"}}, elffile.NewBody(elffile.Buffer("image")))
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	name := put()
	if got := c.Find(k); got != name {
		t.Fatalf("found %q, kept %q", got, name)
	}
	if b, err := os.ReadFile(name); err != nil || string(b) != "image" {
		t.Errorf("%q, %v", b, err)
	}
	if got := c.Find(Key{Program: "/bin/p"}); got != "" {
		t.Errorf("with other options it finds %s", got)
	}

	// What each of these changes makes the image useless, until it is made anew.
	for what, change := range map[string]func() error{
		"a library that changed": func() error {
			return os.WriteFile(lib, []byte("another library"), 0o644)
		},
		"a library that was touched": func() error {
			return os.Chtimes(lib, time.Time{}, time.Unix(1, 2))
		},
		"a library found earlier": func() error {
			if err := os.Mkdir(filepath.Join(dir, "early"), 0o755); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, "early", "lib.so"), nil, 0o644)
		},
		"an image that others may write": func() error { return os.Chmod(name, 0o722) },
		"an image that changed":          func() error { return os.WriteFile(name, []byte("other"), 0o700) },
		"an entry cut off":               func() error { return os.Truncate(c.name(k)+".entry", 100) },
		"an entry that is gone":          func() error { return os.Remove(c.name(k) + ".entry") },
	} {
		os.RemoveAll(filepath.Join(dir, "early"))
		put()
		if c.Find(k) == "" {
			t.Fatalf("before %s: nothing is found", what)
		}
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if got := c.Find(k); got != "" {
			t.Errorf("after %s: %s is taken", what, got)
		}
	}
}

func TestShared(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := (&Cache{dir}).Put(Key{Program: "/bin/p"}, Entry{}, elffile.NewBody(elffile.Buffer("x"))); err == nil {
		t.Error("an image is kept where anybody may write")
	}
}

func FuzzDecode(f *testing.F) {
	e := Entry{Files: []File{{"/a b", 1, 2, 3, 4, 5}}, Absent: []string{"/x\n"}, Build: []string{"ff"}}
	f.Add(e.encode(File{Path: "/i", Size: 9}))
	f.Add([]byte(version + "\nfile 1 2\nend\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, image, err := decode(b)
		if err != nil {
			return
		}
		again := e.encode(image)
		e2, image2, err := decode(again)
		if err != nil || image2 != image || !bytes.Equal(e2.encode(image2), again) {
			t.Errorf("%q becomes %q: %v", b, again, err)
		}
	})
}
