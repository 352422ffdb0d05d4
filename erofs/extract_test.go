package erofs

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/elffile"

	"golang.org/x/sys/unix"
)

func TestExtract(t *testing.T) {
	tree := oddTree(t, 1)
	want := factsOf(t, tree)
	image, _ := write(t, tree, Options{})
	out := filepath.Join(t.TempDir(), "out")
	must(t, open(t, image).Extract(out, ExtractOptions{Owners: isRoot()}))
	same(t, "the tree written out", factsOf(t, out), want)

	var st unix.Stat_t
	must(t, unix.Stat(filepath.Join(out, "d/holes"), &st))
	if st.Blocks*512 >= st.Size/2 {
		t.Errorf("holes of 0x%x bytes take %d sectors", st.Size, st.Blocks)
	}
	// And round again: the same image.
	again, _ := write(t, out, Options{})
	a, err := os.ReadFile(image)
	must(t, err)
	b, err := os.ReadFile(again)
	must(t, err)
	if !bytes.Equal(a, b) {
		t.Error("the tree written out gives another image")
	}
}

// TestExtractMkfs writes out an image with chunks and holes.
func TestExtractMkfs(t *testing.T) {
	tree := mkfsTree(t)
	out := filepath.Join(t.TempDir(), "out")
	must(t, os.Mkdir(out, 0o755))
	must(t, open(t, mkfs(t, tree, "--chunksize=4096")).Extract(out, ExtractOptions{Owners: isRoot()}))
	same(t, "the tree written out", factsOf(t, out), factsOf(t, tree))
}

func TestExtractRefusals(t *testing.T) {
	image, _ := write(t, t.TempDir(), Options{})
	x := open(t, image)
	full := t.TempDir()
	must(t, os.WriteFile(filepath.Join(full, "precious"), nil, 0o644))
	if err := x.Extract(full, ExtractOptions{}); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Error(err)
	}
	if err := x.Extract(filepath.Join(full, "precious"), ExtractOptions{}); err == nil {
		t.Error("extracted into a file")
	}
	if err := x.Extract(filepath.Join(full, "no/where"), ExtractOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestExtractSetID: a program that was to run as somebody does not become one that
// runs as whoever extracts it.
func TestExtractSetID(t *testing.T) {
	tree := t.TempDir()
	file := filepath.Join(tree, "program")
	must(t, os.WriteFile(file, nil, 0o755))
	must(t, unix.Chmod(file, 0o6755))
	for _, tc := range []struct {
		owner Owner
		mode  fs.FileMode
	}{
		{Owner{uint32(os.Geteuid()) + 1, uint32(os.Getegid()) + 1}, 0o755},
		{Owner{uint32(os.Geteuid()), uint32(os.Getegid())}, 0o755 | fs.ModeSetuid | fs.ModeSetgid},
	} {
		image, _ := write(t, tree, Options{Owner: &tc.owner})
		out := filepath.Join(t.TempDir(), "out")
		must(t, open(t, image).Extract(out, ExtractOptions{}))
		st, err := os.Stat(filepath.Join(out, "program"))
		must(t, err)
		if st.Mode() != tc.mode {
			t.Errorf("%v: mode %v, want %v", tc.owner, st.Mode(), tc.mode)
		}
	}
}

// TestExtractStaysInside has images whose names and links lead out of the
// directory.
func TestExtractStaysInside(t *testing.T) {
	tree := t.TempDir()
	must(t, os.Symlink("../../victim", filepath.Join(tree, "aaaaaaaa")))
	must(t, os.Mkdir(filepath.Join(tree, "bbbbbbbb"), 0o755))
	must(t, os.WriteFile(filepath.Join(tree, "bbbbbbbb/file"), []byte("hostile"), 0o644))
	img, err := Build(tree, Options{})
	must(t, err)
	defer img.Close()
	good := readAll(t, img.Data)
	for _, names := range [][2]string{
		{"bbbbbbbb", "aaaaaaaa"}, // the directory has the name of the link
		{"bbbbbbbb", "../escap"}, {"bbbbbbbb", "/tmp/esc"}, {"bbbbbbbb", "..\x00\x00\x00\x00\x00\x00"},
		{"aaaaaaaa", "../../vi"}, {"aaaaaaaa", "..\x00\x00\x00\x00\x00\x00"},
	} {
		b := sealed(bytes.Replace(good, []byte(names[0]), []byte(names[1]), 1))
		above := t.TempDir()
		victim := filepath.Join(above, "victim")
		must(t, os.Mkdir(victim, 0o755))
		must(t, os.MkdirAll(filepath.Join(above, "in"), 0o755))
		x, err := Open(elffile.Buffer(b), int64(len(b)))
		must(t, err)
		if err := x.Extract(filepath.Join(above, "in/out"), ExtractOptions{}); err == nil {
			t.Errorf("%q was extracted", names[1])
		}
		inside(t, above, victim)
	}
}

// inside holds that nothing is beside the directory extracted to.
func inside(t *testing.T, above, victim string) {
	t.Helper()
	for dir, want := range map[string]int{victim: 0, above: 2, filepath.Join(above, "in"): 1} {
		entries, err := os.ReadDir(dir)
		must(t, err)
		if len(entries) > want {
			t.Errorf("%s has %v", dir, entries)
		}
	}
}

// TestExtractFollowsNoLink: the link leads outside, and what comes later is made
// beside it, not through it.
func TestExtractFollowsNoLink(t *testing.T) {
	tree := t.TempDir()
	above := t.TempDir()
	must(t, os.Symlink(above, filepath.Join(tree, "a")))
	must(t, os.WriteFile(filepath.Join(tree, "b"), nil, 0o644))
	must(t, os.Link(filepath.Join(tree, "a"), filepath.Join(tree, "c")))
	image, _ := write(t, tree, Options{})
	out := filepath.Join(above, "out")
	must(t, open(t, image).Extract(out, ExtractOptions{}))
	for _, name := range []string{"a", "c"} {
		if target, err := os.Readlink(filepath.Join(out, name)); err != nil || target != above {
			t.Errorf("%s: %q, %v", name, target, err)
		}
	}
}

// extractFuzzed extracts an image that may be anything, unless its files are large.
func extractFuzzed(t *testing.T, b []byte) {
	x, err := Open(elffile.Buffer(b), int64(len(b)))
	if err != nil {
		return
	}
	above := t.TempDir()
	victim := filepath.Join(above, "victim")
	must(t, os.Mkdir(victim, 0o755))
	must(t, os.Mkdir(filepath.Join(above, "in"), 0o755))
	_ = x.Extract(filepath.Join(above, "in/out"), ExtractOptions{})
	inside(t, above, victim)
}
