package reset_test

import (
	"fmt"
	"log"

	"elfwright/elffile"
	"elfwright/internal/elftest"
	"elfwright/reset"
)

// A program of which the memory is restored but for a buffer.
func ExampleApply() {
	program := elftest.ExecSections(elftest.Kinds()[0])
	program.Overlay = nil
	f, err := elffile.Parse("small", program.Bytes())
	if err != nil {
		log.Fatal(err)
	}
	r, err := reset.Apply(f, reset.Options{Shape: reset.Deflate, Persistent: []string{"buffer"}})
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range r.Report.Entries {
		fmt.Printf("0x%x bytes at 0x%x, %d of them saved\n", e.Size, e.Dst, e.SrcSize)
	}
	for _, k := range r.Report.Kept {
		fmt.Printf("0x%x bytes: %s\n", k.Size, k.Why)
	}
	fmt.Println(r.Report.Check.Restored, "bytes are restored")
	// r.Body.WriteFile("small.again", f.Mode()) would write it.

	// Output:
	// 0x8 bytes at 0x600000, 8 of them saved
	// 0x2000 bytes: persistent
	// 0x80 bytes: registers of the first start
	// 8 bytes are restored
}
