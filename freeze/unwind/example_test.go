package unwind_test

import (
	"encoding/binary"
	"fmt"
	"io"

	"elfwright/freeze/unwind"
)

// stack is memory from 0x7000 on.
type stack []byte

func (s stack) ReadAt(b []byte, addr int64) (int, error) {
	if addr < 0x7000 || addr-0x7000+int64(len(b)) > int64(len(s)) {
		return 0, io.EOF
	}
	return copy(b, s[addr-0x7000:]), nil
}

func Example() {
	mem := make(stack, 64)
	binary.LittleEndian.PutUint64(mem[8:], 0x401234) // the return address, above the caller's frame pointer
	var regs unwind.Regs
	regs.Set(unwind.X86.PC, 0x405678)
	regs.Set(unwind.X86.SP, 0x6ff0)
	regs.Set(unwind.X86.FP, 0x7000)
	u := unwind.Unwinder{Arch: unwind.X86, Mem: mem, Tables: func(uint64) (unwind.Table, bool) { return unwind.Table{}, false }}
	u.Walk(regs, func(f unwind.Frame) bool {
		fmt.Printf("0x%x by %s\n", f.PC, f.How)
		return true
	})
	// Output:
	// 0x405678 by registers
	// 0x401234 by frame pointer
}
