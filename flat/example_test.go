package flat_test

import (
	"debug/elf"
	"fmt"
	"log"
	"strings"

	"elfwright/elffile"
	"elfwright/flat"
)

// A raw binary becomes a program, and the program Intel HEX.
func Example() {
	c, err := flat.Read("boot.bin", elffile.Buffer("\x00\x00\xa0\xe3\x0e\xf0\xa0\xe1"), flat.ReadOptions{Format: flat.Bin, Base: 0x8000})
	if err != nil {
		log.Fatal(err)
	}
	target, err := flat.ParseTarget("arm", "", "")
	if err != nil {
		log.Fatal(err)
	}
	body, report, err := c.ELF(target, new(uint64(0x8000)))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Machine, report.Class, elf.Class(1))

	program, err := elffile.Bytes(body)
	if err != nil {
		log.Fatal(err)
	}
	f, err := elffile.Parse("boot.elf", program)
	if err != nil {
		log.Fatal(err)
	}
	r, err := flat.Flatten(f, flat.Options{Format: flat.IHex})
	if err != nil {
		log.Fatal(err)
	}
	var text strings.Builder
	r.Body.WriteTo(&text)
	fmt.Print(strings.ReplaceAll(text.String(), "\r\n", "\n"))

	// Output:
	// ARM 32 ELFCLASS32
	// :088000000000A0E30EF0A0E176
	// :040000030000800079
	// :00000001FF
}
