package own_test

import (
	"os"
	"testing"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/run/own"
)

// BenchmarkBuild makes images of programs that are loaded and bound already.
func BenchmarkBuild(b *testing.B) {
	for _, prog := range []string{"/bin/true", "/usr/bin/git", "/usr/bin/gdb", "/usr/lib/llvm-14/bin/clang"} {
		if _, err := os.Stat(prog); err != nil {
			continue
		}
		p, err := load.Load(prog, load.Options{})
		if err != nil {
			b.Fatal(err)
		}
		bound, err := bind.Bind(p, bind.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(prog, func(b *testing.B) {
			n := 0
			for b.Loop() {
				r, err := own.Build(p, bound, own.Options{})
				if err != nil {
					b.Fatal(err)
				}
				n = 0
				for _, c := range r.Relocs.Counts {
					n += c.N
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrelocs/s")
		})
		p.Close()
	}
}
