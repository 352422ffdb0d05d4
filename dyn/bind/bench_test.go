package bind

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"elfwright/dyn/load"
	"elfwright/internal/samples"
)

// BenchmarkBind binds programs of the machine that are loaded already.
func BenchmarkBind(b *testing.B) {
	for _, path := range []string{"/bin/true", "/usr/bin/gdb", "/usr/lib/llvm-14/bin/clang"} {
		if samples.Missing(path) != "" {
			continue
		}
		p, err := load.Load(path, load.Options{})
		if err != nil {
			b.Fatal(err)
		}
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s-%d", filepath.Base(path), workers), func(b *testing.B) {
				var r *Result
				least := time.Hour
				for b.Loop() {
					begin := time.Now()
					if r, err = Bind(p, Options{Workers: workers}); err != nil {
						b.Fatal(err)
					}
					least = min(least, time.Since(begin))
				}
				b.ReportMetric(float64(least)/1e6, "min-ms")
				b.ReportMetric(float64(len(r.Bindings)), "bindings")
			})
		}
		p.Close()
	}
}

// BenchmarkWhole loads a program and binds it, as deps does.
func BenchmarkWhole(b *testing.B) {
	for _, path := range []string{"/bin/true", "/usr/bin/gdb", "/usr/lib/llvm-14/bin/clang"} {
		if samples.Missing(path) != "" {
			continue
		}
		b.Run(filepath.Base(path), func(b *testing.B) {
			least := time.Hour
			for b.Loop() {
				begin := time.Now()
				p, err := load.Load(path, load.Options{})
				if err == nil {
					_, err = Bind(p, Options{})
				}
				if err != nil {
					b.Fatal(err)
				}
				p.Close()
				least = min(least, time.Since(begin))
			}
			b.ReportMetric(float64(least)/1e6, "min-ms")
		})
	}
}
