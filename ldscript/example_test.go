package ldscript_test

import (
	"fmt"

	"elfwright/ldscript"
)

func ExampleParse() {
	const text = `SECTIONS { . = 0x1000+SIZEOF_HEADERS; .text : {*(.text, .rodata)} }`
	s, err := ldscript.Parse("t.lds", []byte(text), ldscript.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range ldscript.Check(s) {
		fmt.Println(f)
	}
	fmt.Printf("%s", ldscript.Format(s))

	_, err = ldscript.Parse("bad.lds", []byte("ENTRY(1)"), ldscript.Options{})
	fmt.Println(err)
	// Output:
	// t.lds:1:50: warning: .text, is one name: lists have spaces between their parts [comma-in-name]
	// SECTIONS {
	// 	. = 0x1000 + SIZEOF_HEADERS;
	// 	.text : { *(".text," .rodata) }
	// }
	// bad.lds:1:7: ENTRY: want a symbol, not 1
}
