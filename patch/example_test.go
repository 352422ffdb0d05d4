package patch_test

import (
	"fmt"
	"log"

	"elfwright/elffile"
	"elfwright/internal/elftest"
	"elfwright/patch"
)

// A number in a variable that has no bytes in the file yet.
func ExampleApply() {
	program := elftest.ExecSections(elftest.Kinds()[0])
	program.Overlay = nil
	f, err := elffile.Parse("small", program.Bytes())
	if err != nil {
		log.Fatal(err)
	}
	set, err := patch.ParseSet("buffer+8:u32=42", nil)
	if err != nil {
		log.Fatal(err)
	}
	r, err := patch.Apply(f, []patch.Set{set}, patch.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for _, w := range r.Report.Writes {
		fmt.Println(w.Symbol, w.Old, "->", w.New)
	}
	for _, g := range r.Report.Grown {
		fmt.Printf("program header %d: 0x%x bytes in the file, were 0x%x\n", g.Index, g.Filesz, g.Was)
	}
	// r.Body.WriteFile("small.new", f.Mode()) would write it.

	// Output:
	// buffer 00000000 -> 2a000000
	// program header 2: 0x14 bytes in the file, were 0x8
}
