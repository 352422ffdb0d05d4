package bind_test

import (
	"fmt"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
)

// Where does a program get its printf from, and is anything missing?
func Example() {
	p, err := load.Load("/usr/bin/env", load.Options{})
	if err != nil {
		return
	}
	defer p.Close()
	r, err := bind.Bind(p, bind.Options{})
	if err != nil {
		fmt.Println(err)
	}
	for b := range r.Named("setlocale") {
		name, _ := r.Version(b)
		fmt.Println(p.Objects[b.From].Path, "gets setlocale from", p.Objects[b.To].Soname, name != "")
	}
	for b := range r.Unresolved(false) {
		fmt.Printf("%s is missing\n", r.Name(b))
	}
	// Output:
	// /usr/bin/env gets setlocale from libc.so.6 true
}
