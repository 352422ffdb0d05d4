package memory_test

import (
	"fmt"

	"elfwright/dyn/load"
	"elfwright/run/memory"
	"elfwright/run/place"
)

// What a program will have in memory, before there is a process: code is a window on
// its file, data a copy that can be written to.
func ExampleNew() {
	p, err := load.Load("/bin/true", load.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	l, err := place.Lay(p, place.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := memory.New(l)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range m.Objects[0].Segments {
		fmt.Println(s.Flags, s.Private)
	}
	// Output:
	// PF_R false
	// PF_X+PF_R false
	// PF_R false
	// PF_W+PF_R true
}
