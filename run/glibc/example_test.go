package glibc_test

import (
	"fmt"

	"elfwright/run/glibc"
)

func ExampleRows() {
	rows, err := glibc.Rows()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range rows {
		fmt.Println(r.Version, r.Machine, r.AtLeast(2, 36))
	}
	// Output:
	// 2.31 EM_X86_64 false
	// 2.36 EM_X86_64 true
	// 2.41 EM_X86_64 true
}
