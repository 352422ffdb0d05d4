package reset

import (
	"fmt"

	"elfwright/elffile"
	"elfwright/phdr"
)

// Shape says where the initial bytes of writable memory are.
type Shape string

// The shapes.
const (
	// Keep leaves them where they are, and adds a copy: the program also starts
	// by its old entry point.
	Keep Shape = "keep"
	// Deflate takes them out of the writable segments, which are all zeros then:
	// they are in the file once, and only the code knows where they go.
	Deflate Shape = "deflate"
)

// Options say how to make a program resettable. The zero value keeps bytes and
// chooses addresses.
type Options struct {
	Shape Shape // "": Keep
	OS    OS    // "": as far as the file tells

	Symbols []*elffile.File // where sections and symbols are, before the image itself
	NoMatch bool            // take them though they seem to be another program's
	// Persistent is memory to leave alone: patterns of section names, which begin
	// with a dot, names of symbols, ranges (0x1000..0x2000). Sections .persistent
	// and .persistent.* always are.
	Persistent []string

	// Zero are ranges of memory outside the program to be cleared at each start.
	Zero []string

	At, Paddr uint64 // of the new segments; 0: chosen
	HookEntry bool   // for loaders that ignore e_entry: the old entry gets a jump, too
	Spare     int    // entries of the table to leave free for patches; 0: 16

	Phdr phdr.Options
}

// spareEntries are free where nothing was said, and each has some bytes for its
// copy: a patch of memory that was zero takes one of them.
const (
	spareEntries = 16
	spareBytes   = 32
)

// Result is a resettable program, not yet written, and what was done.
type Result struct {
	Body   *elffile.Body
	Report *Report
}

func refusef(f *elffile.File, format string, args ...any) error {
	return &phdr.Refusal{File: f.Name, Reason: fmt.Sprintf(format, args...)}
}
