package core_test

import (
	"bytes"
	"debug/elf"
	"fmt"

	"elfwright/elffile"
	"elfwright/freeze/core"
	"elfwright/machine/amd64"
)

func Example() {
	st := amd64.Machine.Status
	c := &core.Core{
		Info: core.Info{PID: 42, Name: "prog"}, Auxv: make([]byte, 16), Threads: []core.Thread{{TID: 42, Signal: 11, Regs: make([]byte, st.FPValid-st.Regs)}},
		Segments: []core.Segment{{Start: 0x1000, Size: 0x1000, Flags: elf.PF_R, Stored: 0x1000, Parts: []core.Part{{Start: 0x1000, Data: elffile.Buffer("text")}}}},
	}
	body, err := c.Write(amd64.Machine)
	if err != nil {
		fmt.Println(err)
		return
	}
	var file bytes.Buffer
	if _, err := body.WriteTo(&file); err != nil {
		fmt.Println(err)
		return
	}
	f, err := elffile.Parse("core", file.Bytes())
	if err != nil {
		fmt.Println(err)
		return
	}
	again, err := core.Read(f, amd64.Machine)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(again.Info.Name, again.Threads[0].TID, again.Threads[0].Signal, len(again.Segments))
	// Output: prog 42 11 1
}
