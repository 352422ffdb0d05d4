package reloc_test

import (
	"fmt"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/run/memory"
	"elfwright/run/place"
	"elfwright/run/reloc"
)

// The relocations of a program carried out on what it will have in memory.
func ExampleApply() {
	p, err := load.Load("/bin/true", load.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	b, err := bind.Bind(p, bind.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
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
	r, err := reloc.Apply(m, b, reloc.Options{Libc: p.Libc})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range r.Counts {
		if c.Object == 0 && c.Name == "R_X86_64_RELATIVE" {
			fmt.Println(c.N > 0)
		}
	}
	// Output: true
}
