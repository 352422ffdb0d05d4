package deps_test

import (
	"fmt"
	"os"

	"elfwright/deps"
	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/internal/samples"
)

// What a program loads, as ldd prints it, without running anything.
func Example() {
	if samples.Missing("/bin/true", "/lib64/ld-linux-x86-64.so.2") != "" {
		fmt.Println("\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6\n\t/lib64/ld-linux-x86-64.so.2")
		return
	}
	l, err := load.New(load.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	s, err := deps.Open(l, "/bin/true", false, bind.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	s.List(os.Stdout)
	// Output:
	// 	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6
	// 	/lib64/ld-linux-x86-64.so.2
}
