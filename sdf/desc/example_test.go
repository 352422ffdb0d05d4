package desc_test

import (
	"fmt"

	"elfwright/sdf/desc"
)

// A description with two faults; both are found.
func ExampleParse() {
	text := `<system>
<protection_domain name="a" priority="256"><program_image path="a.elf"/>
<map mr="m" vaddr="0x1000"/></protection_domain>
</system>`
	_, found := desc.Parse("two.system", []byte(text), desc.Default(desc.AArch64), desc.Options{})
	for _, f := range found {
		fmt.Println(f)
	}
	// Output:
	// two.system:2:1: error: <protection_domain>, priority: 256 is above 254 [value]
	// two.system:3:1: error: <map>, mr: there is no memory_region "m" [reference]
}
