package own_test

import (
	"fmt"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/run/own"
)

func ExampleBuild() {
	p, err := load.Load("/bin/true", load.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	bound, err := bind.Bind(p, bind.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := own.Build(p, bound, own.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Libc, r.Image.Type, len(r.Order))
	// Output: glibc ET_EXEC 3
}
