package own_test

import (
	"path/filepath"
	"strings"
	"testing"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/internal/samples"
	"elfwright/run/cache"
	"elfwright/run/own"
)

// TestKept keeps the image of a program, finds it, and starts it twice.
func TestKept(t *testing.T) {
	samples.Need(t, ldSO)
	const prog = "/usr/bin/sort"
	p, err := load.Load(prog, load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	e, err := own.Entry(p)
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Files) < 3 {
		t.Errorf("%d files", len(e.Files))
	}
	b, err := bind.Bind(p, bind.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := own.Build(p, b, own.Options{ExecFn: prog})
	if err != nil {
		t.Fatal(err)
	}
	f, err := r.Image.File()
	if err != nil {
		t.Fatal(err)
	}
	c := &cache.Cache{Dir: filepath.Join(t.TempDir(), "kept")}
	k := cache.Key{Program: prog}
	if err := c.Put(k, f.Encode()); err != nil {
		t.Fatal(err)
	}
	name := c.Find(k)
	if name == "" {
		t.Fatal("it is not found")
	}
	want, _ := output(t, prog, "--version")
	for range 2 {
		if got, status := output(t, name, "--version"); !strings.HasPrefix(got, want) || status != 0 {
			t.Errorf("status %d\n%s", status, got)
		}
	}
}

// TestSame makes an image twice.
func TestSame(t *testing.T) {
	samples.Need(t, ldSO)
	var last []byte
	for range 2 {
		p, err := load.Load("/usr/bin/sort", load.Options{})
		if err != nil {
			t.Fatal(err)
		}
		b, err := bind.Bind(p, bind.Options{})
		if err != nil {
			t.Fatal(err)
		}
		r, err := own.Build(p, b, own.Options{})
		if err != nil {
			t.Fatal(err)
		}
		f, err := r.Image.File()
		if err != nil {
			t.Fatal(err)
		}
		body := f.Encode()
		now, err := body.Bytes(0, uint64(body.Size()))
		if err != nil {
			t.Fatal(err)
		}
		if last != nil && string(now) != string(last) {
			t.Error("the second image has other bytes")
		}
		last = append([]byte(nil), now...)
		p.Close()
	}
}
