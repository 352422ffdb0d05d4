package serve

import (
	"testing"

	"elfwright/elffile"
)

func TestTmp(t *testing.T) {
	for _, n := range []string{"/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1"} {
		f, err := elffile.Open(n)
		if err != nil {
			t.Fatal(err)
		}
		g := Find
		if n[1:5] == "lib/" {
			g = FindLinks
		}
		s, err := g(f)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, x := range s.List {
			t.Logf("%x %x %d % x", x.Vaddr, x.Next, x.Number, x.Moved)
		}
	}
}
