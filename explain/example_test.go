package explain_test

import (
	"fmt"

	"elfwright/explain"
	"elfwright/plan"
)

func Example() {
	s, err := explain.Open("/proc/self/exe", explain.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	fmt.Println(s.Process.Outcome.Fate == plan.Runs, len(s.Process.Mappings) > 3)
	// Output: true true
}
