package prelude_test

import (
	"fmt"
	"log"
	"strings"

	"elfwright/elffile"
	"elfwright/internal/elftest"
	"elfwright/machine/all"
	"elfwright/phdr"
	"elfwright/prelude"
)

// A program that says hello before it starts.
func ExampleInstall() {
	f, err := elffile.Parse("small", elftest.Exec(elftest.Kinds()[0]).Bytes())
	if err != nil {
		log.Fatal(err)
	}
	b := prelude.NewBuilder(all.Lookup(f.Header.Machine, f.Class))
	b.Call("write", b.Word(), 0, prelude.Int(1), b.Text("hello\n"), prelude.Int(6))
	b.End()
	script, err := b.Script()
	if err != nil {
		log.Fatal(err)
	}
	r, err := prelude.Install(f, script, phdr.Options{})
	if err != nil {
		log.Fatal(err)
	}
	// r.Body.WriteFile("small.new", f.Mode()) would write it.
	now, err := elffile.ParseBody("small.new", r.Body)
	if err != nil {
		log.Fatal(err)
	}
	p, err := prelude.Installed(now)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(now.Header.Machine, p.Entry == f.Header.Entry)
	text, err := prelude.Decode(p.Machine, p.Script)
	fmt.Print(text[strings.Index(text, "\n")+1:], err)

	// Output:
	// EM_X86_64 true
	//      0  w8 = write(1, "hello\n", 6)
	//      1  end
	// <nil>
}
