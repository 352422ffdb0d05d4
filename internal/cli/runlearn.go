package cli

import (
	"encoding/json"
	"fmt"
	"os"

	"elfwright/elffile"
	"elfwright/run"
	"elfwright/run/glibc"
	"elfwright/run/musl"
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
	b, err := learned(files[1], files[0], files[2])
	if err == nil {
		_, err = c.out.Write(b)
	}
	return err
}

// learned makes a row of whichever C library it is: musl's dynamic linker has the
// function that its first one goes on with.
func learned(ld, debug, libc *elffile.File) ([]byte, error) {
	if musl.Is(ld) {
		row, err := musl.Learn(ld, debug)
		if err != nil {
			return nil, err
		}
		return row.Encode()
	}
	row, err := glibc.Learn(ld, debug, libc)
	if err != nil {
		return nil, err
	}
	return row.Encode()
}

// addRow reads a row for a program's C library.
func addRow(p *run.Program, name string) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var kind struct {
		Structs json.RawMessage `json:"structs"` // a row of glibc has them
	}
	if err = json.Unmarshal(b, &kind); err == nil {
		if kind.Structs != nil {
			p.Row, err = glibc.Decode(b)
		} else {
			p.Musl, err = musl.Decode(b)
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
