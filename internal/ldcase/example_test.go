package ldcase_test

import (
	"fmt"

	"elfwright/internal/ldcase"
)

func ExampleParse() {
	cases, err := ldcase.Parse("number.case", `
== case number/hex
vary: N = 0x10 | 10h
want: symbol(v)=abs:0x10
--
v = @N@;
`, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range cases {
		fmt.Printf("%s %q\n", c.Name, c.Files[0].Text)
	}
	// Output:
	// number/hex[0x10] "v = 0x10;\n\n"
	// number/hex[10h] "v = 10h;\n\n"
}
