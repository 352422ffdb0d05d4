package serve

import (
	"testing"

	"elfwright/elffile"
)

func TestTmp(t *testing.T) {
	for _, n := range []string{"/lib64/ld-linux-x86-64.so.2", "/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1", "/lib/x86_64-linux-gnu/libc.so.6", "/usr/aarch64-linux-gnu/lib/libc.so.6", "/lib/ld-musl-x86_64.so.1"} {
		f, err := elffile.Open(n)
		if err != nil {
			t.Fatal(err)
		}
		g := Find
		if n[1:5] == "lib/" || n[len(n)-9:] == "libc.so.6" {
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
