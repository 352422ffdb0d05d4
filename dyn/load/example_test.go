package load_test

import (
	"fmt"

	"elfwright/dyn/load"
)

func ExampleLoad() {
	p, err := load.Load("/proc/self/exe", load.Options{NamesOnly: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	fmt.Println(p.Objects[0].Path, p.Objects[0].Found.Rule == load.RuleProgram)
	// Output: /proc/self/exe true
}
