package musl_test

import (
	"fmt"

	"elfwright/elffile"
	"elfwright/run/musl"
)

// A build of musl that is known has a row; that of another library has none.
func ExampleFind() {
	f, err := elffile.Open("/bin/true")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	fmt.Println(musl.Find(f) == nil)
	// Output: true
}
