package split_test

import (
	"bytes"
	"fmt"
	"log"

	"elfwright/elffile"
	"elfwright/internal/elftest"
	"elfwright/split"
)

// A program apart, and together again.
func ExampleSplit() {
	program := elftest.ExecSections(elftest.Kinds()[0]).Bytes()
	f, err := elffile.Parse("prog", program)
	if err != nil {
		log.Fatal(err)
	}
	r, err := split.Split(f, split.Options{Link: "prog.debug"})
	if err != nil {
		log.Fatal(err)
	}
	// r.Symbols.WriteFile("prog.debug", 0o644) and r.Image.WriteFile("image",
	// f.Mode()) would write them.
	for _, p := range r.Report.Parts {
		fmt.Println(p.Kind, p.Where, p.Bytes)
	}
	img, _ := elffile.ParseBody("image", r.Image)
	syms, _ := elffile.ParseBody("prog.debug", r.Symbols)
	j, err := split.Join(img, syms, split.JoinOptions{})
	if err != nil {
		log.Fatal(err)
	}
	var b bytes.Buffer
	j.Body.WriteTo(&b)
	fmt.Println(bytes.Equal(b.Bytes(), program))

	// Output:
	// program image 388
	// notes both 24
	// symbols symbols 143
	// debug symbols 0
	// other symbols 80
	// rest symbols 33
	// zeros neither 3717
	// true
}
