package deps

import (
	"io"
	"testing"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/internal/samples"
	"elfwright/internal/term"
)

// BenchmarkTree finds and prints what gdb loads, from nothing.
func BenchmarkTree(b *testing.B) {
	samples.Need(b, "/usr/bin/gdb")
	for b.Loop() {
		l, err := load.New(load.Options{NamesOnly: true})
		if err != nil {
			b.Fatal(err)
		}
		s, err := Open(l, "/usr/bin/gdb", false, bind.Options{})
		if err != nil {
			b.Fatal(err)
		}
		s.Tree(io.Discard, term.Style{})
		l.Close()
	}
}

// BenchmarkScan looks through a directory of small programs.
func BenchmarkScan(b *testing.B) {
	for b.Loop() {
		l, err := load.New(load.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Scan(l, ScanOptions{Dirs: []string{"/sbin"}}); err != nil {
			b.Fatal(err)
		}
		l.Close()
	}
}
