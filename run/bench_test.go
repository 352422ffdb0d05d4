package run_test

import (
	"testing"

	"elfwright/run"
)

// BenchmarkPrepare is what engine interp does before the program starts.
func BenchmarkPrepare(b *testing.B) {
	for b.Loop() {
		r, err := run.Prepare(run.Program{Args: []string{"/bin/true"}, Engine: run.Interp})
		if err != nil {
			b.Fatal(err)
		}
		r.Close()
	}
}
