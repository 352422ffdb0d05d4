package serve_test

import (
	"fmt"

	"elfwright/elffile"
	"elfwright/run/serve"
)

func ExampleFindLinksIn() {
	libc, err := elffile.Open("/lib/x86_64-linux-gnu/libc.so.6")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer libc.Close()
	sites, err := serve.FindLinksIn(libc, "readlink", "readlinkat")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range sites.List {
		fmt.Println(s.Number)
	}
	// Output:
	// 89
	// 267
}
