package interp_test

import (
	"fmt"

	"elfwright/elffile"
	"elfwright/run/interp"
)

func ExampleMake() {
	prog, err := elffile.Open("/bin/true")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer prog.Close()
	ld, err := elffile.Open("/lib64/ld-linux-x86-64.so.2")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ld.Close()
	img, err := interp.Make(prog, ld, interp.Options{Exe: "/bin/true"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(img.Parts[0].Of, img.Parts[len(img.Parts)-1].Of == "")
	// Output: /bin/true true
}
