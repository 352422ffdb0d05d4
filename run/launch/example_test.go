package launch_test

import (
	"debug/elf"
	"fmt"

	"elfwright/run/launch"
)

func ExampleLookup() {
	code := launch.Lookup(elf.EM_X86_64, elf.ELFCLASS64, elf.ELFDATA2LSB)
	_, err := code.Encode(&launch.Plan{Exe: "/bin/true"}, 0x1000)
	fmt.Println(len(code.Bytes)%16, err)
	fmt.Println(launch.Lookup(elf.EM_ARM, elf.ELFCLASS32, elf.ELFDATA2LSB))
	// Output:
	// 0 <nil>
	// <nil>
}
