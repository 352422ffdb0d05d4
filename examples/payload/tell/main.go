// Tell says what the program itself carries, and prints a payload, or a file of a
// tree.
//
//	go build -o tell .
//	elfwright embed add tell notes.txt docs -o tell2
//	./tell2
//	./tell2 docs/index.html
package main

import (
	"fmt"
	"io/fs"
	"os"

	"elfwright/payload"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "tell:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	self, err := payload.Self()
	if err != nil {
		return err
	}
	defer self.Close()
	if len(args) == 0 {
		return fs.WalkDir(self, ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || path == "." {
				return err
			}
			fmt.Println(d.Type(), path)
			return nil
		})
	}
	b, err := self.Bytes(args[0]) // a mapping of the program's file
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(b)
	return err
}
