package mount

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/erofs"
)

// TestCopied starts a program for an ordinary user who may not open /dev/fuse: it
// finds a copy of its tree, which it cannot change.
func TestCopied(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o755))
	must(t, os.Chmod(filepath.Dir(dir), 0o755))
	tree, image := filepath.Join(dir, "tree"), filepath.Join(dir, "image")
	must(t, os.MkdirAll(filepath.Join(tree, "sub"), 0o755))
	must(t, os.WriteFile(filepath.Join(tree, "sub", "file"), []byte("copied\n"), 0o644))
	must(t, os.Symlink("sub/file", filepath.Join(tree, "link")))
	must(t, os.Link(filepath.Join(tree, "sub", "file"), filepath.Join(tree, "twin")))
	img, err := erofs.Build(tree, erofs.Options{})
	must(t, err)
	defer img.Close()
	must(t, elffile.NewBody(img.Data).WriteFile(image, 0o644))
	const script = `cat /elfwright-test/link /elfwright-test/twin; stat -c %h /elfwright-test/twin; (echo x >/elfwright-test/new) 2>/dev/null || echo read-only; exit 7`
	for _, tc := range []struct {
		via  Via
		out  string
		code int
	}{{Auto, "copied\ncopied\n2\nread-only\n", 7}, {FUSE, "", ExitFailed}} {
		text, err := json.Marshal(Run{
			Program: "/bin/sh", Args: []string{"sh", "-c", script}, Via: tc.via,
			Binds: []Bind{{Source{Path: image, Size: img.Data.Size()}, "/elfwright-test"}},
		})
		must(t, err)
		before := mountinfo(t)
		cmd := prepared(wordClosed, wordRun, string(text))
		var talk strings.Builder
		cmd.Stderr = &talk
		out, _ := cmd.Output()
		if code := cmd.ProcessState.ExitCode(); string(out) != tc.out || code != tc.code {
			t.Errorf("via %q: %q, exit code %d, want %q, %d\n%s", tc.via, out, code, tc.out, tc.code, talk.String())
		}
		if tc.code == ExitFailed && !strings.Contains(talk.String(), "open /dev/fuse: permission denied") {
			t.Errorf("the reason is not told: %s", talk.String())
		}
		if after := mountinfo(t); after != before {
			t.Error("mounts are left")
		}
	}
}
