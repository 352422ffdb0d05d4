package split

import (
	"os"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/samples"
)

func TestTryAll(t *testing.T) {
	roots := []string{"/usr/bin"}
	if os.Getenv("ELFWRIGHT_SWEEP") != "" {
		roots = []string{"/usr/bin", "/usr/lib", "/usr/sbin", "/usr/libexec", os.Getenv("HOME") + "/.cache/elfwright-samples"}
	}
	n, ref := 0, 0
	for p := range samples.SystemELFs(roots...) {
		f, err := elffile.Open(p)
		if err != nil {
			continue
		}
		for _, sec := range []string{Minimal, None} {
			_, err = Split(f, Options{Sections: sec, Link: "x.debug"})
			if r, ok := err.(*Refusal); ok {
				ref++
				_ = r
			} else if err != nil {
				t.Errorf("%v", err)
			}
			n++
		}
		f.Close()
	}
	t.Log(n, ref)
}
