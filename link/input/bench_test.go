package input

import (
	"os"
	"testing"

	"elfwright/internal/samples"
	"elfwright/link/model"
)

// BenchmarkLoad reads all of the C library, or the archive that KERNEL_ARCHIVE
// names, such as the one of bench/linkset, and settles the symbols.
func BenchmarkLoad(b *testing.B) {
	name := "/usr/lib/x86_64-linux-gnu/libc.a"
	if s := os.Getenv("KERNEL_ARCHIVE"); s != "" {
		name = s
	}
	samples.Need(b, name)
	opt := &model.Options{Inputs: []model.Input{{Name: name, WholeArchive: true}}}
	for b.Loop() {
		rep := &model.Report{}
		s := Open(opt, Commands{}, nil, rep).Load(Settings{}, model.NewTable())
		if rep.Failed() {
			b.Fatal(rep.Errors()[0])
		}
		b.ReportMetric(float64(len(s.Objects())), "objects")
	}
}
