package place_test

import (
	"fmt"

	"elfwright/dyn/load"
	"elfwright/run/place"
)

func ExampleLay() {
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
	fmt.Printf("0x%x 0x%x\n", l.Objects[0].Base, l.Page)
	// Output: 0x100000000 0x1000
}
