package boot_test

import (
	"fmt"

	"elfwright/elffile"
	"elfwright/internal/elftest"
	"elfwright/sdf"
	"elfwright/sdf/boot"
	"elfwright/sdf/desc"
)

// A program for another machine is no runtime.
func ExampleMake() {
	s, _ := desc.Parse("one.system", []byte(`<system><protection_domain name="one"><program_image path="one.elf"/></protection_domain></system>`), desc.Default(desc.AArch64), desc.Options{})
	program, err := elffile.Parse("program", elftest.Exec(elftest.Kinds()[0]).Bytes())
	if err != nil {
		panic(err)
	}
	_, err = boot.Make(s, &sdf.Applied{}, program, boot.Options{})
	fmt.Println(err)
	// Output: program: it is no runtime for this board: e_machine is Advanced Micro Devices X86-64, and the board is aarch64
}
