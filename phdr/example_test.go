package phdr_test

import (
	"fmt"
	"log"

	"elfwright/elffile"
	"elfwright/internal/elftest"
	"elfwright/phdr"
)

// A header of a private type, with bytes that the program finds in its memory.
func ExampleAdd() {
	program := elftest.Shared(elftest.Kinds()[0]).Bytes()
	f, err := elffile.Parse("libsmall.so", program)
	if err != nil {
		log.Fatal(err)
	}
	r, err := phdr.Add(f, []phdr.Header{{Type: 0x65770001, Data: elffile.Buffer("hello")}}, phdr.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Report.Technique)
	for _, h := range r.Report.Headers {
		if h.What == "new" {
			fmt.Println(h.Name, phdr.FlagString(4), h.Memsz)
		}
	}
	// r.Body.WriteFile("libsmall.new.so", f.Mode()) would write it.

	// Output:
	// evict
	// LOAD r-- 232
	// ELFWRIGHT+0x1 r-- 5
}
