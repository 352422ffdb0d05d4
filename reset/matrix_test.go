package reset_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/internal/samples"
	"elfwright/phdr"
	"elfwright/reset"
)

// TestMatrix makes the static programs of the matrix resettable, of all linkers and
// ways to strip: they run as before. Those that a dynamic linker starts are refused,
// with the reason, and so are Go's.
func TestMatrix(t *testing.T) {
	for _, p := range samples.Programs() {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			path := p.Build(t)
			f := open(t, path)
			if !p.Static || p.Lang == "go" {
				_, err := reset.Apply(f, reset.Options{})
				if err == nil || !refused(err, "link it statically", "a shared library is not started", "program of Go") {
					t.Errorf("dynamic: %v", err)
				}
				return
			}
			want, status := p.Run(t, path)
			for _, shape := range []reset.Shape{reset.Keep, reset.Deflate} {
				opt := reset.Options{Shape: shape}
				if p.NoSections { // what the cut left behind might be somebody's
					if _, err := reset.Apply(f, opt); err == nil || !refused(err, "--overlay=stay") {
						t.Errorf("%s: bytes that no header names: %v", shape, err)
					}
					opt.Phdr.Overlay = phdr.OverlayMove
				}
				out, _ := apply(t, path, opt)
				samples.Settle(t, out)
				named := filepath.Join(filepath.Dir(out), filepath.Base(path))
				if err := os.Rename(out, named); err != nil {
					t.Fatal(err)
				}
				if have, now := p.Run(t, named); have != want || now != status {
					t.Errorf("%s: exit status %d and\n%s\nwas %d and\n%s", shape, now, have, status, want)
				}
			}
		})
	}
}

func refused(err error, reasons ...string) bool {
	for _, r := range reasons {
		if strings.Contains(err.Error(), r) {
			return true
		}
	}
	return false
}
