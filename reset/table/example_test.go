package table_test

import (
	"debug/elf"
	"fmt"
	"log"

	"elfwright/elffile"
	"elfwright/reset/table"
)

// A table as bytes: four words a row, relative to the head.
func ExampleTable_Encode() {
	t := &table.Table{
		Addr: 0x8000, TableOff: 0x100, Room: 0xa0, Slot: 0x7000, Entry: 0x1000,
		Each: []table.Entry{{Dst: 0x4000, Size: 0x200, Src: 0x8200, SrcSize: 0x40}},
	}
	f := elffile.Format{Class: elf.ELFCLASS32, Data: elf.ELFDATA2MSB}
	b, err := t.Encode(f)
	if err != nil {
		log.Fatal(err)
	}
	for i := 0; i < 4; i++ {
		fmt.Printf("%x\n", b[16*i:16*i+16])
	}
	fmt.Println(t.Free(f), "rows are free")

	// Output:
	// fffff000000000100000001000000000
	// ffffc000000002000000020000000040
	// ffff9000000000000000000000000000
	// 00000000000000000000000000000000
	// 6 rows are free
}
