package deps

import (
	"fmt"
	"io"

	"elfwright/dyn/load"
)

// List prints the loaded objects in load order, the way of ldd: a line each, "name
// => path", missing ones where they are first asked for.
func (s *Subject) List(w io.Writer) {
	if s.Static() {
		fmt.Fprintln(w, "\tstatically linked")
		return
	}
	for _, o := range s.Process.Objects[1:] {
		if o == s.Process.Ld || o.Asked == o.Path {
			fmt.Fprintf(w, "\t%s\n", o.Path)
			continue
		}
		fmt.Fprintf(w, "\t%s => %s\n", o.Asked, o.Path)
	}
	said := map[string]bool{}
	for _, m := range s.Missing() {
		if m.Need.Kind != load.Interpreter && !said[m.Need.Name] {
			said[m.Need.Name] = true
			fmt.Fprintf(w, "\t%s => not found\n", m.Need.Name)
		}
	}
}
