package load_test

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"elfwright/dyn/load"
	"elfwright/internal/samples"

	"golang.org/x/sys/unix"
)

// many makes n libraries, each of which needs two others, in circles: one is
// linked, and the others are copies with other names in them.
func many(t testing.TB, b *tree, n int) {
	t.Helper()
	b.link("libx00001.so", "", "-soname=libx00001.so")
	b.link("libx00002.so", "", "-soname=libx00002.so")
	b.link("libx00000.so", "", "libx00001.so", "libx00002.so", "-soname=libx00000.so", both, "-rpath=$ORIGIN")
	b.link("p", "", "libx00000.so", both, "-rpath=$ORIGIN")
	text, err := os.ReadFile(b.path("libx00000.so"))
	if err != nil {
		t.Fatal(err)
	}
	name := func(i int) []byte { return fmt.Appendf(nil, "libx%05d.so", i%n) }
	for i := range n {
		c := bytes.ReplaceAll(text, name(0), []byte("SELF00000000"))
		c = bytes.ReplaceAll(c, []byte("libx00001.so"), name(i+1))
		c = bytes.ReplaceAll(c, []byte("libx00002.so"), name(3*i))
		c = bytes.ReplaceAll(c, []byte("SELF00000000"), name(i))
		if err := os.WriteFile(b.path(string(name(i))), c, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMany has thousands of libraries in circles.
func TestMany(t *testing.T) {
	n := 1500
	if sweep() {
		n = 5000
	}
	b := newTree(t, native)
	many(t, b, n)
	// No descriptor is kept for a file that is loaded.
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	few := unix.Rlimit{Cur: 100, Max: limit.Max}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
	start := time.Now()
	p, err := load.Load(b.path("p"), load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	loaded := time.Since(start)
	if len(p.Objects) < n+1 || len(required(p)) != 0 {
		t.Fatalf("%d objects, %q is missing", len(p.Objects), required(p))
	}
	start = time.Now()
	seen := make(map[*load.Object]bool)
	for _, o := range p.RelocationOrder() {
		seen[o] = true
	}
	if len(seen) != len(p.Objects) && len(seen) != len(p.Objects)-1 {
		t.Errorf("%d of %d objects are relocated", len(seen), len(p.Objects))
	}
	p.Version = load.Version{Major: 2, Minor: 31}
	if got := len(p.RelocationOrder()); got != len(seen) {
		t.Errorf("by the old algorithm %d of %d objects", got, len(seen))
	}
	t.Logf("%d objects in %v, their orders in %v", len(p.Objects), loaded, time.Since(start))
}

// TestShared has one Loader load many programs at once: each as alone.
func TestShared(t *testing.T) {
	samples.Need(t, ldso)
	files := dynamicFiles(t, "/usr/bin")
	if len(files) > 60 {
		files = files[:60]
	}
	l, err := load.New(load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var wg sync.WaitGroup
	together := make([]account, len(files))
	for i, name := range files {
		wg.Go(func() {
			if p, err := l.Load(name); err == nil {
				together[i] = told(p)
			}
		})
	}
	wg.Wait()
	for i, name := range files {
		p, err := load.Load(name, load.Options{})
		if err != nil {
			t.Fatal(err)
		}
		same(t, name, told(p), together[i])
		p.Close()
	}
}
