package load_test

import (
	"os"
	"testing"

	"elfwright/dyn/load"
)

// BenchmarkLoad loads a program with all that it needs; names reads what names
// libraries alone.
func BenchmarkLoad(b *testing.B) {
	for _, prog := range []string{"/usr/bin/true", "/usr/bin/git", "/usr/bin/gdb", "/usr/bin/clang-14"} {
		if _, err := os.Stat(prog); err != nil {
			continue
		}
		for _, names := range []bool{true, false} {
			name := prog
			if names {
				name += "/names"
			}
			b.Run(name, func(b *testing.B) {
				for b.Loop() {
					p, err := load.Load(prog, load.Options{NamesOnly: names})
					if err != nil {
						b.Fatal(err)
					}
					p.Close()
				}
			})
		}
	}
}
