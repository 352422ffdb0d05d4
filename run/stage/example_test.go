package stage_test

import (
	"debug/elf"
	"fmt"

	"elfwright/run/stage"
)

// A plan that maps a page of a file, protects another, and goes to the program.
func ExamplePlan() {
	p := stage.New(stage.CodeOf(elf.EM_X86_64, elf.ELFCLASS64), 0x10000)
	p.OpenFile("/lib/libc.so.6")
	p.Do(stage.Map, 0x200000, 0x1000, 1, 0x12, 0)
	p.Do(stage.Close)
	p.Do(stage.Protect, 0x300000, 0x1000, 1)
	p.Do(stage.End, 0x400000)
	for _, r := range p.Records {
		fmt.Printf("%v 0x%x\n", r.Op, r.Args[0]&^0xfff)
	}
	// Output:
	// open 0x10000
	// map 0x200000
	// close 0x0
	// protect 0x300000
	// end 0x400000
}
