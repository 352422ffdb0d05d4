package attach_test

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elfwright/attach"
	"elfwright/elffile"
	"elfwright/erofs"
	"elfwright/internal/samples"
	"elfwright/payload"
	"elfwright/phdr"
)

// pattern is bytes that no program has by chance.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*11 + i>>7)
	}
	return b
}

// tree builds the image of a small directory.
func tree(t *testing.T) elffile.Data {
	t.Helper()
	dir := t.TempDir()
	os.Mkdir(filepath.Join(dir, "sub"), 0o755)
	os.WriteFile(filepath.Join(dir, "sub", "file"), pattern(5000), 0o644)
	os.Symlink("sub/file", filepath.Join(dir, "link"))
	img, err := erofs.Build(dir, erofs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { img.Close() })
	return img.Data
}

// items are one payload of each kind.
func items(t *testing.T, object string) []attach.Item {
	t.Helper()
	f, err := elffile.Open(object)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return []attach.Item{
		{Name: "small", Kind: payload.File, Data: elffile.Buffer("a few words")},
		{Name: "data", Kind: payload.File, Data: elffile.Buffer(pattern(6000)), Zstd: true},
		{Name: "tree", Kind: payload.Tree, Data: tree(t)},
		{Name: "object", Kind: payload.Object, Data: f.Body.Window(0, f.Body.Size())},
	}
}

// change edits a file and writes the result.
func change(t *testing.T, from, to string, do func(*elffile.File) (*attach.Result, error)) (*attach.Report, error) {
	t.Helper()
	f, err := elffile.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := do(f)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if err := r.Body.WriteFile(to, f.Mode()); err != nil {
		t.Fatal(err)
	}
	rep, err := r.Report()
	return rep, err
}

func add(t *testing.T, from, to string, opt attach.Options, list ...attach.Item) (*attach.Report, error) {
	t.Helper()
	return change(t, from, to, func(f *elffile.File) (*attach.Result, error) { return attach.Add(f, list, opt) })
}

// A subject is a program of the matrix, and what its original writes.
type subject struct {
	samples.Program
	path   string
	out    string
	status int
}

func newSubject(t *testing.T, p samples.Program) *subject {
	s := &subject{Program: p, path: p.Build(t)}
	if s.out, s.status = p.Run(t, s.path, "go"); s.status != 0 {
		t.Fatalf("the original ends with %d:\n%s", s.status, s.out)
	}
	return s
}

// works checks that a file does what the original does, finds its directory in
// memory, and that every payload is whole. It returns where they are.
func (s *subject) works(t *testing.T, path string, want []string) map[string]uint64 {
	t.Helper()
	if out, status := s.Run(t, path, "go"); out != s.out || status != s.status {
		t.Errorf("%s ends with %d:\n%s\nthe original with %d:\n%s", filepath.Base(path), status, out, s.status, s.out)
	}
	f, err := elffile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dirs, err := payload.Read(f)
	if err != nil {
		t.Errorf("%s: %v", filepath.Base(path), err)
	}
	places := make(map[string]uint64)
	for _, d := range dirs {
		for i := range d.Entries {
			e := &d.Entries[i]
			places[e.Name] = e.Off
			if err := payload.Verify(f, e); err != nil {
				t.Errorf("%s: %v", filepath.Base(path), err)
			}
		}
		if d.Loaded {
			s.finds(t, path, f, d)
		}
	}
	for _, name := range want {
		if _, ok := places[name]; !ok {
			t.Errorf("%s: payload %q is lost", filepath.Base(path), name)
		}
	}
	return places
}

// finds checks that the program finds the bytes in its memory.
func (s *subject) finds(t *testing.T, path string, f *elffile.File, d *payload.Directory) {
	t.Helper()
	b, err := f.Body.Bytes(d.Off, d.Size)
	if err != nil {
		t.Fatal(err)
	}
	h := fnv.New32a()
	h.Write(b)
	out, status := s.Run(t, path, "find", fmt.Sprintf("0x%x", uint32(payload.ProgType)))
	if status != 0 || !strings.Contains(out, fmt.Sprintf("%08x", h.Sum32())) {
		t.Errorf("%s: find ends with %d, and should print the checksum %08x:\n%s", filepath.Base(path), status, h.Sum32(), out)
	}
}

// TestMatrix puts payloads into every kind of program, lets every tool work on the
// result, and looks for them again.
func TestMatrix(t *testing.T) {
	for i, p := range samples.Programs() {
		if testing.Short() && i%12 != 0 {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			matrix(t, newSubject(t, p))
		})
	}
}

func matrix(t *testing.T, s *subject) {
	dir := t.TempDir()
	opt := attach.Options{}
	if s.NoSections {
		opt.Overlay = phdr.OverlayStay // what section headers named
	}
	list := items(t, samples.Find(t, "x86-64-pie").Build(t))
	names := []string{"small", "data", "tree", "object"}
	one, all := filepath.Join(dir, "one"), filepath.Join(dir, "all")
	r, err := add(t, s.path, one, opt, list[:2]...)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("by %s, %+d bytes", r.Technique, r.Size.After-r.Size.Before)
	first := s.works(t, one, names[:2])
	if _, err := add(t, one, all, opt, list[2:]...); err != nil {
		t.Fatal(err)
	}
	second := s.works(t, all, names)
	if first["small"] != second["small"] && s.Machine != 0 && !moves(list) {
		t.Errorf("what was there moved from 0x%x to 0x%x", first["small"], second["small"])
	}
	s.afterTools(t, dir, all, names, second)
	s.removes(t, dir, all, opt)
}

// moves says whether the alignment of an object can have moved what is in front.
func moves(list []attach.Item) bool {
	return slices.ContainsFunc(list, func(i attach.Item) bool { return i.Kind == payload.Object })
}

// afterTools lets every tool work on a file, as far as it can handle the original.
func (s *subject) afterTools(t *testing.T, dir, path string, names []string, places map[string]uint64) {
	t.Helper()
	if s.NoSections {
		return // strip would leave nothing
	}
	for _, k := range s.Editors() {
		if k.Name == "patchelf" && s.Narrow() {
			continue // it needs room for headers of its own, and takes it from .text
		}
		plain, out := filepath.Join(dir, "plain."+k.Name), path+"."+k.Name
		if _, ok := k.Apply(t, s.path, plain); !ok {
			continue
		}
		got, status := s.Run(t, plain, "go")
		if _, finds := s.Run(t, plain, "find", "0x1"); got != s.out || status != s.status || finds != 0 {
			t.Logf("%s breaks the original", k.Name)
			continue
		}
		if msg, ok := k.Apply(t, path, out); !ok {
			t.Errorf("%s refuses the file: %s", k.Name, msg)
			continue
		}
		for name, off := range s.works(t, out, names) {
			if off != places[name] && k.Name != "patchelf" {
				t.Errorf("%s: payload %q was at 0x%x and is at 0x%x", k.Name, name, places[name], off)
			}
		}
	}
}

// removes takes payloads out one after the other; with the last one the room they
// had is gone.
func (s *subject) removes(t *testing.T, dir, path string, opt attach.Options) {
	t.Helper()
	rm := func(from, to string, names ...string) *attach.Report {
		r, err := change(t, from, to, func(f *elffile.File) (*attach.Result, error) { return attach.Remove(f, names, opt) })
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	some, none := filepath.Join(dir, "some"), filepath.Join(dir, "none")
	rm(path, some, "data", "object")
	s.works(t, some, []string{"small", "tree"})
	r := rm(some, none, "small", "tree")
	if left := s.works(t, none, nil); len(left) > 0 {
		t.Errorf("after rm there are %v", left)
	}
	before, _ := os.Stat(s.path)
	if grown := r.Size.After - before.Size(); grown > 3<<16+4096 {
		t.Errorf("%d bytes stay behind", grown)
	}
	again := filepath.Join(dir, "again")
	if _, err := add(t, none, again, opt, attach.Item{Name: "small", Kind: payload.File, Data: elffile.Buffer("x")}); err != nil {
		t.Fatal(err)
	}
	s.works(t, again, []string{"small"})
}

// TestSameBytes: the same inputs give the same file, also step by step.
func TestSameBytes(t *testing.T) {
	p := samples.Find(t, "x86-64-pie")
	dir := t.TempDir()
	list := items(t, p.Build(t))
	a, b, c := filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "c")
	for _, to := range []string{a, b} {
		if _, err := add(t, p.Build(t), to, attach.Options{}, list...); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := change(t, a, c, func(f *elffile.File) (*attach.Result, error) { return attach.Fix(f, attach.Options{}) }); err != nil {
		t.Fatal(err)
	}
	x, _ := os.ReadFile(a)
	y, _ := os.ReadFile(b)
	z, _ := os.ReadFile(c)
	if !bytes.Equal(x, y) {
		t.Error("the same items give other bytes")
	}
	if !bytes.Equal(x, z) {
		t.Error("fix changes a file that is right")
	}
}
