package split_test

import (
	"fmt"
	"runtime/debug"
	"testing"
	"time"

	"elfwright/elffile"
	"elfwright/internal/elftest"
	"elfwright/match"
	"elfwright/split"
)

// whole is a program with all that can be split off.
func whole() []byte { return elftest.ExecSections(elftest.Kinds()[0]).Bytes() }

// goodParts are its image and symbols.
func goodParts(t testing.TB) (img, syms []byte) {
	t.Helper()
	f, err := elffile.Parse("good", whole())
	if err != nil {
		t.Fatal(err)
	}
	r, err := split.Split(f, split.Options{Link: "good.debug"})
	if err != nil {
		t.Fatal(err)
	}
	a, err := r.Image.Bytes(0, 1<<20)
	if len(a) != int(r.Image.Size()) {
		t.Fatal(err)
	}
	b, err := r.Symbols.Bytes(0, 1<<20)
	if len(b) != int(r.Symbols.Size()) {
		t.Fatal(err)
	}
	return a, b
}

// tryFile splits a file, joins and matches it with good ones and with itself.
// Whatever the file is, each ends soon, with a result that can be written or an
// error; and what can be split can be joined.
func tryFile(t testing.TB, name string, b, img, syms []byte) {
	t.Helper()
	guarded(t, name+": split", func() { roundTrip(t, name, b) })
	for _, pair := range [][2][]byte{{b, syms}, {img, b}, {b, b}} {
		guarded(t, name+": join", func() { tryJoin(t, name, pair[0], pair[1]) })
	}
}

func guarded(t testing.TB, what string, do func()) {
	t.Helper()
	began := time.Now()
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%s: panic: %v\n%s", what, p, debug.Stack())
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s took %v", what, took)
		}
	}()
	do()
}

// roundTrip splits a file and joins it; it reports whether the file can be split.
func roundTrip(t testing.TB, name string, b []byte) bool {
	t.Helper()
	f, err := elffile.Parse(name, b)
	if err != nil {
		return false
	}
	for _, sections := range []string{split.Minimal, split.None} {
		r, err := split.Split(f, split.Options{Sections: sections, Link: "x"})
		if err != nil {
			return false
		}
		if r.Symbols.Size() > int64(3*len(b)+1<<20) || r.Image.Size() > int64(3*len(b)+1<<20) {
			t.Errorf("%s: of %d bytes an image of %d and symbols of %d", name, len(b), r.Image.Size(), r.Symbols.Size())
		}
		img, err := elffile.ParseBody(name, r.Image)
		if err != nil {
			t.Fatalf("%s: the image: %v", name, err)
		}
		syms, err := elffile.ParseBody("x", r.Symbols)
		if err != nil {
			t.Fatalf("%s: the symbols: %v", name, err)
		}
		j, err := split.Join(img, syms, split.JoinOptions{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := elffile.Diff(f.Body, j.Body, func(from, to int64) bool {
			t.Errorf("%s: sections %s: [0x%x, 0x%x) differ after split and join", name, sections, from, to)
			return false
		}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	return true
}

// tryJoin joins two files that need not belong together, and reads the result.
func tryJoin(t testing.TB, name string, a, b []byte) {
	t.Helper()
	img, err := elffile.Parse(name, a)
	if err != nil {
		return
	}
	syms, err := elffile.Parse(name, b)
	if err != nil {
		return
	}
	match.Files(img, syms)
	j, err := split.Join(img, syms, split.JoinOptions{Force: true})
	if err != nil {
		return
	}
	if _, err := elffile.ParseBody(name, j.Body); err != nil {
		t.Errorf("%s: the result is no ELF file: %v", name, err)
	}
}

func TestHostile(t *testing.T) {
	each := 50
	if testing.Short() {
		each = 20
	}
	if sweep() {
		each = 5000
	}
	img, syms := goodParts(t)
	for name, b := range elftest.Corpus() {
		tryFile(t, name, b, img, syms)
	}
	seed := uint64(17)
	for name, b := range elftest.WellFormed() {
		seed++
		left := each
		for how, bad := range elftest.Mutate(seed, b) {
			if left--; left < 0 {
				break
			}
			tryFile(t, name+": "+how, bad, img, syms)
		}
	}
	for _, good := range [][]byte{img, syms} {
		seed++
		left := 10 * each
		for how, bad := range elftest.Mutate(seed, good) {
			if left--; left < 0 {
				break
			}
			tryFile(t, how, bad, img, syms)
		}
	}
}

func FuzzSplit(f *testing.F) {
	for _, b := range elftest.WellFormed() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { roundTrip(t, fmt.Sprintf("%d bytes", len(b)), b) })
}

func FuzzJoin(f *testing.F) {
	img, syms := goodParts(f)
	f.Add(img, syms)
	f.Add(whole(), syms)
	f.Add(img, whole())
	f.Fuzz(func(t *testing.T, a, b []byte) { tryJoin(t, "fuzz", a, b) })
}
