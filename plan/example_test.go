package plan_test

import (
	"debug/elf"
	"fmt"

	"elfwright/elffile"
	"elfwright/internal/elftest"
	"elfwright/plan"
)

// A program of one segment, whose .bss begins within the last file page.
func ExampleExec() {
	file := elftest.File{
		Type: elf.ET_EXEC, Machine: elf.EM_X86_64, Entry: 0x400100,
		Segments: []elftest.Segment{{Type: elf.PT_LOAD, Flags: elf.PF_R | elf.PF_W | elf.PF_X, Vaddr: 0x400000, Filesz: 0x123, Memsz: 0x2000}},
		Overlay:  make([]byte, 0x200),
	}
	program, err := plan.Read("hello", elffile.NewBody(elffile.Buffer(file.Bytes())))
	if err != nil {
		fmt.Println(err)
		return
	}
	p := plan.Exec(plan.Call{Path: "./hello", Args: []string{"hello"}, Program: program}, plan.Host{})
	for _, m := range p.Mappings {
		fmt.Println(m.Range, plan.Prot(m.Prot), m.Name, m.Rule)
	}
	fmt.Println(p.Outcome.Fate, p.StartBrk, p.Stack.SP)
	// Output:
	// [0x400000, 0x401000) rwx  elf_map
	// [0x401000, 0x402000) rwx  vm_brk_flags
	// [0x7ffff7ff7000, 0x7ffff7ffb000) r-- [vvar] arch_setup_additional_pages
	// [0x7ffff7ffb000, 0x7ffff7ffd000) r-- [vvar_vclock] arch_setup_additional_pages
	// [0x7ffff7ffd000, 0x7ffff7fff000) r-x [vdso] arch_setup_additional_pages
	// [0x7ffffffde000, 0x7ffffffff000) rw- [stack] setup_arg_pages
	// runs 0x402000 0x7fffffffee30
}
