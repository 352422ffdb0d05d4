package samples_test

import (
	"fmt"
	"slices"

	"elfwright/internal/samples"
)

func Example() {
	for _, p := range samples.Programs()[:3] {
		fmt.Println(p.Name, p.Machine, p.Static)
	}
	all := slices.Values([]string{"a", "b", "c", "d"})
	fmt.Println(len(slices.Collect(samples.Some(all, 2, 1))))
	// Output:
	// x86-64-pie EM_X86_64 false
	// x86-64-nopie EM_X86_64 false
	// x86-64-static EM_X86_64 true
	// 2
}
