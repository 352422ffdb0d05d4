// Package debugfile reads what distributions keep of a C library for debuggers: in it
// is written where a build keeps its private state.
package debugfile

import (
	"debug/dwarf"

	"elfwright/elffile"
)

// maxDebug bounds a section of debugging information: that of ld.so is a few MiB.
const maxDebug = 256 << 20

// DWARF reads the debugging information of a file.
func DWARF(f *elffile.File) (*dwarf.Data, error) {
	part := make(map[string][]byte)
	for _, name := range []string{"abbrev", "info", "line", "ranges", "str", "addr", "line_str", "str_offsets", "rnglists", "loclists", "types"} {
		if i := f.SectionByName(".debug_" + name); i >= 0 {
			b, _, err := f.Uncompress(i, maxDebug)
			if err != nil {
				return nil, err
			}
			part[name] = b
		}
	}
	if part["info"] == nil {
		return nil, &elffile.Error{File: f.Name, Off: -1, Msg: "there is no debugging information (.debug_info)"}
	}
	d, err := dwarf.New(part["abbrev"], nil, nil, part["info"], part["line"], nil, part["ranges"], part["str"])
	if err != nil {
		return nil, &elffile.Error{File: f.Name, Struct: ".debug_info", Off: -1, Err: err}
	}
	for _, name := range []string{"addr", "line_str", "str_offsets", "rnglists", "loclists"} {
		if part[name] != nil {
			if err := d.AddSection(".debug_"+name, part[name]); err != nil {
				return nil, &elffile.Error{File: f.Name, Struct: ".debug_" + name, Off: -1, Err: err}
			}
		}
	}
	return d, nil
}
