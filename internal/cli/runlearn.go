package cli

import (
	"fmt"
	"os"

	"elfwright/elffile"
	"elfwright/run/glibc"
)

// learnRow prints the row of a build of glibc: what run --row takes.
func learnRow(c *call, debug string) error {
	if len(c.args) > 2 {
		return c.usagef("flag --learn: %d arguments: want the dynamic linker, and perhaps its libc.so.6", len(c.args))
	}
	var files []*elffile.File
	for _, name := range append([]string{debug}, c.args...) {
		f, err := elffile.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		files = append(files, f)
	}
	files = append(files, nil) // where no libc is given
	row, err := glibc.Learn(files[1], files[0], files[2])
	if err != nil {
		return err
	}
	b, err := row.Encode()
	if err == nil {
		_, err = c.out.Write(b)
	}
	return err
}

// glibcRow reads a row.
func glibcRow(name string) (*glibc.Row, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	row, err := glibc.Decode(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return row, nil
}
